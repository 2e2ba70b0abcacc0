"""Orders as they are shown: in lists, on a page, found, planned, told and cancelled."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from o2c.views.shown.fallouts import FalloutShown


class OrderOfCustomer(TypedDict):
    """An order on the page of its customer. `items` is their number, `state` TM Forum TMF622's."""

    order: str
    external_id: str
    state: str
    channel: str
    captured_at: str
    items: int
    open_fallouts: int


class OrderRow(OrderOfCustomer):
    """An order in a list."""

    customer: str


class FoundOrderShown(TypedDict):
    """An order that was looked for: `found_by` says what led to it; `holds` whether it has the number or SIM now, empty where it was found
    otherwise. Of a customer who has none, `order` and what is said of it are empty."""

    order: str
    external_id: str
    customer: str
    state: str
    channel: str
    captured_at: str | None
    found_by: str
    holds: str


class PlannedStepShown(TypedDict):
    """A step of the plan of an order: of which item, what it waits for, which try it is, how it stands, and when it was asked for and
    done."""

    item: str
    offering: str
    item_state: str
    step: str
    waits: str
    status: str
    attempt: int
    reason: str
    asked_at: str | None
    done_at: str | None
    expected_at: str | None
    reference: str | None
    what: str


DifferenceShown = TypedDict(
    "DifferenceShown", {"item": str, "attribute": str, "from": str | None, "to": str | None, "significant": bool}
)  # `from` is a word of the language
"""What a changed paper says otherwise of a line; the values are left out (None) where they may be personal."""


class VerdictShown(TypedDict):
    """Whether a line can still be changed (`free`, `soft`, `hard`), the step that decides it (`ponr`), and why."""

    item: str
    verdict: str
    ponr: str
    why: str


class WorkShown(TypedDict):
    """A step that a change makes begin (`do`), begin anew (`redo`), or takes back (`undo`), and what it waits for."""

    item: str
    step: str
    action: str
    waits: list[str]


class DearerShown(TypedDict):
    """What a change costs more, once and a period, and what taking work back costs; net, in minor units, less where negative."""

    currency: str
    one_time_minor: int
    recurring_minor: int
    penalty_minor: int


class PromisedAnewShown(TypedDict):
    """The day by which an item is promised, and by which it would be; empty for one that comes new."""

    item: str
    promised_before: str
    promised_after: str


class AssessedShown(TypedDict):
    """What it would take to change an order in flight; `points_version` is that of the table of points of no return."""

    order: str
    external_id: str
    points_version: str
    possible: bool
    diff: list[DifferenceShown]
    lines: list[VerdictShown]
    plan: list[WorkShown]
    price: DearerShown
    dates: list[PromisedAnewShown]


class TimelineEventShown(TypedDict):
    """Something that happened to an order: an event of the log, its `data` without what is personal; `causation` is the event that it
    followed from."""

    position: str
    event: str
    stream: str
    version: int
    type: str
    recorded_at: str
    occurred_at: str
    actor: str
    channel: str
    command_id: str
    causation: str | None
    data: dict[str, Any]


class CancellationShown(TypedDict):
    """The wish to cancel an order: `state` is asked for, refused (`past` says which items are past their point of no return, and why),
    under way or done.

    `reason` is a word that is counted, empty where nobody said one; `note` is None where what is personal is not shown.
    """

    order: str
    cancellation: str
    external_id: str
    customer: str
    requested_at: str
    items: list[str]
    past: dict[str, str]
    reason: str
    state: str
    ended_at: str | None
    note: str | None


class ItemShown(TypedDict):
    """An item of an order and its state; `account` is the one that it is billed to, empty before it is planned."""

    item: str
    offering: str
    state: str
    promised_on: str | None
    account: str


class DepositShown(TypedDict):
    """A deposit of an order, in minor units: that it came, or what became of it once the order was over."""

    occurred_at: str
    what: str
    amount_minor: int
    currency: str


class InvoiceShown(TypedDict):
    """An invoice that bills the order, whatever else it bills."""

    invoice: str
    legal_number: str
    state: str
    currency: str
    total_minor: int
    paid_minor: int
    due_on: str


class StepShown(TypedDict):
    """A gate of the order (no item) or a step of an item: when it was asked for and done, when more is expected, and how it stands."""

    item: str
    step: str
    status: str
    reason: str
    waiting_for: str
    asked_at: str | None
    done_at: str | None
    expected_at: str | None
    reference: str | None
    what: str


class PromiseShown(TypedDict):
    """A day that was promised for an item, when that was, and what made it so."""

    item: str
    promised_on: str
    promised_at: str
    cause: str


class FalloutOfOrder(FalloutShown):
    """An open fallout of an order, with what comes next."""

    next: str


class ResubmissionShown(TypedDict):
    """A paper that came under an order's external id with other content: from where, and what became of it."""

    channel: str
    order_date: str
    differs_in: str
    became: str
    order: str
    fallout: str


class SiteShown(TypedDict):
    """A site of an order: `site` is the account that its lines are ordered for and the first of them, `level` what the account stands for
    in the customer's hierarchy. Days are ISO, None for none; `visits_on` are those for which fitters are booked or wished. The last two are
    there where personal data is shown."""

    site: str
    account: str
    level: str
    lines: int
    done: int
    ended: int
    waiting_for: str
    release_on: str | None
    visits_on: list[str]
    promised: str | None
    projected: str | None
    late_days: int
    address: NotRequired[str]
    contact: NotRequired[str]


class OrderShown(TypedDict):
    """One order as it stands. `owner` is whose name the external id is; `after` is the order that this one was first taken for a repeat of.

    `version` is the one by which a change of it is decided (`orders.amend`). `closed_at` is None while it is open; lower `priority` goes
    first; `rejected_because` is empty mostly, `purchase_order` is the customer's own. While it is suspended, `suspended_until` says until
    when and `suspended_for` who is waited for; else None and empty.
    """

    order: str
    owner: str
    external_id: str
    customer_id: str
    state: str
    version: int
    channel: str
    captured_at: str
    priority: int
    closed_at: str | None
    account: str
    rejected_because: str
    items: list[ItemShown]
    after: str
    purchase_order: str
    suspended_until: str | None
    suspended_for: str
    open_fallouts: list[FalloutOfOrder]
    resubmissions: list[ResubmissionShown]
    deposits: list[DepositShown]
    invoices: list[InvoiceShown]
    steps: list[StepShown]
    promises: list[PromiseShown]
