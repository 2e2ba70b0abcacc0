"""The desk for billing accounts: where each stands in its customer's hierarchy, and which pays for which."""

from __future__ import annotations

from datetime import datetime

from o2c.customers.events import Level, Pays
from o2c.customers.hierarchy import LEVELS, place
from o2c.customers.state import CustomerState, stream_of
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Loaded
from o2c.kernel.charges import AccountOpened, account_stream
from o2c.kernel.decision import Decision, just
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, current

__all__ = ["LEVELS", "Level", "Pays", "place_account"]


def place_account(
    app: Engine,
    context: Context,
    customer: str,
    account: str,
    *,
    level: Level,
    parent: str = "",
    pays: Pays = "parent",
    contact: str = "",
    market: str = HOME,
) -> Written:
    """Give a billing account its place in a customer's hierarchy: a legal `entity`, a `cost-centre` or a `site`, below `parent` (empty: at
    the top).

    What is ordered for it from then on is charged to the nearest account above it that pays itself, whose invoices say which part is whose;
    with `pays` as `itself` it has bills of its own. What is charged already stays where it is. An account that no order has named yet is
    opened for the customer under a market, so that nobody else is billed to it. `contact` is whom to ask for at a site; it is personal.

    Raises Refused: missing (the customer is not registered, the account above has no place), usage (no such level or market; nothing above
    that could pay), conflict (the account is another customer's, or cannot stand there).
    """
    pin = current(market, app.clock().now.date())
    loaded = app.load([account_stream(account), stream_of(account)])
    opened, namesake = loaded[account_stream(account)], loaded[stream_of(account)]
    _refuse_others(customer, account, opened, namesake)

    def rule(state: CustomerState, at: datetime) -> Decision:
        placed = just(*place(state, account=account, level=level, parent=parent, pays=pays, contact=contact))
        if opened.state.customer or not placed:
            return placed
        offered_on = local_date(at, pin.zone).isoformat() if pin.usage.limits.offered_before_contract else ""
        mine = AccountOpened(account=account, customer=customer, market=pin.pin, limit_offered_on=offered_on)
        return placed + Decision(elsewhere=((account_stream(account), mine),))

    wish = ["place", account, level, parent, pays, contact, market]
    return act(app, context, "accounts.place", Deed(stream_of(customer), (rule,), wish, beside={opened.stream: opened}))


def _refuse_others(customer: str, account: str, opened: Loaded, namesake: Loaded) -> None:
    if opened.state.customer not in ("", customer) or (account != customer and namesake.version):
        raise Refused(f"account {account} is another customer's; see `o2c accounts tree`", kind="conflict")
