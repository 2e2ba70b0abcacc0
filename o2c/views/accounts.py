"""Billing accounts: whose each is, what it charges, and where it stands in its customer's hierarchy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from o2c.customers.hierarchy import in_order, payer_of
from o2c.customers.state import CustomerState, stream_of
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.reading import Page, page_of_streams
from o2c.views.shown import AccountShown, PlacedAccountShown

if TYPE_CHECKING:
    from o2c.invoicing.state import AccountState

PREFIX = "account-"


def list_accounts(app: Engine, *, accounts: Sequence[str] = (), offset: int = 0, limit: int = 100) -> Page[AccountShown]:
    """Billing accounts by id, with customer, currency, market, and how many charges run on each; the page says how many more there are.

    Raises Refused (usage).
    """
    streams, page = page_of_streams(app, PREFIX, accounts, offset, limit)
    loaded = app.load(streams)
    for stream in streams:
        state: AccountState = loaded[stream].state
        told = {"customer": state.customer, "currency": state.currency, "market": state.market, "charges": len(state.running)}
        page.append({"account": stream.removeprefix(PREFIX), **told})
    return page


def show_tree(app: Engine, customer: str, *, personal: bool = False) -> list[PlacedAccountShown]:
    """The accounts of a customer that have a place in its hierarchy, each before those below it: how deep it stands, what it is, who pays
    for it.

    `charges` is how many run for it, on whichever account pays. `personal` adds whom to ask for. Raises Refused: missing (no account of the
    customer is placed).
    """
    state: CustomerState = app.load_one(stream_of(customer)).state
    placed = state.placed
    if not placed:
        raise Refused(
            f"no account of customer {customer} has a place in a hierarchy; give it one with `o2c accounts place`", kind="missing"
        )
    running = _running(app, placed)
    return [
        cast(
            "PlacedAccountShown",
            {
                "account": account,
                "depth": depth,
                "level": placed[account].level,
                "parent": placed[account].parent,
                "pays": placed[account].pays,
                "payer": payer_of(placed, account),
                "charges": running[account],
                **({"contact": placed[account].contact} if personal else {}),
            },
        )
        for depth, account in in_order(placed)
    ]


def _running(app: Engine, accounts: Iterable[str]) -> Counter[str]:
    """How many charges run for each account, whichever has them."""
    found: Counter[str] = Counter()
    for stream, loaded in app.load([f"{PREFIX}{account}" for account in accounts]).items():
        state: AccountState = loaded.state
        for key, charge in state.charges.items():
            if charge in state.running:
                found[state.whose(key) or stream.removeprefix(PREFIX)] += 1
    return found
