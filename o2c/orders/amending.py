"""Amending an order: what it says of itself beside what is fulfilled, such as how urgent it is and whom to tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused
from o2c.orders.events import OrderAmended
from o2c.orders.rollup import FINAL, order_state
from o2c.orders.state import OrderState

PRIORITY_MAX = 4
TEXT_MAX = 4_000
TEXTS = ("description", "contact")
"""What takes the place of what stood there before, and is personal."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is to be changed of an order; None leaves a thing as it is, and an empty text takes it away.

    `priority` goes from 0, the highest, to 4. `contact` is where notices go. `note` is added to the notes there are.
    Source: TMF622 v5.0.0 ProductOrder.priority, .category, .description, .notificationContact, .note.
    """

    priority: int | None = None
    category: str | None = None
    description: str | None = field(default=None, repr=False)
    contact: str | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)


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
    changed = {name: value for name, value in asked.items() if value != stands[name]}
    if not changed:
        return NOTHING
    if changed.keys() & {"priority", "category"} and order_state(state.progress) in FINAL:
        raise Refused(
            f"order {state.external_id} is over: its {', '.join(sorted(changed.keys() & {'priority', 'category'}))} stays", kind="conflict"
        )
    return just(OrderAmended.model_validate({"amended": tuple(changed), **changed}))
