"""The end of what an order holds too long: vouchers are reserved for so many days, after which it goes on without them.

Nobody is asked: the days are a term of the voucher, the order may be cancelled as before, and a second wait would hold what waits already
(decisions/0043).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.periods import parse_time
from o2c.kernel.step import Step
from o2c.kernel.work import Work
from o2c.orders.event_parts import HeldVoucher
from o2c.orders.planning import priced_anew
from o2c.orders.state import OrderState, evolve
from o2c.orders.voucher_events import EXPIRY, VoucherExpiryFellOut, VoucherExpiryRequested, VouchersExpired
from o2c.orders.vouchers import held_by, released

CHARGED = "charging"
"""The step after which what a voucher takes off an item is on its bills."""


def ask_for_expiry(held: tuple[HeldVoucher, ...], since: datetime | None, *, attempt: int = 1) -> Decision:
    """Ask for the next expiry of vouchers that are held for some days, after a time (None: of all); nothing where there is none."""
    due = [parse_time(one.held_until) for one in held if one.held_until]
    later = [until for until in due if since is None or until > since]
    return just(VoucherExpiryRequested(attempt=attempt, due_at=min(later))) if later else NOTHING


def expire(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Take the vouchers off an order that it held too long, give back their uses and budget, and say what it costs without them.

    One that an item was charged with stays: it is redeemed as the order ends. What was due is not looked at again.
    """
    state: OrderState = work.state
    held = held_by(state)
    over = [one for one in held if one.held_until and parse_time(one.held_until) <= at and not _in_use(state, one)]
    expired = VouchersExpired(attempt=work.attempt, codes=tuple(one.code for one in over))
    decision = just(expired)
    if over and state.planned:
        decision += just(priced_anew(evolve(state, expired)))
    for one in over:
        decision += released(state, one, "expired")
    return decision + ask_for_expiry(held, at, attempt=work.attempt + 1)


def _in_use(state: OrderState, one: HeldVoucher) -> bool:
    """Whether an item that goes on was charged with it."""
    lowered = (state.progress.items[name] for name, item in state.items.items() if item.line in one.lines)
    return any(not item.ended and item.steps.get(CHARGED) == "done" for item in lowered)


STEP = Step(name=EXPIRY, requested=VoucherExpiryRequested, fell_out=VoucherExpiryFellOut, complete=expire)
