"""A customer as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.customers.events import CustomerRegistered
from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind


@dataclass(frozen=True, slots=True)
class CustomerState:
    """A customer as last registered; `papers` is None before that. Contacts leave no trace here, because no rule reads them."""

    papers: CustomerRegistered | None = None


def stream_of(customer: str) -> str:
    """Give the name of a customer's stream: `customer-` and the party's id."""
    return f"customer-{customer}"


def evolve(state: CustomerState, event: Event) -> CustomerState:
    return CustomerState(event) if isinstance(event, CustomerRegistered) else state


def owner(state: CustomerState) -> tuple[str | None, str | None]:
    """Name no order and this customer for the envelope."""
    return None, state.papers.customer if state.papers else None


KIND = StreamKind(
    category="customer", shape_version=1, state_type=CustomerState, initial=lambda _: CustomerState(), evolve=evolve, owner=owner
)
