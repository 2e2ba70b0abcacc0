"""Prepaid money of an account, and the units that sessions hold, at any instant."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from o2c.engine.app import Engine
from o2c.kernel.charges import account_stream
from o2c.kernel.periods import stamp
from o2c.kernel.refusal import Refused
from o2c.store import queries
from o2c.views.shown import HoldShown, PrepaidReturnedShown, PrepaidShown

if TYPE_CHECKING:
    from o2c.quota.events import PrepaidReturned
    from o2c.quota.state import Hold


def show_prepaid(app: Engine, account: str, *, at: datetime | None = None) -> PrepaidShown:
    """The prepaid balance of an account with its top-ups, and the units that sessions hold, at an instant (now, unless said).

    Zero where nothing was topped up. Raises Refused: missing (no such account), usage (a time to come).
    """
    from o2c.quota.state import QuotaState, stream_of

    streams, now = (account_stream(account), stream_of(account)), app.clock().now
    loaded = app.load(streams)
    opened, state = loaded[streams[0]].state, loaded[streams[1]].state
    if not opened.customer:
        raise Refused(f"no account {account[:60]}; see `o2c customers show`", kind="missing")
    if at is not None and at > now:
        raise Refused(f"account {account}: {stamp(at)} has not come; name an instant that is over")
    if at is not None and loaded[streams[1]].version:
        state = app.replay(streams[1], app.reads.rows(queries.VERSION_AT, streams[1], at)[0]["version"])
    when, quota = at or now, state if isinstance(state, QuotaState) else QuotaState()
    return {
        "account": account,
        "currency": quota.currency or opened.currency,
        "balance_minor": quota.balance_minor(when),
        "top_ups": [
            {
                "reference": one.reference,
                "amount_minor": one.amount_minor,
                "left_minor": one.left_minor if one.expires_at is None or when < one.expires_at else 0,
                "expires_at": stamp(one.expires_at) if one.expires_at else "",
            }
            for one in quota.top_ups
        ],
        "holds": [_hold(one) for one in quota.held(when)],
        "returned": [_returned(one) for one in quota.returned],
        "at": stamp(when),
    }


def _returned(event: PrepaidReturned) -> PrepaidReturnedShown:
    return {
        "amount_minor": event.amount_minor,
        "fee_minor": event.fee_minor,
        "references": list(event.references),
        "refunds": list(event.refunds),
        "asked_on": event.asked_on,
        "refund_by": event.refund_by,
    }


def _hold(hold: Hold) -> HoldShown:
    order, _, item = hold.owner.rpartition("/")
    return {
        "session": hold.session,
        "order": order,
        "item": item,
        "usage": hold.usage,
        "zone": hold.zone,
        "unit": hold.unit,
        "granted": hold.granted,
        "began_at": stamp(hold.began_at),
        "valid_until": stamp(hold.valid_until),
    }
