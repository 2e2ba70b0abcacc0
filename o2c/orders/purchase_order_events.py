"""The customer's own purchase order, as an order's stream has it."""

from __future__ import annotations

from o2c.kernel.event import Event


class PurchaseOrderGiven(Event, name="order.purchase-order-given", stream="order"):
    """The customer's own purchase order for the order became known, with the order or afterwards: bills name it from now on; empty for none
    any more.

    Source: EN 16931-1, BT-13 (Purchase order reference).
    """

    example = {"purchase_order": "PO-77120"}
    purchase_order: str
