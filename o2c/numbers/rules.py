"""Taking numbers in, assigning them, resting them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from o2c.kernel.decision import Decision, Guard, just
from o2c.kernel.identifiers import e164
from o2c.kernel.refusal import Refused
from o2c.kernel.stream import Work
from o2c.numbers.events import (
    NumberAssigned,
    NumberBroughtIn,
    NumberChanged,
    NumberQuarantined,
    NumberReceived,
    NumberReleased,
    NumberRested,
    NumbersAnnounced,
    NumbersArrived,
    NumberTaken,
)
from o2c.numbers.state import stream_of

CLASSES = frozenset({"normal", "golden"})
COLUMNS = ("msisdn", "class")


def announce(*, rows: tuple[tuple[str, ...], ...], at: datetime) -> NumbersAnnounced:
    """A delivery of numbers for a time. Raises Refused naming the first row that is no E.164 number, of unknown class, or double."""
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        try:
            msisdn, number_class = e164(row[0]), row[1]
        except (ValueError, IndexError) as error:
            raise Refused(f"numbers: row {number}: {error}; nothing of the file was taken in, correct it and load it again") from None
        if number_class not in CLASSES or msisdn in seen:
            why = f"class is not one of {sorted(CLASSES)}" if number_class not in CLASSES else f"the same number as row {seen[msisdn]}"
            raise Refused(f"numbers: row {number}: {why}; nothing of the file was taken in, correct it and load it again")
        seen[msisdn] = number
    return NumbersAnnounced(due_at=at, rows=rows)


def arrival_streams(work: Work) -> tuple[str, ...]:
    return tuple(stream_of(row[0]) for row in work.state.rows)


def arrive(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Take a delivery in; numbers already known stay as they are."""
    fresh = [row for row in work.state.rows if work.read.get(stream_of(row[0])) is None]
    pools: dict[str, int] = {}
    for _, number_class in fresh:
        pools[f"number/{number_class}"] = pools.get(f"number/{number_class}", 0) + 1
    received = tuple((stream_of(msisdn), NumberReceived(msisdn=msisdn, number_class=number_class)) for msisdn, number_class in fresh)
    return Decision((NumbersArrived(attempt=work.attempt, pools=pools),), received)


def pool_of(work: Work) -> str:
    return "number/normal"


def assign(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Take the candidate; its guard decides whether it is still free."""
    msisdn = data["msisdn"]
    temporary = "portInNumber" in work.subject.characteristics
    return Decision(
        (NumberAssigned(item=work.item, attempt=work.attempt, msisdn=msisdn, temporary=temporary),),
        ((stream_of(msisdn), NumberTaken(msisdn=msisdn, order=work.stream.removeprefix("order-"), item=work.item)),),
        takes=(work.guard("number", msisdn),),
    )


def release(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Give the number back; it rests before anybody else gets it. Source: the market's numbering rules."""
    if work.outcomes.get("number-change"):
        return just()  # it rests already, since the number brought in took its place
    msisdn = outcome["msisdn"]
    rest = NumberQuarantined(msisdn=msisdn, due_at=at + timedelta(days=work.market.numbering.quarantine_days_min))
    return just(NumberReleased(item=work.item, msisdn=msisdn)) + Decision(
        elsewhere=((stream_of(msisdn), rest),),
        frees=(work.guard("number", msisdn),),
    )


def guards_of_change(work: Work) -> tuple[Guard, ...]:
    return (work.guard("number", work.outcomes["cutover"]["msisdn"]),)


def change_flaw(work: Work, at: datetime) -> str:
    return "NP-NOTPORT" if any(holder != work.holder for holder in work.guards.values()) else ""


def change(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Put the number brought in in the place of the temporary one, which rests."""
    msisdn, replaced = work.outcomes["cutover"]["msisdn"], work.outcomes["number"]["msisdn"]
    rest = NumberQuarantined(msisdn=replaced, due_at=at + timedelta(days=work.market.numbering.quarantine_days_min))
    brought = NumberBroughtIn(msisdn=msisdn, order=work.stream.removeprefix("order-"), item=work.item)
    return Decision(
        (NumberChanged(item=work.item, attempt=work.attempt, msisdn=msisdn, replaced=replaced),),
        ((stream_of(msisdn), brought), (stream_of(replaced), rest)),
        frees=(work.guard("number", replaced),),
    )


def rested(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """A number that rested is on offer again."""
    return just(NumberRested(attempt=work.attempt, msisdn=work.state.resting))
