"""What the program that proves claims of a run in trouble: each claim holds for a sound log, and fails for one with the flaw that it is about."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import person, trouble
from tests.book import Effects, Entry, effects
from tests.fates import Claim
from tests.recount import Figure, Recount, figures, left, worked_s
from tests.show import agrees, same_queue

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
ELEVEN = NINE + timedelta(hours=2)
NOW = datetime(2026, 1, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OUTAGE = "outage-1"
Records = list[dict[str, Any]]


def event(name: str, stream: str, at: datetime, *, actor: str = "engine", causation: str = "", **data: Any) -> dict[str, Any]:
    """A record as `o2c events find` prints it; its place is given when the log is complete."""
    return {"type": name, "stream": stream, "occurred_at": at.isoformat(), "actor": actor, "causation": causation, "data": data}


def numbered(records: Records) -> Records:
    return [{**record, "id": f"e{n}", "position": str(n)} for n, record in enumerate(records)]


def call(name: str, order: str, at: datetime, **more: Any) -> dict[str, Any]:
    return event(name, order, at, actor="make-parked-calls", causation="up", item="1", step="activation", attempt=1, outage=OUTAGE, **more)


def of_an_order(number: int, priority: int, day: str) -> Records:
    order, at = f"order-{number}", NINE + number * MINUTE
    return [
        event("order.captured", order, at, priority=priority, market="GB@2026-01", lines=[{"item": "1"}]),
        event("order.planned", order, at, items=[{"item": "1", "line": "1", "promised_on": day, "recurring_minor": 1999, "one_time_minor": 0}]),
        event("activation.requested", order, at, item="1", due_at=at.isoformat()),
        call("call.parked", order, at + MINUTE),
    ]  # fmt: skip


def log() -> Records:
    """Three orders meet a network that is away for two hours; their calls are made again, each is done, and one fell out before it showed."""
    planned = [{"kind": "outage", "percent": "100", "starts_at": NINE.isoformat(), "ends_at": ELEVEN.isoformat()}]
    down = {"partner": "network", "outage": OUTAGE, "since": NINE.isoformat(), "calls": 8}
    up = {"partner": "network", "outage": OUTAGE, "up_at": ELEVEN.isoformat(), "rate_per_min": 2}
    asked = {"partner": "network", "answer": "failed"}
    fell = {"item": "1", "fallout": "F", "reason": "NET-HLR", "queue": "network", "partner_code": "UNAVAILABLE", "asked": asked}
    orders = [*of_an_order(1, 2, "2026-01-07"), *of_an_order(2, 4, "2026-01-06"), *of_an_order(3, 4, "2026-01-08")]
    made = [call("call.resumed", f"order-{n}", ELEVEN, due_at=(ELEVEN + n * MINUTE / 2).isoformat()) for n in (1, 2, 3)]
    done = [event("service.activated", f"order-{n}", ELEVEN + n * MINUTE, item="1") for n in (1, 2, 3)]
    first = [
        event("activation.requested", "order-9", NINE, item="1", due_at=NINE.isoformat()),
        event("activation.fell-out", "order-9", NINE, **fell),
    ]
    return [
        event("partner.faults-planned", "partner-network", NINE, partner="network", faults=planned),
        *first,
        event("partner.went-down", "partner-network", NINE + MINUTE / 2, **down),
        *orders,
        event("partner.came-up", "partner-network", ELEVEN, **up),
        *made,
        *done,
        event("service.activated", "order-9", ELEVEN, item="1"),
    ]  # fmt: skip


def entry(number: int, how: str = "submit", answer: str = "done", attempt: int = 1) -> Entry:
    return Entry("network", how, (f"order-{number}", "1", "activation"), attempt, ELEVEN, answer)


BOOK = [entry(1), entry(2, answer="silent"), entry(2, "query"), entry(3)]


def claimed(records: Records, book: Sequence[Entry] = BOOK) -> dict[str, Claim]:
    told = trouble.claims(trouble.story_of(numbered(records)), effects(book), orders_min=3)
    return {claim.name.partition(": ")[2] or claim.name: claim for claim in told}


def index(records: Records, name: str, order: str) -> int:
    return next(n for n, record in enumerate(records) if (record["type"], record["stream"]) == (name, order))


def without(name: str, order: str) -> Callable[[Records], Records]:
    return lambda records: [record for record in records if (record["type"], record["stream"]) != (name, order)]


def changed(name: str, order: str, **data: Any) -> Callable[[Records], Records]:
    """The log in which an event says something else."""

    def change(records: Records) -> Records:
        records = deepcopy(records)
        records[index(records, name, order)]["data"] |= data
        return records

    return change


def added(*more: dict[str, Any]) -> Callable[[Records], Records]:
    return lambda records: [*records, *more]


def at_half(minutes: float) -> str:
    return (ELEVEN + minutes * MINUTE / 2).isoformat()


FELL = event(
    "activation.fell-out", "order-3", NINE + 10 * MINUTE, item="1", fallout="G", reason="NET-HLR", queue="network", partner_code="UNAVAILABLE",
    asked={"partner": "network"},
)  # fmt: skip
FLAWS = [
    pytest.param("what was parked was made again", without("call.resumed", "order-2"), id="one is left parked"),
    pytest.param("what was parked was made again", added(call("call.parked", "order-2", NINE), call("call.parked", "order-2", NINE)), id="parked twice"),
    pytest.param("what was parked was made again", without("call.parked", "order-2"), id="made without having been parked"),
    pytest.param("in turn", changed("order.captured", "order-3", priority=1), id="out of priority"),
    pytest.param("in turn", changed("order.planned", "order-2", items=[{"item": "1", "line": "1", "promised_on": "2026-02-01"}]), id="out of days"),
    pytest.param("no faster than the rate", changed("call.resumed", "order-3", due_at=at_half(2.5)), id="three in a minute"),
    pytest.param("nobody fell out for it", added(FELL), id="fell out in it"),
    pytest.param("nobody fell out for it", changed("partner.went-down", "partner-network", calls=1), id="fell out although it showed at once"),
    pytest.param("an outage has at least 3 orders in it", lambda records: [r for r in records if r["stream"] != "order-3"], id="too few"),
]  # fmt: skip


def test_a_sound_log_holds() -> None:
    """All of what is claimed of outages."""
    found = claimed(log())
    assert [name for name, claim in found.items() if not claim.good] == []
    assert "3 done once" in found["each with one effect at the partner"].figures
    assert "1 before the calls showed it" in found["nobody fell out for it"].figures


@pytest.mark.parametrize(("name", "flaw"), FLAWS)
def test_a_flaw_in_the_log_fails_its_claim(name: str, flaw: Callable[[Records], Records]) -> None:
    """The control of each claim."""
    assert not claimed(flaw(log()))[name].good


BOOKS = [
    pytest.param([*BOOK, entry(3, attempt=2)], id="sent again under another key"),
    pytest.param([entry(1), entry(2, answer="silent"), entry(2, attempt=2), entry(3)], id="sent while it may be done"),
    pytest.param([entry(1), entry(2, answer="silent"), entry(2, "query", "nobody"), entry(2, attempt=2), entry(3)], id="a query that met nobody"),
    pytest.param([entry(1), entry(3)], id="never sent"),
    pytest.param([entry(1), entry(2, answer="silent"), entry(2, "query", "never-heard"), entry(3)], id="never heard of"),
]  # fmt: skip


@pytest.mark.parametrize("book", BOOKS)
def test_a_flaw_in_the_books_fails_the_claim_of_one_effect(book: list[Entry]) -> None:
    """Done twice, or not at all though the log says that it was done."""
    assert not claimed(log(), book)["each with one effect at the partner"].good


def test_what_the_log_has_done_anew_or_stopped_is_no_flaw() -> None:
    """A step that is renewed is sent again; one that a person settled, or that fell out for a reason of its own, was never done by the partner."""
    renewed = event("step.renewed", "order-3", ELEVEN + 5 * MINUTE, item="1", step="activation")
    assert claimed([*log(), renewed], [*BOOK, entry(3, attempt=2)])["each with one effect at the partner"].good
    forced = event("step.forced", "order-3", ELEVEN + 5 * MINUTE, item="1", step="activation", actor="ann")
    assert claimed([*log(), forced], BOOK[:-1])["each with one effect at the partner"].good


WORK = [
    pytest.param([("submit", "taken"), ("query", "nobody"), ("query", "done")], Effects(1, False, 0), id="asked twice"),
    pytest.param([("submit", "taken"), ("query", "refused"), ("submit", "done")], Effects(1, False, 0), id="failed, and sent again"),
    pytest.param([("submit", "nobody"), ("submit", "nobody"), ("submit", "done")], Effects(1, False, 0), id="at the third try"),
    pytest.param([("submit", "silent")], Effects(0, True, 0), id="nobody knows"),
    pytest.param([("submit", "done"), ("submit", "done")], Effects(2, False, 1), id="twice"),
]  # fmt: skip


@pytest.mark.parametrize(("calls", "came"), WORK)
def test_what_a_book_comes_to(calls: list[tuple[str, str]], came: Effects) -> None:
    """By the rules of a partner: only an answer has an effect, or a silence that is found to have had one."""
    book = [entry(1, how, answer, attempt=n) for n, (how, answer) in enumerate(calls)]
    assert effects(book) == {book[0].place: came}


ROW = {"fallout": "F", "queue": "network", "owner": "network operations", "next_at": "2026-01-21T09:00:00Z"}
TEAMS, PEOPLE = {"network": "network operations"}, {"F": "ann"}
HELD = [
    pytest.param({}, True, id="with the team"),
    pytest.param({"owner": "ann"}, True, id="with a person"),
    pytest.param({"owner": "network"}, False, id="the name of the queue is no owner"),
    pytest.param({"owner": "ben"}, False, id="somebody of whom the log knows nothing"),
    pytest.param({"owner": ""}, False, id="nobody"),
    pytest.param({"queue": "nowhere"}, False, id="a queue that is none"),
    pytest.param({"next_at": None}, False, id="no date"),
    pytest.param({"next_at": "2026-01-19T09:00:00Z"}, False, id="a date that has passed"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "good"), HELD)
def test_an_open_fallout_is_in_hand(change: dict[str, Any], good: bool) -> None:
    """With a person or a team, and a date to come."""
    assert trouble.in_hand([{**ROW, **change}], TEAMS, PEOPLE, NOW).good is good


def test_the_queue_is_what_the_log_says_is_open() -> None:
    """No row more, and none less."""
    count = Recount(numbered([*log(), {**FELL, "occurred_at": NOW.isoformat()}]))
    assert [claim.good for claim in same_queue([{"fallout": "G"}], count)] == [True]
    assert [claim.good for rows in ([], [{"fallout": "G"}, {"fallout": "F"}]) for claim in same_queue(rows, count)] == [False, False]


# -- what a person did


def job(results: Sequence[str] = ("done",), **told: int) -> tuple[dict[str, Any], Records]:
    """What a job over three fallouts said, and its log."""
    fallouts = ["F", "G", "H"]
    deeds = [
        event("fallout.correction-applied", "order-1", NINE, actor="ann", fallout=fallout, corrected=[])
        for fallout, result in zip(fallouts, results, strict=False)
        if result == "done"
    ]
    items = [{"fallout": fallout, "result": result} for fallout, result in zip(fallouts, results, strict=False)]
    said = {"matched": 3, "done": results.count("done"), "failed": results.count("failed"), "stopped": 3 - len(results)}
    records = [event("job.started", "job-J", NINE, fallouts=fallouts), *deeds, event("job.items-tried", "job-J", NINE, items=items)]
    return {"job": "J", **said, **told}, records


def test_a_job_counts() -> None:
    """Matched is done, failed and stopped, by its own word and by the log; else the claim fails."""
    assert person.counted(*job(["done", "failed"])).good
    assert not person.counted(*job(["done", "failed"], done=2)).good
    assert not person.counted(*job(["done", "failed"], matched=4)).good
    said, records = job(["done", "done"])
    assert not person.counted(said, [*records, records[1]]).good, "one fallout met twice"
    assert not person.counted(said, [record for record in records if record["type"] != "fallout.correction-applied"]).good


def screen(words: int, waited_s: float = 2.0, keys: int = 30) -> person.Screen:
    return person.Screen(("fallout", "groups"), "word " * words, keys, waited_s)


def worked(*screens: person.Screen, foretold: int = 500) -> person.Worked:
    told = {"matched": 500, "done": 500, "failed": 0, "stopped": 0}
    return person.Worked({}, screens, {**told, "done": foretold, "failed": 500 - foretold}, {"job": "J", **told})


def test_a_persons_time_is_thinking_typing_waiting_and_reading() -> None:
    """A minute for the words of a minute, and so on; the claim fails beyond two minutes, and for a group that is too small."""
    one = screen(person.WORDS_PER_MIN, waited_s=3.0, keys=100)
    assert one.person_s == pytest.approx(60 + 3 + 100 * person.KEY_S + person.THOUGHTS * person.THINK_S)
    assert person.in_time(worked(screen(60), screen(20)), 500).good
    assert not person.in_time(worked(screen(60), screen(20)), 501).good
    assert not person.in_time(worked(screen(60, waited_s=120.0)), 500).good
    assert [person.foretold(worked(foretold=count)).good for count in (500, 499)] == [True, False]


# -- figures


def test_figures_are_counted_again_to_the_last_event() -> None:
    """One that differs by an event or by an amount fails."""
    own = figures(Recount(numbered(log())), NOW)["fallouts-per-order"]
    assert (own.numerator, len(own.below or ())) == (0, 3), "order-9 was captured elsewhere"
    figure = Figure([("e1", 2.0), ("e2", 1.0)], ["e1", "e2", "e3"])
    said = {
        "unit": "x",
        "value": 1.0,
        "numerator": 3.0,
        "denominator": 3,
        "events_numerator": ["e2", "e1"],
        "events_denominator": ["e1", "e2", "e3"],
    }
    assert agrees("a", said, figure).good
    for change in ({"numerator": 4.0}, {"events_numerator": ["e1"]}, {"events_denominator": ["e1", "e2"]}):
        assert not agrees("a", {**said, **change}, figure).good


def test_office_hours_are_counted_by_themselves() -> None:
    """From nine to five on working days in London; a wait is cut out of a span wherever it lies."""
    friday, monday = datetime(2026, 1, 9, 16, tzinfo=UTC), datetime(2026, 1, 12, 10, tzinfo=UTC)
    assert worked_s("GB", friday, monday) == 2 * 3600
    assert worked_s("GB", datetime(2026, 4, 3, tzinfo=UTC), datetime(2026, 4, 7, tzinfo=UTC)) == 0, "Easter"
    assert left((NINE, ELEVEN), [(NINE + MINUTE, NINE + 2 * MINUTE), (ELEVEN - MINUTE, NOW)]) == [
        (NINE, NINE + MINUTE),
        (NINE + 2 * MINUTE, ELEVEN - MINUTE),
    ]
