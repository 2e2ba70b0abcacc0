"""Products in Python: what customers have in service, what happened to it, and how a number goes to another operator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from o2c.desk import products as desk
from o2c.desk import switching
from o2c.desk.products import Commitment, PortingCode, PortOut
from o2c.desk.switching import Message, SwitchMatch
from o2c.entrypoints.answered import answered
from o2c.entrypoints.python_withdrawals import Withdrawals
from o2c.views import shown
from o2c.views.products import list_products, product_history, product_notices
from o2c.views.reading import all_seen, part_after_part

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Products(Withdrawals):
    """The part of `OrderToCash` that is about products in service, and contracts that consumers withdraw from."""

    _session: Session

    def products(
        self, *, orders: Sequence[str] = (), customers: Sequence[str] = (), offerings: Sequence[str] = (), statuses: Sequence[str] = ()
    ) -> Iterator[shown.ProductShown]:
        """What customers have in service, or had, the oldest first. See `views.products.list_products`."""
        all_seen(self._session.app)
        picked: dict[str, Any] = {"orders": orders, "customers": customers, "offerings": offerings, "statuses": statuses}
        return part_after_part(partial(list_products, self._session.app, **picked))

    @answered
    def product_history(self, product: str, *, customer: str = "") -> list[shown.ProductEventShown]:
        """What happened to a product, or while it was a customer's. See `views.products.product_history`."""
        return product_history(self._session.app, product, customer=customer)

    @answered
    def product_notices(self, product: str) -> list[shown.NoticeShown]:
        """The notices of the end of a product's term, and of the best prices after it. See `views.products.product_notices`."""
        return product_notices(self._session.app, product)

    @answered
    def porting_code(self, product: str, context: Context) -> PortingCode:
        """Give the customer the code by which another operator takes over the number of a product. See `desk.products.porting_code`."""
        return desk.porting_code(self._session.app, context, product)

    @answered
    def port_out(
        self, product: str, context: Context, *, operator: str, reference: str, code: str, wished_on: date | None = None
    ) -> PortOut:
        """Take another operator's request for the number of a product. See `desk.products.port_out`."""
        return desk.port_out(self._session.app, context, product, operator=operator, reference=reference, code=code, wished_on=wished_on)

    @answered
    def cancel_port_out(self, product: str, context: Context, *, reference: str) -> Written:
        """Take back a port to another operator, before its cut-off. See `desk.products.port_out_cancel`."""
        return desk.port_out_cancel(self._session.app, context, product, reference=reference)

    @answered
    def lock_number(self, product: str, context: Context, *, lift: bool = False) -> Written:
        """Keep the number of a product from going to another operator, or lift that. See `desk.products.lock`."""
        return desk.lock(self._session.app, context, product, lift=lift)

    @answered
    def match_switch(self, context: Context, *, gaining: str, request: str, name: str, address: str, account: str = "") -> SwitchMatch:
        """Match a new provider's customer to a fixed service. See `desk.switching.switch_match`."""
        asked = {"gaining": gaining, "request": request, "name": name, "address": address, "account": account}
        return switching.switch_match(self._session.app, self._session.home, context, **asked)

    @answered
    def switch_product(self, product: str, context: Context, *, reference: str, message: Message, on: date | None = None) -> Written:
        """Order, move, call off or trigger the switch of a fixed service to another provider. See `desk.switching.switch`."""
        return switching.switch(self._session.app, context, product, reference=reference, message=message, on=on)

    @answered
    def transfer_product(
        self, product: str, context: Context, *, to: str = "", commitment: Commitment = "taken-over", withdraw: bool = False
    ) -> Written:
        """Take down that the owner of a product agrees that another customer takes it over, or keeps it after all. See
        `desk.products.transfer`."""
        return desk.transfer(self._session.app, context, product, to=to, commitment=commitment, withdraw=withdraw)
