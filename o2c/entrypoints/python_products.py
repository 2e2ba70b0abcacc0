"""Products in Python: what customers have in service, what happened to it, and the code by which a number goes to another operator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from o2c.desk.products import PortingCode, porting_code
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.products import list_products, product_history
from o2c.views.reading import all_seen, part_after_part

if TYPE_CHECKING:
    from o2c.desk.act import Context
    from o2c.running.session import Session


class Products:
    """The part of `OrderToCash` that is about products in service."""

    _session: Session

    def products(
        self, *, orders: Sequence[str] = (), customers: Sequence[str] = (), offerings: Sequence[str] = (), statuses: Sequence[str] = ()
    ) -> Iterator[shown.ProductShown]:
        """What customers have in service, or had, the oldest first. See `views.products.list_products`."""
        all_seen(self._session.app)
        picked: dict[str, Any] = {"orders": orders, "customers": customers, "offerings": offerings, "statuses": statuses}
        return part_after_part(partial(list_products, self._session.app, **picked))

    @answered
    def product_history(self, product: str) -> list[shown.ProductEventShown]:
        """What happened to a product. See `views.products.product_history`."""
        return product_history(self._session.app, product)

    @answered
    def porting_code(self, product: str, context: Context) -> PortingCode:
        """Give the customer the code by which another operator takes over the number of a product. See `desk.products.porting_code`."""
        return porting_code(self._session.app, context, product)
