"""The plan of an order: its lines, their steps and what they wait for, pinned prices."""

import pytest

from o2c.orders.events import PlannedItem
from o2c.orders.planning import commitment_minor, plan_order
from tests.given import BOOK, CATALOGUE, MONDAY, PORTING, Document, captured, item

PHYSICAL = {"simType": "physical"}


def planned(*items: Document) -> tuple[PlannedItem, ...]:
    return plan_order(captured(*items), BOOK, MONDAY).items


def steps(line: PlannedItem) -> dict[str, tuple[str, ...]]:
    return {step.step: step.waits for step in line.steps}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        pytest.param({}, "sim number esim activation esim-download charging", id="esim"),
        pytest.param(PHYSICAL, "sim number delivery activation charging", id="physical"),
        pytest.param(PORTING, "sim number porting esim activation esim-download charging cutover number-change", id="esim-and-port-in"),
        pytest.param(
            {**PHYSICAL, **PORTING}, "sim number porting delivery activation charging cutover number-change", id="physical-port-in"
        ),
        pytest.param(
            {"portInNumber": ""},
            "sim number porting esim activation esim-download charging cutover number-change",
            id="empty-number-is-judged",
        ),
        pytest.param({"portInCode": "ABC123456"}, "sim number esim activation esim-download charging", id="code-without-number"),
    ],
)
def test_the_steps_of_a_line_follow_from_what_was_wanted(wanted: dict[str, str], names: str) -> None:
    """A parcel for a physical SIM, a profile for an eSIM, and the porting steps only for a line that brings its number."""
    [line] = planned(item(characteristics=wanted))
    assert " ".join(steps(line)) == names


def test_steps_wait_for_those_of_their_item_that_are_planned() -> None:
    """Activation waits for SIM, number and what brings the SIM; charging for activation; the cut-over for the donor."""
    [line] = planned(item(characteristics={**PHYSICAL, **PORTING}))
    assert steps(line) == {
        "sim": (),
        "number": (),
        "porting": (),
        "delivery": ("sim",),
        "activation": ("sim", "number", "delivery"),
        "charging": ("activation",),
        "cutover": ("porting",),
        "number-change": ("cutover",),
    }


@pytest.mark.parametrize(
    ("sold", "names"),
    [
        pytest.param("line", "sim number esim activation esim-download charging", id="mobile"),
        pytest.param("fibre", "qualification appointment activation charging", id="access"),
        pytest.param("roaming", "activation charging", id="add-on"),
    ],
)
def test_each_specification_has_its_steps(sold: str, names: str) -> None:
    """A line needs stock and its profile, an access a visit, an add-on nothing but to be switched on."""
    [line] = planned(item(sold=sold))
    assert " ".join(steps(line)) == names


@pytest.mark.parametrize(
    ("items", "names"),
    [
        pytest.param([item("1")], "1", id="one-keeps-its-id"),
        pytest.param([item("1", quantity=3)], "1#1 1#2 1#3", id="three-of-one"),
        pytest.param([item("1", quantity="02")], "1#1 1#2", id="a-leading-zero"),
        pytest.param([item("1", quantity=2), item("2")], "1#1 1#2 2", id="only-where-there-are-several"),
        pytest.param([item("b", "office", productOrderItem=[item("1"), item("2")])], "1 2", id="lines-of-a-bundle"),
        pytest.param([item("b", "office", quantity=2, productOrderItem=[item("1", quantity=2)])], "1#1 1#2 1#3 1#4", id="two-bundles-of-two"),
        pytest.param([item("1"), item("2", action="noChange")], "1", id="what-stays-is-not-planned"),
        pytest.param(
            [item("a", "office", productOrderItem=[item("b", "office", quantity=3, productOrderItem=[item("1")])])], "1#1 1#2 1#3", id="deep"
        ),
    ],
)  # fmt: skip
def test_quantity_n_is_n_lines(items: list[Document], names: str) -> None:
    """Every piece is a line of its own, also of bundles of bundles; the quantities around a line multiply its own."""
    assert " ".join(line.item for line in planned(*items)) == names


def test_twenty_bundles_deep_is_still_one_line() -> None:
    """Bundles nest to any depth that can be read."""
    inner = item("line")
    for n in range(20):
        inner = item(f"b{n}", "office", productOrderItem=[inner])
    assert [line.item for line in planned(inner)] == ["line"]


@pytest.mark.parametrize(
    ("items", "name", "relies_on"),
    [
        pytest.param([item("1"), item("2", "roaming", relies_on=("1",))], "2", ("1",), id="one-on-one"),
        pytest.param([item("1", quantity=2), item("2", "roaming", relies_on=("1",), quantity=2)], "2#2", ("1#2",), id="turn-by-turn"),
        pytest.param([item("1"), item("2", "roaming", relies_on=("1",), quantity=2)], "2#2", ("1",), id="many-on-one"),
        pytest.param([item("1", quantity=3), item("2", "roaming", relies_on=("1",))], "2", ("1#1",), id="one-on-the-first-of-many"),
        pytest.param([item("b", "office", productOrderItem=[item("1"), item("2")]), item("3", relies_on=("b",))], "3", ("1", "2"), id="bundle"),
        pytest.param([item("1"), item("b", "office", relies_on=("1",), productOrderItem=[item("2")])], "2", ("1",), id="by-its-bundle"),
        pytest.param([item("1", action="noChange"), item("2", relies_on=("1",))], "2", (), id="on-what-is-there-already"),
        pytest.param([item("1"), item("2", relies_on=("1", "1"))], "2", ("1",), id="twice-on-the-same"),
    ],
)  # fmt: skip
def test_relying_on_an_item_gates_activation_only(items: list[Document], name: str, relies_on: tuple[str, ...]) -> None:
    """What relies on another line prepares itself at once and is activated after it; relying on a bundle is on all of its lines."""
    line = next(line for line in planned(*items) if line.item == name)
    across = [wait for waits in steps(line).values() for wait in waits if "/" in wait]
    assert line.relies_on == relies_on
    assert across == [f"{base}/esim-download" for base in relies_on]
    assert set(across) <= set(steps(line)["activation"])


def test_what_relies_on_a_line_waits_until_the_customer_has_it() -> None:
    """A physical line is there when it is on, an eSIM when it is downloaded, an access when it is on."""
    bases = item("1", characteristics=PHYSICAL), item("2"), item("3", "fibre")
    add_on = planned(*bases, item("4", "roaming", relies_on=("1", "2", "3")))[-1]
    assert steps(add_on)["activation"] == ("1/activation", "2/esim-download", "3/activation")


def test_each_line_of_an_item_brings_its_own_number() -> None:
    """The item says one number a line; a code of its own is the line's, the item's is for all the others."""
    wanted = {**PORTING, "portInNumber#2": "+447700900124", "portInNumber#3": "+447700900125", "portInCode#3": "XYZ987654"}
    lines = planned(item(quantity=3, characteristics=wanted))
    assert [(line.characteristics["portInNumber"], line.characteristics["portInCode"]) for line in lines] == [
        (PORTING["portInNumber"], PORTING["portInCode"]), ("+447700900124", PORTING["portInCode"]), ("+447700900125", "XYZ987654"),
    ]  # fmt: skip
    assert all("porting" in steps(line) for line in lines)


def test_prices_terms_and_wishes_are_pinned() -> None:
    """The plan keeps what the offering and the channel said; characteristics the offering does not know stay out."""
    order = plan_order(captured(item(characteristics={"colour": "red", "commitmentMonths": "24"})), BOOK, MONDAY)
    [line] = order.items
    assert (line.recurring_minor, line.one_time_minor, line.commitment_months) == (1999, 1000, 24)
    assert line.characteristics == {"simType": "esim", "commitmentMonths": "24"}
    assert (order.account, order.currency, order.catalogue_version) == ("BA-1001", "GBP", 1)


def test_how_a_price_applies_is_pinned() -> None:
    """Period and tax group of the offering's price stand in the plan, so that a later price list changes nothing of it."""
    terms = [line.terms for line in planned(item("1"), item("2", "care-year"), item("3", "care-quarter"))]
    assert [(each.period_unit, each.period_length, each.recurring_tax_group) for each in terms] == [
        ("month", 1, "standard"), ("year", 1, "standard"), ("month", 3, "standard"),
    ]  # fmt: skip


def test_what_a_line_left_out_has_its_default() -> None:
    """A default is planned as if it had been chosen; an optional characteristic without one stays out."""
    [line] = planned(item(sold="easy", product={}))
    assert line.characteristics == {"simType": "esim", "commitmentMonths": "12"}
    assert line.commitment_months == 12


@pytest.mark.parametrize(
    ("items", "minor"),
    [
        # 1999 a month and 1000 once for a line, 4475 and 1000 for fibre, 700 for roaming.
        pytest.param([item()], 12 * 1999 + 1000, id="a-year"),
        pytest.param([item(characteristics={"commitmentMonths": "1"})], 1999 + 1000, id="a-month"),
        pytest.param([item(quantity=3)], 3 * (12 * 1999 + 1000), id="three"),
        pytest.param([item(sold="roaming")], 700, id="no-term-is-a-month"),
        pytest.param([item(sold="roaming", characteristics={"commitmentMonths": "x"})], 700, id="a-term-nobody-sells"),
        pytest.param([item("1"), item("2", "fibre")], 12 * 1999 + 1000 + 12 * 4475 + 1000, id="together"),
        pytest.param([item("b", "office", quantity=2, productOrderItem=[item("1", "roaming")])], 1400, id="in-two-bundles"),
        pytest.param([item("1"), item("2", "fibre", action="noChange")], 12 * 1999 + 1000, id="what-stays-is-not-new"),
        pytest.param([item(sold="care-quarter")], 4 * 3000 + 500, id="a-year-of-quarters"),
        pytest.param([item(sold="care-quarter", characteristics={"commitmentMonths": "1"})], 3000 + 500, id="a-quarter-is-owed-whole"),
        pytest.param([item(sold="care-year")], 12_000, id="a-year-is-owed-whole"),
        pytest.param([item(sold="care-week")], 5 * 700, id="weeks-that-begin-from-5-january-to-4-february"),
    ],
)
def test_credit_is_asked_for_all_that_is_committed(items: list[Document], minor: int) -> None:
    """The recurring price for each of its periods that begins within the committed months, plus one-time prices, over every line, net."""
    assert commitment_minor(captured(*items), CATALOGUE) == minor
