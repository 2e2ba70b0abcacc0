"""Amending an order: what it says of itself beside what is fulfilled, such as how urgent it is and whom to tell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from o2c.kernel.charges import PurchaseOrderStated, account_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.frozen import changed
from o2c.kernel.refusal import Refused
from o2c.orders.changing import payer_in
from o2c.orders.document import PURCHASE_ORDER_MAX
from o2c.orders.events import OrderAmended
from o2c.orders.purchase_order_events import PurchaseOrderGiven
from o2c.orders.rollup import FINAL, order_state
from o2c.orders.state import OrderState

PRIORITY_MAX = 4
TEXT_MAX = 4_000
TEXTS = ("description", "contact")
"""What takes the place of what stood there before, and is personal."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is to be changed of an order; None leaves a thing as it is, and an empty text takes it away.

    `purchase_order` is the customer's own, which bills name from then on. `priority` goes from 0, the highest, to 4. `contact` is where
    notices go. `note` is added to the notes there are.
    Source: TMF622 v5.0.0 ProductOrder.priority, .category, .description, .notificationContact, .note.
    """

    priority: int | None = None
    category: str | None = None
    description: str | None = field(default=None, repr=False)
    contact: str | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)
    purchase_order: str | None = None


def amend(state: OrderState, wish: Amendment, standing: Mapping[str, str]) -> Decision:
    """Change what differs from what stands; `standing` has the description and the contact as they are. A note is one more each time.

    Raises Refused: usage (a priority that is none, a text that is too long), conflict (how urgent an order is when it is over).
    """
    asked = {name: value for name in ("priority", "category", *TEXTS, "note") if (value := getattr(wish, name)) is not None}
    if not 0 <= asked.get("priority", 0) <= PRIORITY_MAX:
        raise Refused(f"the priority of an order is 0 to {PRIORITY_MAX}, 0 the highest")
    if any(len(str(value)) > TEXT_MAX for value in asked.values()):
        raise Refused(f"a text of an order may have {TEXT_MAX} characters")
    stands = {"priority": state.priority, "category": state.category, **{name: standing.get(name, "") for name in TEXTS}, "note": ""}
    differs = {name: value for name, value in asked.items() if value != stands[name]}
    bought = _bought(state, wish.purchase_order)
    if not differs:
        return bought
    if differs.keys() & {"priority", "category"} and order_state(state.progress) in FINAL:
        raise Refused(
            f"order {state.external_id} is over: its {', '.join(sorted(differs.keys() & {'priority', 'category'}))} stays", kind="conflict"
        )
    return just(OrderAmended.model_validate({"amended": tuple(differs), **differs})) + bought


def _bought(state: OrderState, purchase_order: str | None) -> Decision:
    if purchase_order is None or purchase_order == state.purchase_order:
        return NOTHING
    if len(purchase_order) > PURCHASE_ORDER_MAX:
        raise Refused(f"a purchase order has {PURCHASE_ORDER_MAX} characters at most")
    after = changed(state, purchase_order=purchase_order)
    paying = {payer_in(state, item.account) for item in state.items.values()}
    return Decision((PurchaseOrderGiven(purchase_order=purchase_order),), tuple(stated(after, paying, anew=True)))


def stated(state: OrderState, accounts: Collection[str], *, anew: bool = False) -> Iterator[tuple[str, PurchaseOrderStated]]:
    """Tell the accounts that an order is charged to of the customer's own number of it; nothing of one that never had any, unless it is
    told `anew`."""
    if state.purchase_order or anew:
        for account in sorted(accounts):
            told = PurchaseOrderStated(account=account, order=state.order_id, purchase_order=state.purchase_order)
            yield account_stream(account), told
