"""Events of an agreement to pay goods in instalments, which stand on the billing account."""

from __future__ import annotations

from typing import Annotated, Literal

from o2c.kernel.event import Event, Names, Upcast

AtEnd = Literal["on-plan", "at-once"]
"""What becomes of instalments that are left when the service ends that the goods were bought with: they go on, or all are due with the bill
that follows."""

_OF = {
    "account": "BA-1001", "customer": "C-1001", "currency": "GBP", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "2",
}  # fmt: skip


class OfInstalments(Event):
    """Base of the events of the agreement about an item of an order; amounts are minor units of its currency, with tax."""

    account: str
    customer: str
    currency: str
    order: str
    item: str


class InstalmentsAgreed(OfInstalments, name="account.instalments-agreed", stream="account"):
    """Goods were delivered and invoiced whole, with all tax, by `invoice`; `total_minor` of it is paid in `count` instalments, one with
    each bill.

    `at_end` is what was agreed for the end of the service. Version 2 says it: until then instalments always went on.
    """

    example = {
        **_OF,
        "offering": "lark-9",
        "invoice": "BA-1001-20260107-G1",
        "total_minor": 59900,
        "count": 24,
        "agreed_on": "2026-01-07",
        "at_end": "on-plan",
    }
    upcasts = (Upcast(defaults={"at_end": "on-plan"}),)
    offering: str
    invoice: Annotated[str, Names("invoice")]
    total_minor: int
    count: int
    agreed_on: str
    at_end: AtEnd = "on-plan"


class InstalmentBilled(OfInstalments, name="account.instalment-billed", stream="account"):
    """The instalment of this `number`, counted from 1, is on the bill of a day."""

    example = {**_OF, "number": 1, "amount_minor": 2496, "invoice": "BA-1001-20260108", "billed_on": "2026-01-08"}
    number: int
    amount_minor: int
    invoice: Annotated[str, Names("invoice")]
    billed_on: str


class SettlementAsked(OfInstalments, name="account.settlement-asked", stream="account"):
    """The customer pays at once what no bill has yet: no instalment is billed any more, and an invoice over the rest follows."""

    example = {**_OF, "amount_minor": 57404, "asked_on": "2026-01-20"}
    amount_minor: int
    asked_on: str


class InstalmentsSettled(OfInstalments, name="account.instalments-settled", stream="account"):
    """What was left of the agreement was billed at once, as the customer asked, or as the service has ended and that was agreed: it has
    ended."""

    example = {**_OF, "amount_minor": 57404, "invoice": "BA-1001-20260120-G2", "billed_on": "2026-01-20"}
    amount_minor: int
    invoice: Annotated[str, Names("invoice")]
    billed_on: str
