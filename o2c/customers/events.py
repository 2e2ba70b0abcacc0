"""Events of a customer."""

from __future__ import annotations

from typing import Annotated, Literal

from o2c.kernel.event import Event, Pii


class CustomerRegistered(Event, name="customer.registered", stream="customer"):
    """A party became known, or its papers changed. Names, birth date and contacts are personal."""

    example = {
        "customer": "C-1001", "kind": "individual", "payment_method": "card", "tier": "standard", "name": "Ada Example",
        "birth_date": "1980-02-29", "email": "ada@example.org", "address": "1 Mill Lane, Testford, ZZ1 1AA",
    }  # fmt: skip
    customer: str
    kind: str
    payment_method: str
    tier: str
    name: Annotated[str, Pii("name")] = ""
    birth_date: Annotated[str, Pii("birth-date")] = ""
    email: Annotated[str, Pii("e-mail")] = ""
    address: Annotated[str, Pii("address")] = ""


class CustomerContacted(Event, name="customer.contacted", stream="customer"):
    """A customer and the operator spoke: a call to ask where the order is, a complaint, a courtesy call. The note of it is personal."""

    example = {
        "customer": "C-1001", "medium": "call", "direction": "inbound", "topic": "where-is-my-order",
        "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "note": "asked when the parcel comes",
    }  # fmt: skip
    customer: str
    medium: str
    direction: Literal["inbound", "outbound"]
    topic: str
    order: str = ""
    note: Annotated[str, Pii("note")] = ""
