"""Codes of retry class scheduled: when each is tried again, by one table; and that nothing is tried again blindly."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from o2c.fallout.actions import ACTIONS
from o2c.fallout.codes import book_of, checked, misfits, packaged
from o2c.fallout.rules import correct
from o2c.kernel import flow
from o2c.kernel.event import Event
from o2c.kernel.partner import Failed, RefusedBy, Unknown
from o2c.kernel.reasons import MOMENTS, UNSURE, WAITS_BY_ITSELF
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.markets.registry import MARKETS
from o2c.orders.step import KIND
from o2c.plan import STEPS
from tests.given import BOOK, MARKET, MONDAY, PORTING, SEED, Story, item

TABLE = packaged().newest
FRIDAY = MONDAY + timedelta(days=4)
HEAD = 'version = "ours-1"\nvalid_from = "2021-01-01"\n'
ASKING = sorted(name for name, step in STEPS.items() if step.partner)
OF_ORDERS = tuple(step for step in ASKING if step in ("activation", "delivery", "esim", "porting"))


def porting(*, promised_on: str = "", attempt: int = 1, codes: str = "") -> Work:
    """The port-in of an eSIM line that is asked for, promised for a day (empty: for none)."""
    work = Story(item(characteristics=PORTING)).run(until="porting").work("1", "porting")
    return replace(work, promised_on=promised_on, attempt=attempt, codes=book_of((codes,)) if codes else packaged())


def told(work: Work, at: datetime, code: str = "BARRED") -> Sequence[Event]:
    return flow.settle(STEPS["porting"], work, RefusedBy(code), at, seed=SEED).events


@pytest.mark.parametrize(
    ("word", "at", "moment"),
    [
        pytest.param("cut-off", MONDAY, "2026-01-05T16:30:00+00:00", id="the same day"),
        pytest.param("cut-off", MONDAY.replace(hour=16, minute=30), "2026-01-06T16:30:00+00:00", id="too late for today's"),
        pytest.param("cut-off", FRIDAY.replace(hour=18), "2026-01-12T16:30:00+00:00", id="over the weekend"),
        pytest.param(
            "cut-off", datetime.fromisoformat("2026-04-02T18:00:00Z"), "2026-04-07T15:30:00+00:00", id="over Easter, in summer time"
        ),
        pytest.param("next-slot", MONDAY.replace(hour=8), "2026-01-05T09:00:00+00:00", id="before the day begins"),
        pytest.param("next-slot", MONDAY, "2026-01-06T09:00:00+00:00", id="as it begins"),
        pytest.param("next-slot", FRIDAY.replace(hour=12), "2026-01-12T09:00:00+00:00", id="on Monday"),
    ],
)
def test_moments_go_by_the_market_s_calendar(word: str, at: datetime, moment: str) -> None:
    """Working days and local hours, always after the time that is asked about."""
    assert MARKET.next_moment(word, at) == datetime.fromisoformat(moment)


def test_every_scheduled_code_has_its_moment_and_no_other_has() -> None:
    """One table, complete; its words are those that are told on the page."""
    assert {code for code, reason in TABLE.reasons.items() if reason.retry == "scheduled"} == TABLE.scheduled.keys()
    assert set(TABLE.scheduled.values()) <= {*WAITS_BY_ITSELF, *MOMENTS}


def test_what_waits_for_stock_is_what_draws_on_it() -> None:
    """Of every step that takes a piece from a pool the code for an empty pool says stock, and nothing else does."""
    empty = {step.draw.out_of_stock for step in STEPS.values() if step.draw}
    assert {code for code, when in TABLE.scheduled.items() if when == "stock"} == empty


def test_a_bar_is_asked_about_again_before_the_cut_off() -> None:
    """The donor is asked again half an hour before the market's cut-off; then the five tries are used up and a person has it."""
    fell_out, retry = told(porting(), MONDAY)
    assert (fell_out.reason, retry.type_name, retry.attempt, retry.due_at) == (  # type: ignore[attr-defined] # fields of these two classes
        "NP-BAR", "retry.scheduled", 2, MARKET.next_moment("cut-off", MONDAY)
    )  # fmt: skip
    assert [event.type_name for event in told(porting(attempt=TABLE.retries.attempts_max + 1), MONDAY)] == ["porting.fell-out"]


def test_it_is_not_asked_beyond_the_day_promised() -> None:
    """A request that would be made only after the day promised is not made by itself: a person takes over."""
    names = {day: [event.type_name for event in told(porting(promised_on=day), MONDAY)] for day in ("2026-01-05", "2026-01-04")}
    assert names == {"2026-01-05": ["porting.fell-out", "retry.scheduled"], "2026-01-04": ["porting.fell-out", "retry.stopped"]}


@pytest.mark.parametrize(
    ("when", "due_at"),
    [
        pytest.param("36h", MONDAY + timedelta(hours=36), id="a timer"),
        pytest.param("next-slot", MARKET.next_moment("next-slot", MONDAY), id="a slot"),
        pytest.param("money", None, id="waits by itself"),
    ],
)
def test_an_operator_sets_the_moment_of_a_code_of_his(when: str, due_at: datetime | None) -> None:
    """His table says when NP-NAME is tried again, too."""
    file = f'{HEAD}[codes.NP-NAME]\nretry = "scheduled"\n[scheduled]\nNP-NAME = "{when}"\n'
    assert checked(packaged(), file, frozenset(ACTIONS)).scheduled["NP-NAME"] == when
    events = told(porting(codes=file), MONDAY, "NAME-MISMATCH")
    assert [event.due_at for event in events[1:]] == ([due_at] if due_at else [])  # type: ignore[attr-defined] # retry.scheduled has it


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param('[codes.NP-NAME]\nretry = "scheduled"\n', "does not say when", id="no moment"),
        pytest.param('[scheduled]\nNP-NAME = "24h"\n', "no code of retry class scheduled", id="a moment of a code that has none"),
        pytest.param('[scheduled]\nNP-BAR = "at dawn"\n', "not 'at dawn'", id="a word that is none"),
        pytest.param('[codes.unclassified]\nretry = "transient"\nrecoverability = "transient"\n', "asked first", id="blind retries"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(text: str, why: str) -> None:
    """When it is loaded; of a file loaded before this was looked at, diagnose tells."""
    with pytest.raises(Refused, match=why):
        checked(packaged(), HEAD + text, frozenset(ACTIONS))
    assert why in " ".join(misfit.what for _, misfit in misfits((HEAD + text,)))


def test_a_scheduled_code_without_a_moment_waits_for_a_person() -> None:
    """As it did before there were moments: a file of an older program means what it meant."""
    assert [event.type_name for event in told(porting(codes=HEAD + '[codes.NP-NAME]\nretry = "scheduled"\n'), MONDAY, "NAME-MISMATCH")] == [
        "porting.fell-out"
    ]


@pytest.mark.parametrize("step", OF_ORDERS)
@pytest.mark.parametrize("code", sorted({*UNSURE, "silence"}))
def test_an_unknown_outcome_is_asked_about_before_anything_is_tried_again(step: str, code: str) -> None:
    """Whatever the table says, the step is not tried again by itself; and who tries it again has the partner asked first."""
    characteristics = {"simType": "physical"} if step == "delivery" else PORTING
    work = Story(item(characteristics=characteristics)).run(until=step).work("1", step)
    ours = TABLE.steps[step].silence if code == "silence" else code
    for retry, more in (("transient", ""), ("scheduled", f'[scheduled]\n{ours} = "1h"\n'), (TABLE.reasons[ours].retry, "")):
        recoverability = "transient" if retry == "transient" else "correctable"
        forced = replace(TABLE.reasons[ours], retry=retry, recoverability=recoverability)
        table = replace(TABLE, reasons={**TABLE.reasons, ours: forced}, scheduled={**TABLE.scheduled, **({ours: "1h"} if more else {})})
        tried = replace(work, codes=replace(packaged(), versions=(table,)))
        if code == "silence":
            tried = replace(tried, silences=STEPS[step].silences_max)
            decided = flow.settle(STEPS[step], tried, Unknown(MONDAY), MONDAY, seed=SEED)
        else:
            decided = flow.fall_out(STEPS[step], tried, code, MONDAY, seed=SEED)
        assert [event.shape for event in decided.events] == ["fell-out"], (retry, code)

        state = work.state
        for event in decided.events:
            state = KIND.evolve(state, event)
        fallen = KIND.work(state, work.stream, "1", step, BOOK)
        fallen = replace(fallen, silences=STEPS[step].silences_max) if code == "silence" else fallen
        again = correct(STEPS[step], fallen, KIND, BOOK, changes={}, note="", at=MONDAY)
        assert [event.shape for event in again.events] == ["resumed", "silent"], "the partner is queried, nothing is sent"


@pytest.mark.parametrize("pin", sorted(market.pin for versions in MARKETS.values() for market in versions))
@pytest.mark.parametrize("word", MOMENTS)
def test_every_market_has_every_moment(pin: str, word: str) -> None:
    """Within a few days of any day of the year, after a long weekend too."""
    market = next(market for versions in MARKETS.values() for market in versions if market.pin == pin)
    for day in range(0, 366, 5):
        at = MONDAY + timedelta(days=day)
        assert at < market.next_moment(word, at) <= at + timedelta(days=7)


def test_a_control_a_certain_failure_is_tried_again() -> None:
    """What certainly was not done is sent again by itself, under the very same table."""
    work = Story(item(characteristics=PORTING)).run(until="porting").work("1", "porting")
    assert [event.shape for event in flow.settle(STEPS["porting"], work, Failed("UNAVAILABLE"), MONDAY, seed=SEED).events] == [
        "fell-out", "retry"
    ]  # fmt: skip
