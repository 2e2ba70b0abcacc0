"""The lives of business customers, their orders and accounts, for the golden folds: a hierarchy, purchase orders, an account that pays for others."""

from collections.abc import Mapping, Sequence
from typing import Any

Told = tuple[str, Mapping[str, Any]]

BOUGHT: Mapping[str, Sequence[Told]] = {
    "bought by the customer's own number, which changed": (
        ("order.captured", {}),
        ("order.purchase-order-given", {}),
        ("validation.requested", {}),
        ("order.purchase-order-given", {"purchase_order": "PO-2"}),
    )
}
PLACED: Mapping[str, Sequence[Told]] = {
    "with accounts below one another, of which one moved": (
        ("customer.registered", {}),
        ("customer.account-placed", {"account": "BA-1001", "level": "entity", "parent": "", "pays": "itself"}),
        ("customer.account-placed", {"parent": "BA-1001"}),
        ("customer.account-placed", {"parent": "", "pays": "itself"}),
    )
}
PAYING: Mapping[str, Sequence[Told]] = {
    "paying for a site, under two purchase orders": (
        ("account.opened", {}),
        ("account.purchase-order-stated", {}),
        ("account.purchase-order-stated", {"order": "2"}),
        ("account.charge-started", {"cost_centre": "BA-1001-LEEDS"}),
        ("account.charge-started", {"order": "2", "item": "1", "product": ""}),
    )
}
