"""When the books of a day are closed. They are not opened again: what comes later is posted on the first day that is open."""

from __future__ import annotations

from collections import Counter
from datetime import date

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused
from o2c.ledger.events import LedgerClosed
from o2c.ledger.state import LedgerState


def close(state: LedgerState, closed: LedgerClosed, *, today: date) -> Decision:
    """Close the books up to the end of a day that is over; nothing when that day is the last one closed.

    Raises Refused: usage (the day is not over), conflict (a later day is closed already; the books were closed meanwhile up to another day;
    the totals do not sum to zero in every currency).
    """
    if closed.day == state.day:
        return NOTHING
    if date.fromisoformat(closed.day) >= today:
        raise Refused(f"ledger: {closed.day} is not over; close a day before {today}")
    if closed.day < state.day:
        raise Refused(f"ledger: the books are closed up to {state.day} and are not opened again; close a later day", kind="conflict")
    if closed.since != state.day:
        raise Refused(f"ledger: the books were closed up to {state.day} meanwhile; close the day again", kind="conflict")
    sums = Counter[str]()
    for total in closed.totals:
        sums[total.currency] += total.balance_minor
    if wrong := sorted(currency for currency, sum_minor in sums.items() if sum_minor):
        raise Refused(f"ledger: the books of {closed.day} do not balance in {wrong[0]}; run `o2c diagnose`", kind="conflict")
    return just(closed)
