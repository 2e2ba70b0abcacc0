"""Plans by which a debt is paid in parts: what may be agreed, what keeps one and what breaks it, and where collections go on."""

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.collections.events import BarRequested, OfNotice, PlanBroken, PlanKept, PlanPartKept, StageEntered
from o2c.kernel.refusal import Refused
from tests.owing import Owing

FIFTY = 5_000
PARTS = ((20, 2_000), (50, 2_000), (80, 1_000))


def planned(day: int = 12) -> Owing:
    """An account that was warned on the tenth day and has agreed on three parts."""
    return Owing().owes(FIFTY).until(day).plans(*PARTS)


def stages_since(owing: Owing, day: int) -> list[tuple[int, str]]:
    return [(when, event.stage) for when, event in owing.told(StageEntered) if when > day and isinstance(event, StageEntered)]


def test_a_plan_that_is_kept_holds_collections_to_its_end() -> None:
    """Ninety days in which nobody is written to and no line is barred; each part is said to be kept, then the plan, then all is cleared."""
    owing = planned().until(19).pays(3_000).until(50).pays(1_000).until(79).pays(0).until(120)

    assert owing.days(PlanPartKept) == [19, 50, 79]
    assert owing.days(PlanKept) == [79]
    assert (stages_since(owing, 12), owing.days(BarRequested), owing.state.stages) == ([], [], {})
    assert max(owing.days(OfNotice)) == 10


def test_a_part_that_is_late_breaks_the_plan_and_the_stage_that_is_due_comes() -> None:
    """Nothing came by the 20th day: five days are waited, then it is broken, and the warning of the 10th day is what the bar rests on."""
    owing = planned().until(40)

    [(day, broken)] = owing.told(PlanBroken)
    assert isinstance(broken, PlanBroken)
    assert (day, broken.cause, broken.due_minor, broken.paid_minor) == (26, "late", 2_000, 0)
    assert stages_since(owing, 12) == [(26, "soft-bar"), (30, "hard-bar")]


def test_a_plan_agreed_before_any_warning_is_followed_by_one_and_not_by_a_bar() -> None:
    """Broken on the 36th day, when a hard bar would be due: the customer is warned first, and barred a week later."""
    owing = Owing().owes(FIFTY).until(4).plans((30, 2_500), (60, 2_500)).until(59)

    assert stages_since(owing, 4) == [(36, "final-notice"), (43, "hard-bar")]


@pytest.mark.parametrize(
    ("day", "broken"), [pytest.param(25, [], id="the last day that is waited"), pytest.param(26, [26], id="a day more")]
)
def test_a_part_is_late_when_the_market_s_days_are_over(day: int, broken: list[int]) -> None:
    """A part of the 20th day may come up to and including the 25th."""
    owing = planned().until(day).pays(3_000)
    assert (owing.days(PlanBroken), len(owing.days(PlanPartKept))) == (broken, 1 - len(broken))


def test_what_falls_due_beside_a_plan_is_paid_or_breaks_it() -> None:
    """A bill of the 15th day that is five days late: the plan is over though its own first part came."""
    owing = planned().until(15).pays(3_000).owes(900, "INV-2", due=15).until(21)

    [(day, broken)] = owing.told(PlanBroken)
    assert isinstance(broken, PlanBroken)
    assert (day, broken.cause, broken.invoice, broken.due_minor) == (21, "further-debt", "INV-2", 900)


def test_what_is_credited_or_in_dispute_is_not_late() -> None:
    """A credit counts as money does; what is disputed keeps no part and breaks none until it is settled."""
    owing = planned().owes(3_500, cause="credit").until(18).disputes(500, open_minor=3_500).until(40)
    assert (owing.days(PlanBroken), owing.days(PlanPartKept)) == ([], [])
    owing.settles("operator")
    assert (owing.days(PlanBroken), owing.state.plan) == ([40], None)


def test_a_payment_that_is_charged_back_is_owed_again() -> None:
    """Both parts had come; the bank takes the money back, and at the next part's last day too little is there."""
    owing = planned().until(19).pays(3_000).until(49).pays(1_000).owes(FIFTY).until(60)
    assert [event.paid_minor for _, event in owing.told(PlanBroken) if isinstance(event, PlanBroken)] == [0]


def test_after_one_broken_plan_none_more_is_agreed() -> None:
    """As many as the market says; it is forgotten when all was paid."""
    owing = planned().until(30)
    with pytest.raises(Refused, match="1 plans were broken"):
        owing.plans((40, 2_500), (50, 2_500))
    owing.pays(0).until(40).owes(FIFTY, due=40).until(41).plans((60, 2_500), (90, 2_500))
    assert owing.state.plan is not None


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        pytest.param(((20, 5_000),), "2 to 12 parts", id="one part"),
        pytest.param(tuple((20 + day, 100) for day in range(13)), "2 to 12 parts", id="too many"),
        pytest.param(((20, 2_000), (50, 2_999)), "must sum to 50.00 GBP", id="a penny too little"),
        pytest.param(((20, 2_000), (50, 3_001)), "must sum to 50.00 GBP", id="a penny too much"),
        pytest.param(((11, 2_000), (50, 3_000)), "the days of a plan", id="a day that is over"),
        pytest.param(((50, 2_000), (20, 3_000)), "the days of a plan", id="out of order"),
        pytest.param(((20, 2_000), (20, 3_000)), "the days of a plan", id="one day twice"),
        pytest.param(((20, 2_000), (12 + 367, 3_000)), "the days of a plan", id="too far off"),
        pytest.param(((20, 6_000), (50, -1_000)), "more than nothing", id="a part below nothing"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(parts: tuple[tuple[int, int], ...], said: str) -> None:
    """One line says what it must be."""
    with pytest.raises(Refused, match=said) as refused:
        Owing().owes(FIFTY).until(12).plans(*parts)
    assert refused.value.kind == "usage"


@pytest.mark.parametrize(
    ("owing", "said"),
    [
        pytest.param(Owing(), "owes nothing in GBP", id="nothing owed"),
        pytest.param(Owing().owes(FIFTY).promises(100, days=3), "a promise for", id="a promise"),
        pytest.param(Owing().owes(FIFTY).plans((20, 1_000), (30, 4_000)), "a plan up to", id="another plan"),
        pytest.param(Owing().owes(FIFTY).disputes(100), "a part of the debt is in dispute", id="a dispute"),
        pytest.param(Owing().owes(FIFTY).disputes(FIFTY), "all of the debt is in dispute", id="a dispute of all"),
        pytest.param(Owing().owes(FIFTY).until(95), "Example Collections Ltd", id="an agency"),
    ],
)
def test_a_plan_stands_alone(owing: Owing, said: str) -> None:
    """What else is agreed, disputed or given away stands against it."""
    with pytest.raises(Refused, match=said) as refused:
        owing.plans((100, 2_000), (150, 3_000))
    assert refused.value.kind == "conflict"


def test_a_promise_beside_a_plan_is_refused() -> None:
    """The parts are what is promised."""
    with pytest.raises(Refused, match="a plan up to"):
        planned().promises(100, days=3)


@hypothesis.settings(max_examples=80, deadline=None)
@hypothesis.given(
    st.lists(st.integers(1, 3_000), min_size=2, max_size=6),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4_000)), max_size=8),
)
def test_a_plan_ends_once_by_what_came(amounts: list[int], payments: list[tuple[int, int]]) -> None:
    """Whatever is paid when: it is kept if and only if each part was covered in time, and ends once; parts are kept in order, each once."""
    owed, day, came = sum(amounts), 0, [(0, 0)]
    days = [20 * number for number in range(1, len(amounts) + 1)]
    owing = Owing().owes(owed).plans(*zip(days, amounts, strict=True))
    for later, amount in payments:
        day += later
        paid = min(came[-1][1] + amount, owed)
        owing.until(day)
        if paid > came[-1][1]:
            owing.pays(owed - paid)
            came.append((day, paid))
    owing.until(max(day, days[-1]) + 10)

    kept = all(max(paid for when, paid in came if when <= last + 5) >= sum(amounts[: number + 1]) for number, last in enumerate(days))
    assert (len(owing.days(PlanKept)), len(owing.days(PlanBroken))) == ((1, 0) if kept else (0, 1))
    numbers = [event.number for _, event in owing.told(PlanPartKept) if isinstance(event, PlanPartKept)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert owing.state.plan is None
