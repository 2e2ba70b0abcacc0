"""Billing accounts: whose each is, and what it charges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from o2c.engine.app import Engine
from o2c.views.reading import Page, page_of_streams
from o2c.views.shown import AccountShown

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
