"""The desk for limits of what a bill may come to: set or changed by the customer, told of as usage comes in, gone beyond by agreement."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from typing import get_args

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Command
from o2c.invoicing.state import AccountState
from o2c.invoicing.usage import period_before, rules_of
from o2c.kernel.carry import happened
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.money import to_minor
from o2c.kernel.refusal import Refused
from o2c.rating import rules
from o2c.rating.events import LimitKind
from o2c.rating.models import line_minor
from o2c.views.usage import rated_until, running

KINDS: tuple[LimitKind, ...] = get_args(LimitKind)
NO_LIMIT = "none"


def set_limit(app: Engine, context: Context, account: str, *, amount: str, kind: LimitKind = "bill") -> Written:
    """Set or change a limit of what a bill period may cost beyond its recurring prices, from now on; `none` lifts it.

    `amount` is decimal text in the account's currency, net of tax; 0 lets nothing be charged. What was used before stays as it was. Raises
    Refused: missing (no such account), usage (no amount).
    """
    state = _account(app, account)
    try:
        amount_minor = None if amount == NO_LIMIT else to_minor(amount, state.currency)
    except ValueError as error:
        raise Refused(f"{error}; write the limit as 20.00, or none") from None
    if amount_minor is not None and amount_minor < 0:
        raise Refused("a limit is not below zero; write it as 20.00, or none")

    def choose(state: AccountState, at: datetime) -> Decision:
        return rules.set_limit(state, kind=kind, amount_minor=amount_minor, at=at)

    return act(app, context, "limits.set", Deed(account_stream(account), (choose,), ["limit", kind, amount]))


def agree(app: Engine, context: Context, account: str, *, notice: str) -> Written:
    """Record that the customer agreed, after a notice, to go beyond a limit for the rest of the bill period. Going on to use is no
    agreement.

    Raises Refused: missing (no such account, or it was never given that notice), conflict (the period of the notice is over).
    """
    work, run_on = running(app, account)
    period = period_before(work.state, run_on).start.isoformat()

    def take(state: AccountState, at: datetime) -> Decision:
        return rules.agree(state, notice=notice, period_from=period, at=at)

    return act(app, context, "limits.agree", Deed(account_stream(account), (take,), ["agree", notice]))


def tell(app: Engine, actor: str, accounts: Iterable[str]) -> None:
    """Tell those of some accounts whose usage has come near a limit, or to it, in the running bill period; an account that another process
    changes meanwhile is told with the next records."""
    for account in sorted(accounts):
        _tell(app, actor, account)


def _tell(app: Engine, actor: str, account: str) -> None:
    work, run_on = running(app, account)
    now, of_market = app.clock().now, work.market.usage.limits
    rated, limits = rated_until(app, work, run_on, now), rules_of(work, run_on, {}).limits
    first = period_before(work.state, run_on).start
    period = first.isoformat()
    beyond = sorted({kind for _, kind in rated.beyond})
    spent = {kind: line_minor(rated.spent.get((kind, period), Fraction(0)), work.state.currency) for kind in KINDS}

    stream = account_stream(account)
    loaded, decision = app.load_one(stream), NOTHING
    for kind in KINDS:
        terms = {"amount_minor": limits.amount_minor(kind, now), "spent_minor": spent[kind] or 0, "beyond": kind in beyond}
        terms["reminder_minor"] = of_market.reminder_in(work.state.currency, work.market.currency, first) if kind == "roaming" else None
        decision += rules.notice(loaded.state, kind=kind, **terms, period_from=period, told_percent=of_market.told_percent)  # type: ignore[arg-type] # by name
    if decision:
        command_id = derived_id("limits", stream, str(loaded.version))
        app.write([Command(command_id, stream, happened(stream, decision, now), {stream: loaded}, actor, "intake")])


def limited(app: Engine, accounts: Iterable[str], abroad: Iterable[str]) -> list[str]:
    """Those of some accounts that have a limit: one that they chose, or, of those with usage abroad, the market's."""
    roaming, found = set(abroad), []
    for loaded in app.load(map(account_stream, {*accounts, *roaming})).values():
        state: AccountState = loaded.state
        of_market = state.account in roaming and app.book.market(state.market).usage.limits.roaming_minor is not None
        if state.running and (state.usage.limits or of_market):
            found.append(state.account)
    return found


def _account(app: Engine, account: str) -> AccountState:
    state: AccountState = app.load_one(account_stream(account)).state
    if not state.currency:
        raise Refused(f"no account {account} that is charged; see `o2c customers show`", kind="missing")
    return state
