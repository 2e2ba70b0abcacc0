"""Our papers against the schema of UBL 2.1: each element where its type has it, in the order of the sequence, as often as it may and must be there.

tests/golden/ubl-2.1.json has, for each aggregate that we write, its sequence from the schema of OASIS (UBL 2.1, xsd/common/UBL-CommonAggregateComponents-2.1.xsd,
xsd/maindoc/UBL-Invoice-2.1.xsd and UBL-CreditNote-2.1.xsd, 4 November 2013): a name with its prefix, and where it is not `0 1` how often it occurs at least and at most.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.views.paper.content import Paper, paper_of_invoice
from o2c.views.paper.ubl import CAC, CBC, ROOTS, ubl_of
from tests.noted import invoice
from tests.rules.test_papers import a_note, an_invoice

SEQUENCES: dict[str, list[str]] = json.loads((Path(__file__).parents[1] / "golden" / "ubl-2.1.json").read_text())
PREFIXES = {CAC: "cac:", CBC: "cbc:", **dict.fromkeys(ROOTS.values(), "")}


def name_of(element: ET.Element) -> str:
    space, _, name = element.tag.removeprefix("{").partition("}")
    return PREFIXES[space] + name


def flaws(element: ET.Element) -> Iterator[str]:
    """What the schema does not let stand in an element, or misses there, with where it is."""
    own = name_of(element).rpartition(":")[2]
    if own not in SEQUENCES:
        if len(element):
            yield f"{own} is not known"
        return
    sequence = [(*each.split(), "0", "1")[:3] for each in SEQUENCES[own]]
    order, told = [name for name, _, _ in sequence], [name_of(child) for child in element]
    yield from (f"{own} has no {name}" for name in told if name not in order)
    places = [order.index(name) for name in told if name in order]
    if places != sorted(places):
        yield f"{own} has its parts in another order"
    for name, least, most in sequence:
        if not int(least) <= told.count(name) <= (len(told) if most == "unbounded" else int(most)):
            yield f"{own} has {told.count(name)} of {name}"
    for child in element:
        yield from flaws(child)


def read(paper: Paper) -> ET.Element:
    return ET.fromstring(ubl_of(paper))


@pytest.mark.parametrize("paper", [an_invoice(), a_note(), an_invoice(credit_used_minor=500)], ids=["invoice", "note", "covered in part"])
def test_papers_are_of_the_schema(paper: Paper) -> None:
    assert list(flaws(read(paper))) == []


@hypothesis.given(st.lists(st.tuples(st.integers(-30_000, 90_000), st.sampled_from(("20", "5", "17.5"))), min_size=1, max_size=6))
@hypothesis.settings(max_examples=30, deadline=None)
def test_any_invoice_is_of_the_schema(lines: list[tuple[int, str]]) -> None:
    state = invoice(*lines)
    assert state.issued is not None
    assert list(flaws(read(paper_of_invoice(state.issued)))) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("cbc:ID", "Invoice has 0 of cbc:ID"),
        ("cac:AccountingSupplierParty", "Invoice has 0 of cac:AccountingSupplierParty"),
        ("cac:LegalMonetaryTotal/cbc:PayableAmount", "LegalMonetaryTotal has 0 of cbc:PayableAmount"),
    ],
)
def test_what_is_missing_is_seen(path: str, said: str) -> None:
    """Each taken out by itself."""
    root, spaces = read(an_invoice()), {"cbc": CBC, "cac": CAC}
    parent = root.find(path.rpartition("/")[0] or ".", spaces)
    assert parent is not None
    parent.remove(next(iter(parent.findall(path.rpartition("/")[2], spaces))))
    assert said in list(flaws(root))


def test_what_is_strange_twice_or_elsewhere_is_seen() -> None:
    """A part that no such type has, one that comes twice, and parts in another order."""
    root = read(an_invoice())
    ET.SubElement(root, f"{{{CBC}}}ID").text = "again"
    ET.SubElement(root, f"{{{CBC}}}Colour").text = "red"
    assert {"Invoice has no cbc:Colour", "Invoice has 2 of cbc:ID", "Invoice has its parts in another order"} <= set(flaws(root))
