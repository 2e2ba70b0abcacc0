"""Registering customers from TMF632 parties, and noting contacts with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal

from o2c.customers.agreements import AgreementsState, checked
from o2c.customers.care_events import CareAgreed
from o2c.customers.document import (
    address_of,
    birth_date_of,
    email_of,
    kind_of,
    language_of,
    name_of,
    phone_of,
    preferred_medium,
    traits_of,
)
from o2c.customers.events import CustomerContacted, CustomerPreferencesStated, CustomerRegistered
from o2c.customers.state import CREDIT_NOTICE, CustomerState
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.refusal import Refused

PAYMENT_METHODS = frozenset({"card", "direct-debit", "pay-by-link", "invoice"})
MEDIA = ("call", "mail", "chat", "store", "courtesy")
"""How a contact came about; `courtesy` is one that nobody asked for."""
TOPICS = (
    "where-is-my-order",
    "delivery",
    "port",
    "appointment",
    "bill",
    "payment",
    "change",
    "contract",
    "cancellation",
    "complaint",
    CREDIT_NOTICE,
    "other",
)


def register(state: CustomerState, *, document: Mapping[str, Any], at: datetime) -> list[Event]:
    """Register a TMF632 Individual or Organization; nothing when it stands so already.

    It reads `id`, the names, `birthDate`, e-mail and address as they hold at a time, and the party characteristics `paymentMethod`
    (default: invoice) and `tier`; and how the party wants to be told of its orders (see `preferences`). Raises Refused for a party without
    id or name, or with an unknown payment method; KeyError, TypeError, AttributeError or ValueError for a paper that is not of the
    standard's shape.
    """
    customer = document.get("id")
    if not isinstance(customer, str) or not customer:
        raise Refused("customers: a party without id; give it one")
    traits = traits_of(document)
    method = traits.get("paymentMethod", "invoice")
    if method not in PAYMENT_METHODS:
        raise Refused(f"customers: party {customer} has an unknown payment method; use one of {', '.join(sorted(PAYMENT_METHODS))}")
    kind = kind_of(document)
    event = CustomerRegistered(
        customer=customer,
        kind=kind,
        payment_method=method,
        tier=traits.get("tier", "standard"),
        name=name_of(document, kind, at),
        birth_date=birth_date_of(document) if kind == "individual" else "",
        email=email_of(document, at),
        address=address_of(document, at),
    )
    stated, before = preferences(customer, document, traits, at), state.preferences or CustomerPreferencesStated(customer=customer)
    return [*([] if state.papers == event else [event]), *([] if before == stated else [stated])]


def preferences(customer: str, document: Mapping[str, Any], traits: Mapping[str, str], at: datetime) -> CustomerPreferencesStated:
    """How a party wants to be told of its orders: the medium that it prefers, its telephone number, its favourite language, and by the
    party characteristics `quietHours` (HH:MM-HH:MM) and `refusedMessages` (words parted by commas) when and of what not."""
    refused = (word.strip() for word in traits.get("refusedMessages", "").split(","))
    return CustomerPreferencesStated(
        customer=customer,
        medium=preferred_medium(document, at),
        language=language_of(document).lower(),
        quiet=traits.get("quietHours", ""),
        refused=tuple(sorted({word for word in refused if word})),
        phone=phone_of(document, at),
    )


def contact(
    state: CustomerState, *, medium: str, topic: str, direction: Literal["inbound", "outbound"], order: str = "", note: str = ""
) -> list[CustomerContacted]:
    """Note a contact with a customer, an occurrence that every call notes once more. `order` is the id of the order it was about.

    Raises Refused: missing (the customer is not registered), usage (an unknown medium or topic).
    """
    if state.papers is None:
        raise Refused("contacts are noted down with registered customers only; load the customer first", kind="missing")
    for what, value, allowed in (("medium", medium, MEDIA), ("topic", topic, TOPICS)):
        if value not in allowed:
            raise Refused(f"customer {state.papers.customer}: no such {what} of a contact; use one of {', '.join(allowed)}")
    customer = state.papers.customer
    return [CustomerContacted(customer=customer, medium=medium, direction=direction, topic=topic, order=order, note=note)]


def agree_care(state: AgreementsState, document: str, at: datetime, *, markets: Collection[str]) -> Decision:
    """Put agreements of the operator's own in force from a time on; nothing for the file that is. Raises Refused (usage), see
    `agreements.checked`."""
    if state.loaded and state.loaded[-1][1] == document:
        return NOTHING
    return just(CareAgreed(version=checked(state.loaded, document, markets).version, since=at, document=document))
