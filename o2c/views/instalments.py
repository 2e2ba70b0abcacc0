"""What a billing account pays in instalments: how far each agreement is, and what settles it on a day."""

from __future__ import annotations

from datetime import date
from typing import cast

from o2c.engine.app import Engine
from o2c.instalments.rules import settlement_minor
from o2c.instalments.state import Agreement
from o2c.invoicing.instalments import all_due
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import account_stream
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.views.reading import plain
from o2c.views.shown import AgreementShown


def show_instalments(app: Engine, account: str, *, on: date | None = None) -> list[AgreementShown]:
    """The agreements of an account, the first one first, and what settles each on a day, today where none is named.

    `settlement_minor` is beside what bills have by that day; of a day to come it is what will be left when the bills until then are made.
    Amounts are minor units with tax. Raises Refused: missing (no such account).
    """
    state = app.load_one(account_stream(account)).state
    if not isinstance(state, AccountState) or not state.account:
        raise Refused(f"account {account[:80]} is not known; see `o2c customers show`", kind="missing")
    today = local_date(app.clock().now, app.book.market(state.market).zone)
    agreements = sorted(state.instalments.values(), key=lambda each: (each.agreed_on, each.order, each.item))
    return [_shown(each, state, on or today) for each in agreements]


def _shown(agreement: Agreement, state: AccountState, on: date) -> AgreementShown:
    billed = len(agreement.billed_on)
    shares, over = agreement.shares, not agreement.left_minor
    told = {
        "account": state.account,
        "order": agreement.order,
        "item": agreement.item,
        "offering": agreement.offering,
        "invoice": agreement.invoice,
        "currency": state.currency,
        "state": "settled" if agreement.settled_on else "ended" if over else "running",
        "total_minor": agreement.total_minor,
        "count": agreement.count,
        "billed": billed,
        "billed_minor": sum(shares[:billed]),
        "next_minor": 0 if over else agreement.left_minor if all_due(state, agreement) else shares[billed],
        "agreed_on": agreement.agreed_on,
        "at_end": agreement.at_end,
        "on": on.isoformat(),
        "settlement_minor": settlement_minor(agreement, on, next_run=state.due_run or state.next_run, all_due=all_due(state, agreement)),
    }
    return cast("AgreementShown", plain(told))
