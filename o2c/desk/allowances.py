"""The desk for included units: a pack of them is bought for a line, beside what its plan includes."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

from o2c.catalogue.packs import pack_of
from o2c.desk.act import Deed, act
from o2c.desk.limits import limited, tell
from o2c.engine.app import Context, Engine, Written
from o2c.invoicing.state import AccountState, following_run
from o2c.invoicing.usage import period_before, rules_of, tariffs_of
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision
from o2c.kernel.frozen import changed
from o2c.kernel.periods import Period, local_date
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.rating.models import line_minor
from o2c.rating.packs import Pack, Spending, buy
from o2c.views.usage import rated_until, running

CATALOGUE = "catalogue-main"


def buy_pack(app: Engine, context: Context, account: str, *, offering: str, line: str = "") -> Written:
    """Buy a pack of units for a line of an account, as an offering sells it: usable at once, counted in the turn of its priority, on the
    next bill once.

    `line` is an `ORDER/ITEM`, and may be left out where the account has one line whose usage has prices. Each time it is another pack.
    Raises Refused: missing (no such account, line or offering), usage (several lines), conflict (the line is barred or cannot use it, the
    offering is no pack, the bill would go beyond its limit).
    """
    work, run_on = running(app, account)
    catalogue = app.load_one(CATALOGUE).state

    def take(state: AccountState, at: datetime) -> Decision:
        now, today = changed(work, state=state), local_date(at, work.market.zone)
        pack = pack_of(catalogue, offering=offering, market=work.market.code, at=at)
        period = period_before(state, run_on) if today < run_on else Period(run_on, following_run(run_on))
        spending = _spending(app, now, run_on, period, at)
        return buy(state, pack, owner=_owner(now, line, pack), period=period, on=today, spending=spending)

    written = act(app, context, "allowances.buy", Deed(account_stream(account), (take,), ["pack", offering, line]))
    tell(app, context.actor, limited(app, [account], ()))
    return written


def _owner(work: Work, line: str, pack: Pack) -> str:
    """The charge of the line that a pack is for. Raises Refused: missing, usage (several), conflict (barred, or nothing that the pack
    includes has a price there)."""
    state: AccountState = work.state
    priced = {key: {held.price.usage for held in tariff.prices} for key, tariff in tariffs_of(work).items() if tariff.prices}
    named = [key for key in priced if not state.charges[key].withdrawn and line in ("", key, state.charges[key].place)]
    if not named:
        raise Refused(
            f"account {state.account}: no line {line or 'whose usage has prices'} is served; see `o2c allowances show {state.account}`",
            kind="missing",
        )
    if len(named) > 1:
        raise Refused(f"account {state.account} has {len(named)} lines whose usage has prices; name one as ORDER/ITEM, such as {named[0]}")
    [owner] = named
    if state.charges[owner].rest:
        raise Refused(f"account {state.account}: line {owner} is barred; buy the pack once it serves again", kind="conflict")
    if not priced[owner] & set(pack.allowance.usage):
        raise Refused(
            f"account {state.account}: line {owner} has no price for what {pack.offering} includes, and could not use it", kind="conflict"
        )
    return owner


def _spending(app: Engine, work: Work, run_on: date, period: Period, at: datetime) -> Spending:
    """How the bill of a period stands with its limit."""
    state: AccountState = work.state
    limits, first = rules_of(work, run_on, {}).limits, period.start.isoformat()
    spent = rated_until(app, work, run_on, at).spent.get(("bill", first), Fraction(0))
    limit = None if limits.agreed_at("bill", first, at) else limits.amount_minor("bill", at)
    return Spending(line_minor(spent, state.currency) or 0, limit)
