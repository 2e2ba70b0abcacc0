"""An invoice, or a credit note for one, split by cost centre: the parts are the paper, to the minor unit, whatever is on it."""

from decimal import Decimal

import hypothesis
from hypothesis import strategies as st

from o2c.invoicing.papers import InvoiceLine, NoteLine, TaxSum, tax_sums
from o2c.invoicing.parts import InvoicePart, parts_of, parts_of_note
from o2c.kernel.money import tax_on

RATES = (("standard", "S", "20"), ("reduced", "S", "5"), ("odd", "S", "17.5"), ("zero", "Z", "0"))


def line(cost_centre: str, net_minor: int, rate: tuple[str, str, str]) -> InvoiceLine:
    group, category, percent = rate
    of = {"order": "A", "item": "1", "offering": "line", "kind": "period", "from_day": "2026-01-08", "to_day": "2026-02-08"}
    return InvoiceLine(**of, net_minor=net_minor, tax_group=group, tax_category=category, tax_percent=percent, cost_centre=cost_centre)


LINES = st.lists(
    st.builds(line, st.sampled_from(("", "HULL", "LEEDS", "YORK")), st.integers(-3_000, 9_000), st.sampled_from(RATES)), max_size=40
)


def sums(parts: tuple[InvoicePart, ...]) -> tuple[int, int, int, int]:
    return (
        sum(part.lines for part in parts),
        sum(part.net_minor for part in parts),
        sum(part.tax_minor for part in parts),
        sum(part.total_minor for part in parts),
    )


@hypothesis.given(LINES)
def test_the_parts_sum_to_the_invoice(lines: list[InvoiceLine]) -> None:
    """Net, tax and total; and no part's tax is further from its own than a minor unit for each rate. Without cost centres there is nothing to split."""
    taxes = tax_sums(lines)
    parts = parts_of(lines, taxes)
    if not any(one.cost_centre for one in lines):
        assert parts == ()
        return
    net_minor, tax_minor = sum(one.net_minor for one in lines), sum(tax.tax_minor for tax in taxes)
    assert sums(parts) == (len(lines), net_minor, tax_minor, net_minor + tax_minor)
    for part in parts:
        own = [one for one in lines if one.cost_centre == part.cost_centre]
        exact = sum((one.net_minor * Decimal(one.tax_percent) / 100 for one in own), Decimal())
        assert abs(part.tax_minor - exact) < len({one.tax_group for one in own} or {""})


def noted(lines: list[InvoiceLine], taken: list[int], residue_minor: int) -> tuple[list[NoteLine], list[TaxSum]]:
    """A note over so much of each line, whose taxes are some units off what its own net comes to, as those of a last note may be."""
    same = ("order", "item", "from_day", "to_day", "tax_group", "tax_category", "tax_percent")
    off = [
        NoteLine(line=place, description="", net_minor=net_minor, **{name: getattr(one, name) for name in same})
        for place, (one, net_minor) in enumerate(zip(lines, taken, strict=False), 1)
        if net_minor
    ]
    taxes = tax_sums(lines[one.line - 1].model_copy(update={"net_minor": one.net_minor}) for one in off)
    return off, [tax.model_copy(update={"tax_minor": tax.tax_minor + residue_minor}) for tax in taxes]


@hypothesis.given(LINES, st.lists(st.integers(-3_000, 3_000), min_size=40, max_size=40), st.integers(-3, 3))
def test_the_parts_of_a_note_sum_to_the_note(lines: list[InvoiceLine], taken: list[int], residue_minor: int) -> None:
    """Split as the lines are that it lowers, with whatever was left of a tax; a note that touches no cost centre's line is not split."""
    off, taxes = noted(lines, taken, residue_minor)
    parts = parts_of_note(off, taxes, lines)
    whose = {lines[one.line - 1].cost_centre for one in off}
    if not any(whose):
        assert parts == ()
        return
    net_minor, tax_minor = sum(one.net_minor for one in off), sum(tax.tax_minor for tax in taxes)
    assert sums(parts) == (len(off), net_minor, tax_minor, net_minor + tax_minor)
    assert [part.cost_centre for part in parts] == sorted(whose)


def test_tax_worked_out_for_each_part_would_not_sum() -> None:
    """The control: three parts of 12.48 at 20 % have 2.50 of tax each, 7.50 in all, and the invoice 7.49."""
    lines = [line(name, 1248, RATES[0]) for name in ("HULL", "LEEDS", "YORK")]
    taxes = tax_sums(lines)

    assert 3 * tax_on(1248, Decimal(20)) == 750
    assert [tax.tax_minor for tax in taxes] == [749]
    assert [part.tax_minor for part in parts_of(lines, taxes)] == [250, 250, 249]
