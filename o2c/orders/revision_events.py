"""The event by which the paper of an order in flight becomes another one."""

from __future__ import annotations

from typing import Annotated, Literal

from o2c.kernel.event import Event, Names, Pii, Upcast
from o2c.orders.event_parts import CapturedLine, HeldProduct, HeldVoucher, LineDetail, Part, PlannedItem


class RevisedAttribute(Part):
    """What differs from the paper before: an attribute of a line, or the line itself (`line`)."""

    line: str
    attribute: str


class RevisedStep(Part):
    """A step of an item that begins anew (`redo`) or is taken back for good (`undo`). Where a partner is asked for that first, or it waits
    for such a step, it is `waiting`; `recall` names the step by which it is asked."""

    item: str
    step: str
    action: Literal["redo", "undo"]
    waiting: bool = False
    recall: str = ""


class RevisedPenalty(Part):
    """What it costs that a step of an item is taken back which its partner had: `amount_minor`, net, for these `attributes` of the line."""

    line: str
    item: str
    step: str
    attributes: tuple[str, ...] = ()
    amount_minor: int


class OrderRevised(Event, name="order.revised", stream="order"):
    """The order was changed while it was carried out: `original` is its paper from now on, `lines` and `details` what that says as it was
    read.

    `items` are those that are planned anew or come, `removed` those that go, `steps` the work that is taken back. `base_version` is the
    version of the stream that whoever wished it had seen. `committed_minor` is what the order commits to from now on, net, in minor units,
    in the credit of its customer. `penalties` are charged to the accounts of their items, under the item and `-change-` with the number of
    the `revision`. `vouchers` are those that it holds from now on, where these are others or for other lines (nothing: they stay). The
    version of the catalogue stays that which the order pinned. Version 4 has the `payers` of accounts that it names and the order did not,
    where another one pays for them; version 5 the `products` in service that its lines name from now on, and those of items that go, where
    these are others or are changed otherwise (nothing: they stay).

    Source: order life cycle, section 4 (rules a to h).
    """

    example = {
        "revision": 1, "channel": "store", "base_version": 9, "original": "{}", "fingerprint": "9f86d081884c7d65", "account": "BA-1001", "currency": "GBP",
        "requested_start": "", "requested_completion": "", "lines": [{"item": "1", "action": "add", "quantity": "1", "offering": "mobile-line"}],
        "details": [{"characteristics": {"simType": "esim"}, "place": "1 Mill Lane, Testford, ZZ1 1AA"}],
        "changed": [{"line": "1", "attribute": "place"}], "plan_version": "2026-12", "committed_minor": 2999,
        "items": [{"item": "1", "line": "1", "offering": "mobile-line", "specification": "spec-mobile", "characteristics": {"simType": "esim"},
                   "recurring_minor": 1999, "one_time_minor": 1000, "terms": {"period_unit": "week", "period_length": 4},
                   "steps": [{"step": "sim"}, {"step": "activation", "waits": ["sim"]}], "promised_on": "2026-01-06"}],
        "removed": [], "steps": [{"item": "1", "step": "sim", "action": "redo"}],
        "penalties": [{"line": "1", "item": "1", "step": "appointment", "attributes": ["place"], "amount_minor": 2500}],
        "vouchers": [{"code": "SPRING-A1", "turn": 1, "amount_minor": 1200, "lines": ["1"], "discount": {"name": "SPRING", "percent": "20"}, "held_until": ""}],
        "payers": {"BA-1001-LEEDS": "BA-1001"},
        "products": [{"line": "2", "product": "960dd07c-b654-5d95-9a31-65845ce3ab78:1", "attributes": ["number"], "started_on": "2026-01-05",
                      "standing": {"customer": "C-1001", "account": "BA-1001", "offering": "mobile-line", "specification": "spec-mobile"}}],
    }  # fmt: skip
    upcasts = (
        Upcast(defaults={"penalties": []}),
        Upcast(defaults={"vouchers": None}),
        Upcast(defaults={"payers": {}}),
        Upcast(defaults={"products": None}),
    )
    revision: int
    channel: str
    base_version: int
    original: Annotated[str, Pii("original")]
    fingerprint: str
    account: Annotated[str, Names("account")]
    currency: str
    requested_start: str = ""
    requested_completion: str = ""
    lines: tuple[CapturedLine, ...]
    details: Annotated[tuple[LineDetail, ...], Pii("details")]
    changed: tuple[RevisedAttribute, ...]
    plan_version: str
    committed_minor: int
    items: tuple[PlannedItem, ...]
    removed: tuple[str, ...] = ()
    steps: tuple[RevisedStep, ...] = ()
    penalties: tuple[RevisedPenalty, ...] = ()
    vouchers: tuple[HeldVoucher, ...] | None = None
    payers: dict[str, str] = {}
    products: tuple[HeldProduct, ...] | None = None


class RevisionRefused(Event, name="order.revision-refused", stream="order"):
    """A changed paper was not accepted: by line, `past` says why it is past its point of no return. What differs is named in `changed`; the
    order stays as it is, and what is past takes an order of its own."""

    example = {
        "channel": "store", "base_version": 9, "fingerprint": "9f86d081884c7d65", "changed": [{"line": "1", "attribute": "place"}],
        "past": {"1": "the parcel was handed over on 2026-01-06"},
    }  # fmt: skip
    channel: str
    base_version: int
    fingerprint: str
    changed: tuple[RevisedAttribute, ...]
    past: dict[str, str]
