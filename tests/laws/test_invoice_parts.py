"""An invoice split by cost centre: the parts are the invoice, to the minor unit, whatever is on it."""

from decimal import Decimal

import hypothesis
from hypothesis import strategies as st

from o2c.invoicing.papers import InvoiceLine, tax_sums
from o2c.invoicing.parts import InvoicePart, parts_of
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


def test_tax_worked_out_for_each_part_would_not_sum() -> None:
    """The control: three parts of 12.48 at 20 % have 2.50 of tax each, 7.50 in all, and the invoice 7.49."""
    lines = [line(name, 1248, RATES[0]) for name in ("HULL", "LEEDS", "YORK")]
    taxes = tax_sums(lines)

    assert 3 * tax_on(1248, Decimal(20)) == 750
    assert [tax.tax_minor for tax in taxes] == [749]
    assert [part.tax_minor for part in parts_of(lines, taxes)] == [250, 250, 249]
