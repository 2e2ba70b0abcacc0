"""The paper of an order as a form wants it: the lines of TMF622 with other values, without lines that go, and with one that comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from o2c.entrypoints.http.console.frame import Form

GONE, OFFERING, PLACE, DAY = "gone.", "offering.", "place.", "day."
"""Fields of a form that are about a line begin so; behind it stands the line's id."""
TRAITS: Mapping[str, str] = {"sim.": "simType", "number.": "portInNumber", "code.": "portInCode"}
"""By how their fields begin, the characteristics of a line that have fields of their own."""
NAME, VALUE = "name.", "value."
"""Any other characteristic of a line: its name, and its value."""
PREFIXES = (GONE, OFFERING, PLACE, DAY, *TRAITS, NAME, VALUE)
NEW = ("new_offering", "new_relies_on")
"""The fields of a line that comes."""

Paper = dict[str, Any]


def says_nothing(form: Form) -> bool:
    """Whether a form leaves every line as it is."""
    return not any(form.beginning(prefix) for prefix in PREFIXES) and not form["new_offering"]


def changed_paper(paper: Mapping[str, Any], form: Form) -> Paper:
    """The whole paper with what a form says of its lines; what it says nothing of stays."""
    items = [*_lines(paper.get("productOrderItem", ()), form), *_coming(paper, form)]
    return {**paper, "productOrderItem": items}


def _lines(items: Any, form: Form) -> Iterator[Paper]:
    for item in items:
        name = str(item.get("id", ""))
        if form[GONE + name]:
            continue
        inner = {"productOrderItem": list(_lines(item["productOrderItem"], form))} if item.get("productOrderItem") else {}
        yield {**item, **dict(_line(item, name, form)), **inner}


def _line(item: Mapping[str, Any], name: str, form: Form) -> Iterator[tuple[str, Any]]:
    if form[OFFERING + name]:
        yield "productOffering", {"id": form[OFFERING + name]}
    if form[DAY + name]:
        yield "requestedCompletionDate", form[DAY + name]
    product = dict(item.get("product") or {})
    place = [{"role": "delivery", "name": form[PLACE + name]}] if form[PLACE + name] else product.get("place")
    wished = {trait: form[prefix + name] for prefix, trait in TRAITS.items() if form[prefix + name]}
    if form[NAME + name]:
        wished[form[NAME + name]] = form[VALUE + name]
    traits = [each for each in product.get("productCharacteristic", ()) if each.get("name") not in wished]
    traits += [{"name": trait, "value": value} for trait, value in wished.items() if value]
    yield "product", {**product, **({"place": place} if place else {}), **({"productCharacteristic": traits} if traits else {})}


def _coming(paper: Mapping[str, Any], form: Form) -> Iterator[Paper]:
    """The line that comes, under the first number that is free."""
    if not form["new_offering"]:
        return
    taken = {str(item.get("id", "")) for item in paper.get("productOrderItem", ())}
    name = next(str(number) for number in range(1, len(taken) + 2) if str(number) not in taken)
    base = [{"id": form["new_relies_on"], "relationshipType": "reliesOn"}] if form["new_relies_on"] else []
    relation = {"productOrderItemRelationship": base} if base else {}
    yield {"id": name, "action": "add", "quantity": 1, "productOffering": {"id": form["new_offering"]}, **relation}
