"""A bar without a proven warning is impossible: whatever an account goes through, in whatever order."""

from collections.abc import Callable
from datetime import date
from typing import Any

import hypothesis
from hypothesis import strategies as st

from o2c.collections.events import BarRequested, StageEntered, Warned
from o2c.kernel.arrears import ArrearsChanged
from o2c.kernel.refusal import Refused
from o2c.markets.collecting import Stage
from tests.owing import Owing

INVOICES, CURRENCIES = ("INV-1", "INV-2", "INV-3"), {"INV-1": "GBP", "INV-2": "GBP", "INV-3": "EUR"}
Act = Callable[[Owing, int], Any]
"""Something that happens to an account on a day after its first due day."""


@st.composite
def acts(draw: st.DrawFn) -> Act:
    kind = draw(st.sampled_from(("owes", "owes", "pays", "disputes", "holds", "releases", "promises", "plans")))
    invoice, minor = draw(st.sampled_from(INVOICES)), draw(st.integers(0, 3)) * 1_000
    currency, late = CURRENCIES[invoice], draw(st.integers(0, 40))
    hold = draw(st.sampled_from(("dispute", "vulnerable", "payment-pending", "key-account")))
    days = draw(st.integers(0, 60))
    return {
        "owes": lambda owing, day: owing.owes(minor + 500, invoice, due=day - late, currency=currency),
        "pays": lambda owing, day: owing.pays(minor, invoice, due=day - late, currency=currency),
        "disputes": lambda owing, day: owing.owes(2_000, invoice, due=day - late, currency=currency, cause="dispute", disputed_minor=minor),
        "holds": lambda owing, day: owing.holds(hold),
        "releases": lambda owing, day: owing.releases(hold),
        "plans": lambda owing, day: owing.plans(*_halves(owing, currency, day + days), currency=currency),
        "promises": lambda owing, day: owing.promises(500, days=late % 14, currency=currency),
    }[kind]


def _halves(owing: Owing, currency: str, day: int) -> tuple[tuple[int, int], ...]:
    """All that is owed in a currency in two parts, the first on a day, the second ten days later."""
    owed = sum(arrear.open_minor for arrear in owing.state.collected(currency))
    return (day, owed // 2), (day + 10, owed - owed // 2)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Stage, ...]:
    """Stages of any market: a warning first, and bars of all kinds after it, on whatever days and conditions."""
    actions = draw(st.lists(st.sampled_from(("none", "remind", "warn", "soft-bar", "hard-bar", "terminate")), max_size=5))
    made = [Stage("warning", draw(st.integers(0, 12)), "warn", attempts=draw(st.integers(1, 3)))]
    for number, action in enumerate(actions):
        made.append(Stage(f"stage-{number}", draw(st.integers(0, 60)), action, balance_min_minor=draw(st.sampled_from((1, 2_500)))))  # type: ignore[arg-type] # sampled
    return tuple(reversed(made))


def proven(owing: Owing) -> list[str]:
    """What is wrong with the bars of a history, each held against what was told before it."""
    warned: dict[str, Warned] = {}
    unpaid: set[str] = set()
    wrong = []
    for each in owing.happened:
        event = each.event
        if isinstance(event, ArrearsChanged):
            unpaid = unpaid | {event.invoice} if event.open_minor > event.disputed_minor else unpaid - {event.invoice}
        elif isinstance(event, Warned):
            warned[event.notice] = event
        elif isinstance(event, BarRequested) and event.level:
            found = [warned[notice] for notice in event.notices if notice in warned]
            if len(found) != len(event.notices) or not found:
                wrong.append("a bar with no warning before it")
            for warning in found:
                days = (each.at.date() - date.fromisoformat(warning.told_on)).days
                if days < owing.book.of.collections.warning_days or not unpaid & {owed.invoice for owed in warning.invoices}:
                    wrong.append(f"a bar {days} days after its warning, or of nothing that is unpaid")
    return wrong


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(st.lists(st.tuples(st.integers(0, 20), acts()), max_size=14), tables(), st.integers(1, 14))
def test_no_bar_without_a_proven_warning(history: list[tuple[int, Act]], table: tuple[Stage, ...], warning_days: int) -> None:
    """Every bar names warnings that were given, so many days before, of an invoice that is unpaid as it is barred."""
    owing, day = Owing(stages=table, warning_days=warning_days), 0
    for days, act in history:
        day += days
        owing.until(day)
        try:
            act(owing, day)
        except Refused:
            continue
    owing.until(day + 100)
    assert proven(owing) == []


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.lists(st.tuples(st.integers(0, 20), acts()), max_size=10))
def test_looking_again_changes_nothing(history: list[tuple[int, Act]]) -> None:
    """A look on an account that was just looked at finds what is so already: no stage, no notice, no bar comes of it."""
    owing, day = Owing(), 0
    for days, act in history:
        day += days
        owing.until(day)
        try:
            act(owing, day)
        except Refused:
            continue
    before = len(owing.told(StageEntered, Warned, BarRequested))
    owing.take(owing.book.steps["collections"].request(_work(owing), owing.now, due_at=owing.now))
    owing.until(day)
    assert len(owing.told(StageEntered, Warned, BarRequested)) == before


def _work(owing: Owing) -> Any:
    return owing.carried.kind.work(owing.state, owing.carried.stream, "", "collections", owing.book)


def test_the_law_sees_a_bar_that_nobody_warned_of() -> None:
    """A control: with the warning's own event struck from the history, the law is broken."""
    owing = Owing().owes(5_000).until(30)
    assert proven(owing) == []
    owing.carried.happened = [each for each in owing.happened if not isinstance(each.event, Warned)]
    assert proven(owing) == ["a bar with no warning before it"] * 2
