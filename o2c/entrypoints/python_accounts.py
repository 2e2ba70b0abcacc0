"""Billing accounts in Python: the hierarchy of a business customer's accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from o2c.desk import accounts as desk
from o2c.desk.accounts import Level, Pays
from o2c.desk.bulk_changes import BulkChanged, change_products
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.accounts import show_tree
from o2c.views.sites import sites_of_order

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Accounts:
    """The part of `OrderToCash` that is about where billing accounts stand, and who pays for which."""

    _session: Session

    @answered
    def place_account(
        self,
        customer: str,
        account: str,
        context: Context,
        *,
        level: Level,
        parent: str = "",
        pays: Pays = "parent",
        contact: str = "",
        market: str = "GB",
    ) -> Written:
        """Give a billing account its place in a customer's hierarchy. See `desk.accounts.place_account`."""
        return desk.place_account(
            self._session.app, context, customer, account, level=level, parent=parent, pays=pays, contact=contact, market=market
        )

    @answered
    def sites_of(self, order: str, *, personal: bool = False) -> list[shown.SiteShown]:
        """The sites of an order, the slowest first. See `views.sites.sites_of_order`."""
        return sites_of_order(self._session.app, order, personal=personal)

    @answered
    def change_products(
        self, account: str, changes: Sequence[Mapping[str, str]], context: Context, *, dry_run: bool = False
    ) -> BulkChanged:
        """Change many products of an account as a list says. See `desk.bulk_changes.change_products`."""
        return change_products(self._session.app, context, account, changes, dry_run=dry_run)

    @answered
    def account_tree(self, customer: str, *, personal: bool = False) -> list[shown.PlacedAccountShown]:
        """The hierarchy of a customer's accounts. See `views.accounts.show_tree`."""
        return show_tree(self._session.app, customer, personal=personal)
