"""What a backend service reads back: plain values as JSON has them. Times are RFC 3339 stamps in UTC, amounts whole minor units."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class OrderRow(TypedDict):
    """An order in a list. `items` is their number, `state` TM Forum TMF622's."""

    order: str
    external_id: str
    customer: NotRequired[str]
    state: str
    channel: str
    captured_at: str
    items: int
    open_fallouts: int


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
    state: str
    currency: str
    total_minor: int
    paid_minor: int
    due_on: str


FalloutShown = TypedDict(
    "FalloutShown",
    {
        "fallout": str,
        "order": str | None,
        "item": str,
        "step": str,
        "reason": str,
        "class": str,
        "origin": str,
        "waiting_for": str,
        "queue": str,
        "opened_at": str,
        "attempts": int,
    },
)
"""A step that could not go on by itself: why, and who must move it."""


class FalloutListed(FalloutShown):
    """A fallout in the queue: whose it is, its age in seconds, what it blocks, who has it in hand if anybody, and what comes next.

    `state` is open, assigned, inProgress, awaitingInformation or onHold; `owner` a person, or the team of its queue; `next_at` when it comes up
    next; `level` how high it is; `rank` its turn in the queue, lower first, and `place` where a next page begins; `group` that of its like; `revenue_minor` the price of what it
    holds up, in `currency`; `waiting` the times in which our clock stood still; `our_time_s` how long it ran. `blame` is what it points at, in words; where a
    correction told whose value was wrong, `origin_event` is the event that captured it, by that channel and agent, and `origin_field` its name.
    """

    external_id: str | None
    customer: str | None
    invoice: str | None
    detail: str | None
    age_s: int
    in_hand_by: str | None
    in_hand_since: str | None
    blocks: str
    next: str
    severity: int
    code_version: str
    state: str
    owner: str
    next_at: str | None
    level: int
    rank: int
    place: str
    group: str
    offering: str
    promised_on: str | None
    revenue_minor: int
    currency: str
    waiting: list[dict[str, str | None]]
    touches: int
    handovers: int
    reopenings: int
    tickets: list[dict[str, str]]
    our_time_s: int
    partner: str
    channel: str
    blame: str
    origin_event: str | None
    origin_channel: str | None
    origin_agent: str | None
    origin_field: str | None


class FalloutGroupShown(TypedDict):
    """A group of like fallouts; see `views.fallout_groups.list_groups`."""

    group: str
    step: str
    reason: str
    partner_code: str
    partner: str
    offering: str
    plan_version: str
    count: int
    open: int
    first_at: str
    last_at: str
    trend_7d: list[int]
    revenue_minor: int | None
    currency: str | None
    hours_lost: float
    sample: str


class JobItemShown(TypedDict):
    """A fallout of a job: what became of it (done, failed, stopped, waiting), why it failed, and how it stands now."""

    fallout: str
    result: str
    why: str
    state: str
    order: str | None


class MetricShown(TypedDict):
    """A figure that there is: its meaning in a sentence, its formula in words, its unit, and by what it can be told."""

    name: str
    meaning: str
    formula: str
    unit: str
    by: list[str]


class FigureShown(TypedDict):
    """A figure with its value (None: nothing to divide by, or money of several currencies) and the ids of the events that it is counted from.

    `denominator` is None for a sum. Times have percentiles beside the mean. `rows` has the same for each `key` of the dimension `by`, where one was asked for.
    """

    name: str
    meaning: str
    formula: str
    window: str
    unit: str
    value: float | None
    p50: NotRequired[float | None]
    p90: NotRequired[float | None]
    p99: NotRequired[float | None]
    numerator: float | None
    denominator: int | None
    events_numerator: list[str]
    events_denominator: list[str]
    by: NotRequired[str]
    rows: NotRequired[list[dict[str, Any]]]


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


class OrderShown(TypedDict):
    """One order as it stands. `owner` is whose name the external id is; `after` is the order that this one was first taken for a repeat of.

    `closed_at` is None while it is open; lower `priority` goes first; `rejected_because` is empty mostly.
    """

    order: str
    owner: str
    external_id: str
    customer_id: str
    state: str
    channel: str
    captured_at: str
    priority: int
    closed_at: str | None
    account: str
    rejected_because: str
    items: list[ItemShown]
    after: str
    open_fallouts: list[FalloutOfOrder]
    resubmissions: list[ResubmissionShown]
    deposits: list[DepositShown]
    invoices: list[InvoiceShown]
    steps: list[StepShown]
    promises: list[PromiseShown]


class PartnerShown(TypedDict):
    """A partner: `kind` is simulated or real, `client` says whether it could be real; the rest is None while it is simulated."""

    partner: str
    kind: str
    client: bool
    url: str | None
    credential: str | None
    timeout_s: float | None
    calls_max: int | None


class PartnerStatusShown(TypedDict):
    """Whether a partner is up, down or draining, since when and by whose word, and the calls of its last outage."""

    partner: str
    state: str
    since: str | None
    by: str | None
    parked: int
    drained: int
    rate_per_min: int


FaultShown = TypedDict("FaultShown", {"partner": str, "kind": str, "percent": str, "from": str | None, "to": str | None, "planned": bool})
"""A fault that a simulated partner meets, planned or usual; `percent` is how many calls in a hundred meet it, a decimal as text."""


class HeldShown(TypedDict):
    """A number (`msisdn`) or SIM (`iccid`) that a customer holds, and the order it came with."""

    msisdn: NotRequired[str]
    iccid: NotRequired[str]
    state: str
    since: str
    order: str


class CustomerShown(TypedDict):
    """A customer without what is personal. What its papers say is there once it is registered; `balance` and `credit` are by
    currency; `credit_notices_owed` gives the last day by order; `money_held` is by account: owed to the customer, credit, deposits, paid back.
    """

    customer: str
    registered: bool
    kind: NotRequired[str]
    payment_method: NotRequired[str]
    tier: NotRequired[str]
    orders: list[OrderRow]
    in_service: list[dict[str, Any]]
    promised: list[dict[str, Any]]
    numbers: list[HeldShown]
    sims: list[HeldShown]
    open_fallouts: list[FalloutShown]
    contacts: list[dict[str, Any]]
    invoices: list[dict[str, Any]]
    balance: dict[str, dict[str, int]]
    credit: dict[str, dict[str, Any]]
    credit_notices_owed: dict[str, str]
    money_held: list[dict[str, Any]]


class LatePortShown(TypedDict):
    """A port that missed the day agreed for it. Days are ISO dates local to the market; `market` is its rules as pinned.

    `state` is missed, agreed (anew, for `now_agreed_on`), postponed (until the line is on), ported or cancelled. The days late are None until
    another day is agreed.
    """

    external_id: str
    order: str
    item: str
    number: str
    state: str
    agreed_on: str
    ported_on: str | None
    now_agreed_on: str | None
    late_days: int | None
    late_working_days: int | None
    cause: str
    windows_missed: int
    market: str


class OwedShown(TypedDict):
    """An account that holds money of its customer, in minor units: owed and to be paid back, credit for the next invoice, deposits."""

    account: str
    customer: str
    currency: str
    owed_minor: int
    credit_minor: int
    deposits_minor: int
    returned_minor: int
    moved_at: str
