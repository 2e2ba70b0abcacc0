"""Events of an order as a whole, and of its items where a person or a cancellation decides rather than a step."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from o2c.kernel.event import Event, Names, Pii, Upcast
from o2c.kernel.shapes import Declined, Done, FellOut, OfItem, OfStep, Requested
from o2c.orders.event_parts import CancelReason as CancelReason
from o2c.orders.event_parts import CapturedLine as CapturedLine
from o2c.orders.event_parts import HeldProduct as HeldProduct
from o2c.orders.event_parts import HeldVoucher as HeldVoucher
from o2c.orders.event_parts import LineDetail as LineDetail
from o2c.orders.event_parts import PlannedItem as PlannedItem
from o2c.orders.event_parts import PlannedStep as PlannedStep
from o2c.orders.event_parts import RecurringTotal as RecurringTotal
from o2c.orders.event_parts import SentPrice as SentPrice

_FELL_OUT = {"fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "fault_class": "data", "origin": "upstream", "recoverability": "correctable"}  # fmt: skip
_WISHED = {"requested_start": "", "requested_completion": ""}


class OrderCaptured(Event, name="order.captured", stream="order"):
    """A channel's order was taken down, whatever it lacks; it is judged afterwards. The original is kept to the letter, as personal data.

    `market` is the country's rules in the version that was in force, pinned for good. `owner` is whose name the external id is; the two are
    the identity of the order. `after` is the order that bore them first, where this paper was taken for a repeat of it until a person
    decided. `dated_by_us` says that the paper had no date, so that `order_date` is when it was received, and `named_by_us` that we made its
    external id. The requested times stand as the channel wrote them, empty when it wished none. `agent` is who took the order down, where
    the paper names one. `tier` is the customer's as registered at that moment: empty where the customer was not known, or this was not kept
    yet. `prices` are those that the channel sent for the whole order; none where it sent none, or this was not kept yet. Of what was stored
    before they were read, prices have no discounts of the channel. `same_wish` is the order by which the customer wished the same through
    another channel days before (empty: none, or nobody looked). `apart` says that it is a program's or a test of our own, by the rule
    `apart_by`, as POLICY/RULE, or the journey that it followed (empty: nobody's, or not looked at).
    """

    example = {
        "external_id": "WEB-1001", "source": "tmf622", "order_date": "2026-01-05T09:00:00Z", "category": "consumer", "priority": 4, "market": "GB@2026-01",
        "party": "C-1001", "account": "BA-1001", "fingerprint": "9f86d081884c7d65", "intake": "intake-3b1f/1", "line": 17,
        "catalogue_version": 12, "lines": [{"item": "1", "action": "add", "quantity": "1", "offering": "mobile-line"}],
        "details": [{"characteristics": {"simType": "esim"}, "place": "1 Mill Lane, Testford, ZZ1 1AA"}], "original": "{}",
        "owner": "C-1001", "channel": "web", "requested_start": "2026-01-20T00:00:00Z", "agent": "A-17", "tier": "standard",
        "prices": [{"field": "orderTotalPrice", "kind": "oneTime", "net": "10.00", "unit": "GBP", "alterations": [{"kind": "oneTime", "percent": "20"}]}], "same_wish": "", "apart": "", "apart_by": "",
    }  # fmt: skip
    upcasts = (
        Upcast(defaults={"owner": "", "channel": "", "after": "", "dated_by_us": False, "named_by_us": False, **_WISHED}),
        Upcast(defaults={"agent": ""}),
        Upcast(defaults={"tier": ""}),
        Upcast(defaults={"prices": []}),
        Upcast(),
        Upcast(defaults={"same_wish": ""}),
        Upcast(defaults={"apart": "", "apart_by": ""}),
    )
    external_id: str
    source: str
    order_date: str
    category: str
    priority: int
    market: str
    party: str
    account: Annotated[str, Names("account")]
    fingerprint: str
    intake: str
    line: int
    catalogue_version: int
    lines: tuple[CapturedLine, ...]
    details: Annotated[tuple[LineDetail, ...], Pii("details")]
    original: Annotated[str, Pii("original")]
    owner: str = ""
    channel: str = ""
    after: str = ""
    dated_by_us: bool = False
    named_by_us: bool = False
    requested_start: str = ""
    requested_completion: str = ""
    agent: str = ""
    tier: str = ""
    prices: tuple[SentPrice, ...] = ()
    same_wish: str = ""
    apart: Literal["", "bot", "test"] = ""
    apart_by: str = ""


class OrderResubmitted(Event, name="order.resubmitted", stream="order"):
    """The same external id of the same owner came again with other content. The first stays in force; `differing` names the fields that
    differ.

    It happened when it came: `order_date` is what the paper says, `channel` the one that sent it.
    """

    example = {
        "fingerprint": "2c26b46b68ffc68f", "intake": "intake-3b1f/1", "line": 18, "differing": ["priority"], "original": "{}",
        "order_date": "2026-01-05T09:40:00Z", "channel": "store",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"order_date": "", "channel": ""}),)
    fingerprint: str
    intake: str
    line: int
    differing: tuple[str, ...]
    original: Annotated[str, Pii("original")]
    order_date: str = ""
    channel: str = ""


class ValidationRequested(Requested, name="validation.requested", step="validation", stream="order"):
    """The order is to be validated against the catalogue version pinned at capture."""

    example = {"attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class OrderValidated(Done, name="order.validated", step="validation", stream="order"):
    """Party, items, actions and offerings are in order; flaws of single items show when their steps begin.

    `tier` is that of the party which it was validated for, from now on the order's own: a correction may have named another party, or the
    party was registered only after the order came. Empty where this was not kept yet. `vouchers` are those that it names and holds from now
    on, `products` those in service that it names. Version 6 has the `payers` of accounts that it names, where another one pays for them,
    version 7 what those products rely on. `agreed_on` is the day (ISO) for which what is delivered is promised by the agreement `agreed_by`
    (VERSION/NAME; both empty: by none, or not kept yet)."""

    example = {
        "attempt": 1, "catalogue_version": 12, "policy": "validation/2026-01", "tier": "standard", "payers": {"BA-1001-LEEDS": "BA-1001"}, "agreed_on": "", "agreed_by": "",
        "vouchers": [{"code": "SPRING-A1", "turn": 1, "amount_minor": 1200, "lines": ["1"], "discount": {"name": "SPRING", "percent": "20", "lasts_length": 3, "voucher": "SPRING-A1"}, "held_until": "2026-04-05T09:00:00Z"}],
    }  # fmt: skip
    upcasts = (Upcast(defaults={"tier": ""}), Upcast(defaults={"vouchers": []}), Upcast(defaults={"products": []}), Upcast(), Upcast(defaults={"payers": {}}), Upcast(), Upcast(defaults={"agreed_on": "", "agreed_by": ""}))  # fmt: skip
    catalogue_version: int
    policy: str
    tier: str = ""
    vouchers: tuple[HeldVoucher, ...] = ()
    products: tuple[HeldProduct, ...] = ()
    payers: dict[str, str] = {}
    agreed_on: str = ""
    agreed_by: str = ""


class ValidationDeclined(Declined, name="validation.declined", step="validation", stream="order"):
    """A person gave up an order that could not be validated."""

    example = {"reason": "DQ-OFFER"}


class ValidationFellOut(FellOut, name="validation.fell-out", step="validation", stream="order"):
    """The order cannot be planned as it was sent; the channel must answer. `detail` names the first flaw."""

    example = {**_FELL_OUT, "reason": "DQ-PARTY", "waiting_for": "channel", "queue": "data-quality", "detail": "no related party"}


class DuplicateSuspected(FellOut, name="duplicate.suspected", step="duplicate", stream="order"):
    """A changed resubmission waits for a person; it changes nothing of the order in force. `detail` names what differs, and both
    channels."""

    example = {**_FELL_OUT, "reason": "DQ-DUP", "waiting_for": "channel", "queue": "data-quality"}


class DuplicateSettled(Done, name="duplicate.settled", step="duplicate", stream="order"):
    """A person decided what the resubmission was: an order of its own (approved; `order` is its id), none (declined, and refused), or the
    wish to change the one in force, which was changed to it (amend; see `order.revised`)."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "decision": "approve", "order": "960dd07c-b654-5d95-9a31-65845ce3ab78",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"order": ""}),)
    fallout: str
    decision: Literal["approve", "decline", "amend"]
    order: str = ""


class ResubmissionRefused(Event, name="order.resubmission-refused", stream="order"):
    """The channel is told that its changed paper is no order: the first one stands as it is. `fingerprint` is the paper's."""

    example = {"fingerprint": "2c26b46b68ffc68f", "channel": "store", "reason": "DQ-DUP"}
    fingerprint: str
    channel: str
    reason: str


class OrderPlanned(Event, name="order.planned", stream="order"):
    """The plan of the order, stored: per line the offering, pinned prices, billing account, steps, waits and the promised date."""

    example = {
        "account": "BA-1001", "currency": "GBP", "catalogue_version": 12, "plan_version": "2026-01",
        "items": [{"item": "1", "line": "1", "offering": "mobile-line", "specification": "spec-mobile", "characteristics": {"simType": "esim"},
                   "recurring_minor": 1999, "one_time_minor": 1000, "terms": {"period_unit": "week", "period_length": 4},
                   "steps": [{"step": "sim"}, {"step": "activation", "waits": ["sim"]}], "promised_on": "2026-01-06"}],
    }  # fmt: skip
    upcasts = (
        Upcast(),
        Upcast(),
        Upcast(),
        Upcast(),
    )  # lines of before: no day wished, a price a month, none of usage, no discount, no product that they change; as their defaults say
    account: Annotated[str, Names("account")]
    currency: str
    catalogue_version: int
    plan_version: str
    items: tuple[PlannedItem, ...]


class OrderPriced(Event, name="order.priced", stream="order"):
    """What the order costs by the version of the catalogue that it pinned: once, and of what recurs the sum of each period. Net of tax, in
    minor units, before discounts: what these take off, and are pinned to do by version 2, stands beside each sum
    (`one_time_reduced_minor`)."""

    example = {
        "currency": "GBP", "catalogue_version": 12, "one_time_minor": 1000, "one_time_reduced_minor": 0,
        "recurring": [{"period_unit": "month", "period_length": 1, "amount_minor": 1999, "reduced_minor": 400}],
    }  # fmt: skip
    upcasts = (Upcast(defaults={"one_time_reduced_minor": 0}),)
    currency: str
    catalogue_version: int
    one_time_minor: int
    one_time_reduced_minor: int = 0
    recurring: tuple[RecurringTotal, ...]


class OrderRejected(Event, name="order.rejected", stream="order"):
    """A gate said no for good; the order ends with the gate's code and no fallout."""

    example = {"reason": "KYC-MATCH"}
    reason: str


class OrderCompleted(Event, name="order.completed", stream="order"):
    """Every item is completed."""

    example: ClassVar[dict[str, object]] = {}


class OrderPartiallyCompleted(Event, name="order.partially-completed", stream="order"):
    """Every item is final and only some are completed."""


class OrderFailed(Event, name="order.failed", stream="order"):
    """Every item is final, none completed, at least one failed."""


class CancellationRequested(OfItem, name="cancellation.requested", stream="order"):
    """The whole order, or (when it names one) an item or line, is to be cancelled; `items` are those that would end with it.

    With a `part` it is that part of the item alone, such as its port-in: the item goes on, and nothing ends. Version 3 says for which
    `reason`, empty where nobody said one.
    """

    shape: ClassVar[str] = "cancellation-requested"
    example = {"items": ["1", "2"], "note": "ordered twice", "reason": "ordered-twice"}
    upcasts = (Upcast(defaults={"part": ""}), Upcast(defaults={"reason": ""}))
    items: tuple[str, ...]
    note: Annotated[str, Pii("note")] = ""
    part: str = ""
    reason: CancelReason = ""


class CancellationRefused(OfItem, name="cancellation.refused", stream="order"):
    """Nothing was cancelled: `past` are the items past their point of no return and why; `cancellable` those that still could be on their
    own.

    With a `part` it is the point of no return of that part of the items.
    """

    shape: ClassVar[str] = "cancellation-refused"
    example = {"past": {"1": "its service is on, or being switched on"}, "cancellable": ["2"]}
    upcasts = (Upcast(defaults={"part": ""}),)
    past: dict[str, str]
    cancellable: tuple[str, ...] = ()
    part: str = ""


class CancellationAccepted(OfItem, name="cancellation.accepted", stream="order"):
    """Nothing stands against the cancellation. Finished work is undone; the end follows when all partners have dropped their work.

    With a `part` the item goes on without it; a line that is not planned yet is planned without it.
    """

    shape: ClassVar[str] = "cancellation-accepted"
    example = {"item": ""}
    upcasts = (Upcast(defaults={"part": ""}),)
    part: str = ""


class OrderCancelled(Event, name="order.cancelled", stream="order"):
    """The order was cancelled as a whole: every item is final, none was completed, and all its partners have dropped its work."""


class ItemFailed(OfItem, name="item.failed", stream="order"):
    """A person decided that an item will not be completed. Its resources are given back; the items that rely on it are cancelled."""

    shape: ClassVar[str] = "item-failed"
    example = {"item": "1", "reason": "NP-INACT", "note": "customer gave up the number"}
    reason: str
    note: Annotated[str, Pii("note")] = ""


class ItemTakenIntoUse(Event, name="item.taken-into-use", stream="order"):
    """An item was completed, and is a `product` in service."""

    example = {"item": "1", "product": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1"}
    item: str
    product: str


class ItemCeased(Event, name="item.ceased", stream="order"):
    """The service of an item that was complete ended, on the local date `ended_on`: its number rests, and its SIM serves nobody any more.
    The order stays as it ended. With `steps` only what these obtained serves no more: another piece took its place."""

    example = {"item": "1", "ended_on": "2026-03-23", "steps": ["sim"]}
    upcasts = (Upcast(defaults={"steps": []}),)
    item: str
    ended_on: str
    steps: tuple[str, ...] = ()


class ItemCancelled(OfItem, name="item.cancelled", stream="order"):
    """An item was cancelled, on request or (`base`) because the item it relies on ended."""

    shape: ClassVar[str] = "item-cancelled"
    example = {"item": "2", "base": "1"}
    base: str = ""


class OrderAmended(Event, name="order.amended", stream="order"):
    """What an order says beside what is fulfilled was changed: `amended` names what, and the values of what it does not name say nothing.

    `priority` is that of everything asked for from then on, lower first. `description` and `contact` (where notices go, by the channel's
    wish) take the place of those before, empty when they were taken away; `note` is one more note.
    """

    example = {
        "amended": ["priority", "description", "contact", "note"], "priority": 1, "category": "", "description": "for the new shop",
        "contact": "ada@example.org", "note": "rang twice",
    }  # fmt: skip
    amended: tuple[str, ...]
    priority: int = 4
    category: str = ""
    description: Annotated[str, Pii("note")] = ""
    contact: Annotated[str, Pii("e-mail")] = ""
    note: Annotated[str, Pii("note")] = ""


class CorrectionApplied(OfStep, name="fallout.correction-applied", stream="*"):
    """A person corrected what a step stumbled over; the step is asked for again and its success closes the fallout. `given_at` is when.

    `corrected` names the fields that were corrected, without their values; it is empty for a plain retry, and None where it was not kept.
    """

    shape: ClassVar[str] = "resumed"
    example = {
        "item": "1",
        "step": "porting",
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1",
        "changes": {"portInCode": "ABC123456"},
        "note": "read back",
        "given_at": "2026-01-06T10:00:00Z",
        "corrected": ["portInCode"],
    }
    upcasts = (Upcast(defaults={"given_at": None}), Upcast(defaults={"corrected": None}))
    fallout: str
    changes: Annotated[dict[str, str], Pii("correction")]
    note: Annotated[str, Pii("note")] = ""
    given_at: datetime | None = None
    corrected: tuple[str, ...] | None = None


class FalloutDecided(OfStep, name="fallout.decided", stream="*"):
    """A person decided a referral or the end of a step: approve, decline, fail, force, skip, replace or amend. The event that follows
    closes the fallout."""

    shape: ClassVar[str] = "resumed"
    example = {
        "item": "",
        "step": "credit",
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1",
        "decision": "approve",
        "note": "checked payslips",
    }
    fallout: str
    decision: Literal["approve", "decline", "fail", "force", "skip", "replace", "amend"]
    note: Annotated[str, Pii("note")] = ""
