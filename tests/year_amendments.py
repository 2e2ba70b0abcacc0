"""Orders that are changed while they are carried out, in a year: another address, plan, form of SIM, term; a line that comes or goes; a number that stays.

Some are changed by two channels at once, which have read the same version, and some are cancelled afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from o2c.desk.orders import cancel_order
from o2c.desk.revising import amend_order
from o2c.engine.app import Context
from o2c.kernel.chance import draw
from o2c.kernel.refusal import Lost, Refused
from o2c.simulation.launch_data import ACCESSES, COPPER, FIBRE, HOME_ADD_ONS, LINE, SECOND_LINE
from tests.world import Document
from tests.year_fallout import with_fallouts

if TYPE_CHECKING:
    from tests.year_deeds import Year

AMENDED, NOW, TWICE, CANCELLED = 0.3, 0.3, 0.2, 0.1
"""The share of orders whose customers think better of it, how many of those at each look, how many through two channels at once, how many cancel after all."""
OF_WHO_WAITS = ("another SIM", "another term")
"""What a customer wishes of a line that is on and whose profile is not on the phone yet: it is switched off, and on again otherwise."""
FIRST, LAST, HOURS = date(2026, 1, 5), date(2026, 2, 20), (9, 11, 14, 17, 20)
"""Between which days orders are looked at, and at which hours (UTC)."""
AMENDMENTS_MAX = 3
ELSEWHERE = "9 Saltern Road, Thrapwick, ZX7 2QN"
STORE, APP = Context("dora", channel="store"), Context("ann", channel="self-care-app")
ANOTHER: Mapping[str, str] = {
    one: other
    for pair in (
        (LINE.id, SECOND_LINE.id),
        (COPPER.id, FIBRE.id),
        ("mobile-line", "mobile-extra-line"),
        ("broadband-dsl", "broadband-fibre"),
    )
    for one, other in (pair, pair[::-1])
}
"""By offering the one that takes its place: of the generated orders' list, and of the list of the file of orders."""
ADD_ONS: Mapping[str, str] = {
    **dict.fromkeys(ACCESSES, HOME_ADD_ONS[0].id),
    **dict.fromkeys(("broadband-dsl", "broadband-fibre"), "tech-support"),
}
IN_FLIGHT = """SELECT order_id, external_id FROM projection.orders o WHERE state IN ('inProgress', 'pending', 'held')
    AND EXISTS (SELECT FROM o2c.event e WHERE e.stream = 'order-' || o.order_id AND e.type = 'order.planned') ORDER BY order_id"""
TO_INSTALL = """SELECT substr(stream, 7) AS order_id, min(split_part(item, '#', 1)) AS line FROM o2c.agenda WHERE step = 'esim-download' GROUP BY 1"""
PAPER = """SELECT personal ->> 'original' AS paper FROM o2c.event WHERE stream = %s AND type IN ('order.captured', 'order.revised')
    ORDER BY version DESC LIMIT 1"""


def looks(after: datetime, until: datetime) -> Iterator[datetime]:
    """The times between two at which orders in flight are looked at."""
    for days in range((LAST - FIRST).days):
        for hour in HOURS:
            at = datetime(FIRST.year, FIRST.month, FIRST.day, hour, tzinfo=after.tzinfo) + timedelta(days=days)
            if after < at < until:
                yield at


def with_orders(year: Year, at: datetime) -> None:
    """Some customers change what they ordered, through one channel or two at once, or cancel it after that."""
    year.see()
    with_fallouts(year)
    waiting = {row["order_id"]: row["line"] for row in year.app.reads.rows(TO_INSTALL)}
    for row in year.app.reads.rows(IN_FLIGHT):
        order, times = row["order_id"], year.amended[row["order_id"]]
        if order in waiting and not times:
            _amended(year, order, at, waiting[order])
            continue
        if draw(year.seed, order, 1, "amends") >= AMENDED or times >= AMENDMENTS_MAX or year.chance(order, at, "amends now") >= NOW:
            continue
        if times and year.chance(order, at, "cancels after all") < CANCELLED:
            year.try_to("orders cancelled after they were changed", cancel_order, order, note="changed his mind")
            continue
        _amended(year, order, at)


def _amended(year: Year, order: str, at: datetime, waits: str = "") -> None:
    """Change an order; the line alone that `waits` for its profile to be installed, where there is one."""
    stream = f"order-{order}"
    [row] = year.app.reads.rows(PAPER, stream)
    wishes = [one for one in wished(json.loads(row["paper"]), waits) if not waits or one[0] in OF_WHO_WAITS]
    base = year.app.load_one(stream).version
    luck = year.chance(order, at, "wish")
    twice = year.chance(order, at, "twice") < TWICE
    for turn, by in enumerate((STORE, APP) if twice and wishes else (STORE,) if wishes else ()):
        kind, paper = wishes[(int(luck * 1000) + turn * 7) % len(wishes)]
        try:
            done = amend_order(year.app, by, order, paper, base_version=base)
        except Lost:
            year.refused["amendments: the same at once"] += 1
        except Refused as why:
            year.refused[f"amendments: {kind}"] += 1
            year.why[str(why).partition(" ")[2].partition(" ")[2][:60]] += 1
        else:
            year.done[f"amendments: {kind}" if not done.refused else "amendments: past"] += 1
            year.done["amendments: a second one at once"] += turn
            year.amended[order] += 1


def wished(paper: Document, only: str = "") -> Iterator[tuple[str, Document]]:
    """The papers that this one may be changed to, each with what it is about; of one line `only`, where it is named."""
    for number, line in enumerate(paper["productOrderItem"]):
        if line["action"] != "add" or line.get("productOrderItem") or only not in ("", line["id"]):
            continue
        traits = {trait["name"]: trait["value"] for trait in line.get("product", {}).get("productCharacteristic", [])}
        if (offering := line["productOffering"]["id"]) in ANOTHER:
            yield "another plan", _with(paper, number, productOffering={"id": ANOTHER[offering]})
        if "simType" in traits and line["product"].get("place"):
            yield "another SIM", _chosen(paper, number, simType="physical" if traits["simType"] == "esim" else "esim")
        if "commitmentMonths" in traits:
            yield "another term", _chosen(paper, number, commitmentMonths="24" if traits["commitmentMonths"] == "12" else "12")
        if "portInNumber" in traits:
            yield "a number stays", _chosen(paper, number, portInNumber="", portInCode="")
        if offering in ADD_ONS and all(one["id"] != "77" for one in paper["productOrderItem"]):
            yield "a line comes", _with_line(paper, ADD_ONS[offering], line["id"])
    if any(line.get("product", {}).get("place") for line in paper["productOrderItem"]):
        yield "another place", _elsewhere(paper)
    if len(paper["productOrderItem"]) > 1:
        yield "a line goes", {**paper, "productOrderItem": paper["productOrderItem"][:-1]}


def _with(paper: Document, number: int, **fields: object) -> Document:
    made = deepcopy(paper)
    made["productOrderItem"][number].update(fields)
    return made


def _chosen(paper: Document, number: int, **values: str) -> Document:
    """The paper with other characteristics of a line, without those that are empty."""
    made = deepcopy(paper)
    product = made["productOrderItem"][number]["product"]
    kept = [trait for trait in product["productCharacteristic"] if trait["name"] not in values]
    product["productCharacteristic"] = [*kept, *({"name": name, "value": value} for name, value in values.items() if value)]
    return made


def _with_line(paper: Document, offering: str, base: str) -> Document:
    line = {"id": "77", "action": "add", "quantity": 1, "productOffering": {"id": offering}}
    relies_on = [{"id": base, "relationshipType": "reliesOn"}]
    return {**paper, "productOrderItem": [*paper["productOrderItem"], {**line, "productOrderItemRelationship": relies_on}]}


def _elsewhere(paper: Document) -> Document:
    made = deepcopy(paper)
    for line in made["productOrderItem"]:
        for place in line.get("product", {}).get("place", ()):
            place["name"] = ELSEWHERE
    return made
