"""The desk for the books: closing a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.ledger import rules
from o2c.ledger.digest import digest_of
from o2c.ledger.events import AccountTotal, LedgerClosed
from o2c.ledger.state import STREAM, LedgerState
from o2c.views.following import last_event
from o2c.views.ledger import accounts_on, postings_between, today
from o2c.views.reading import all_seen


def close_ledger(app: Engine, context: Context, day: date) -> Written:
    """Close the books up to the end of a day, for good: nothing is posted to it any more, and what comes later is posted on the first open
    day.

    What readers of the log see now is in it. A day that is the last one closed already is a repeat. Closed days are not opened again,
    whoever asks: a mistake is put right by another posting. Raises Refused: usage (the day is not over), conflict (a later day is closed;
    closed by somebody else meanwhile; the books do not balance), unavailable (readers are held up: nobody can say what belongs to the day).
    """
    upto = last_event(app).position
    all_seen(app)
    state: LedgerState = app.load_one(STREAM).state
    closed = _closing(app, state, day, upto) if day.isoformat() > state.day else _closed_before(state, day)

    def rule(state: LedgerState, at: datetime) -> Decision:
        return rules.close(state, closed, today=today(app))

    return act(app, context, "ledger.close", Deed(STREAM, (rule,), ["close", day.isoformat()]))


def _closed_before(state: LedgerState, day: date) -> LedgerClosed:
    return LedgerClosed(day=day.isoformat(), since=state.day, upto=0, postings=0, late=0, totals=(), digest="")


def _closing(app: Engine, state: LedgerState, day: date, upto: int) -> LedgerClosed:
    since = date.fromisoformat(state.day) + timedelta(1) if state.day else None
    made = [row for row in postings_between(app, since, day, upto=upto) if since is None or row["day"] >= since]
    totals = tuple(AccountTotal.model_validate(row) for row in accounts_on(app, day, day, upto=upto) if row["balance_minor"])
    return LedgerClosed(
        day=day.isoformat(),
        since=state.day,
        upto=upto,
        postings=len(made),
        late=sum(row["of_day"] is not None for row in made),
        totals=totals,
        digest=digest_of(state.digest, made),
    )
