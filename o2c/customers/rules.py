"""Registering customers from TMF632 parties.

Source: TM Forum TMF632 Party Management API v4.0.0, resources Individual and Organization.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from o2c.customers.events import CustomerRegistered
from o2c.customers.state import CustomerState
from o2c.kernel.refusal import Refused

PAYMENT_METHODS = frozenset({"card", "direct-debit", "pay-by-link", "invoice"})


def register(state: CustomerState, *, document: Mapping[str, Any]) -> list[CustomerRegistered]:
    """Register a party; nothing when it stands so already. Raises Refused without id or with an unknown payment method."""
    customer = document.get("id")
    if not isinstance(customer, str) or not customer:
        raise Refused("customers: a party without id; give it one")
    traits = {str(part.get("name")): str(part.get("value")) for part in document.get("partyCharacteristic") or []}
    method = traits.get("paymentMethod", "invoice")
    if method not in PAYMENT_METHODS:
        raise Refused(f"customers: party {customer} has an unknown payment method; use one of {', '.join(sorted(PAYMENT_METHODS))}")
    organisation = document.get("@type") == "Organization"
    name = document.get("tradingName") if organisation else f"{document.get('givenName', '')} {document.get('familyName', '')}".strip()
    event = CustomerRegistered(
        customer=customer,
        kind="organisation" if organisation else "individual",
        payment_method=method,
        tier=traits.get("tier", "standard"),
        name=str(name or ""),
        birth_date=str(document.get("birthDate", "")),
        email=_contact(document, "emailAddress"),
        address=_contact(document, "street1"),
    )
    return [] if state.papers == event else [event]


def _contact(document: Mapping[str, Any], key: str) -> str:
    media = (medium.get("characteristic") or {} for medium in document.get("contactMedium") or [])
    return next((str(medium[key]) for medium in media if key in medium), "")
