"""An order in full, as programs exchange it."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class LineShown(TypedDict):
    """A line of an order as it was captured, with the state and the last day promised of the items that it became; `parent` is the line
    that it is within."""

    item: str
    parent: str
    action: str
    quantity: str
    offering: str
    product: str
    account: str
    requested_start: str
    requested_completion: str
    relies_on: list[str]
    state: str
    promised_on: str | None


class MilestoneShown(TypedDict):
    """A milestone of an order (no item) or of an item: `status` is reached, missed or to come; `promised_until` the moment in which the day
    promised ends."""

    item: str
    milestone: str
    promised_on: str | None
    promised_until: str | None
    reached_at: str | None
    status: str


class RevisedPromiseShown(TypedDict):
    """The day first promised for an item and the one promised now, how often it was revised, the step and reason that moved it first, and
    the danger that was written down last (hazard, critical; empty for none)."""

    item: str
    first_promised_on: str
    promised_on: str
    revisions: int
    state: str
    cause_step: str
    cause_reason: str
    danger: str


FalloutOfDocument = TypedDict(
    "FalloutOfDocument",
    {
        "fallout": str,
        "item": str,
        "step": str,
        "reason": str,
        "class": str,
        "waiting_for": str,
        "state": str,
        "opened_at": str,
        "closed_at": str | None,
        "meaning": str,
    },
)
"""A fallout of an order, open or closed, with what its reason means."""


class CancellationOfDocument(TypedDict):
    """A wish to cancel the order (no item), an item or a part of one; `answer` is accepted, refused or still empty."""

    cancellation: str
    item: str
    part: str
    requested_at: str
    items: list[str]
    answer: str
    answered_at: str | None
    past: dict[str, str]
    ended_at: str | None


class AmendmentShown(TypedDict):
    """What an order says of itself was changed: `amended` names what. The texts are there where what is personal is shown."""

    amendment: str
    amended_at: str
    by: str
    amended: list[str]
    priority: int
    category: str
    description: NotRequired[str]
    contact: NotRequired[str]
    note: NotRequired[str]


class DocumentShown(TypedDict):
    """An order in full. `named_by_us` says that its external id is ours; `danger` is what was written down of an order of which nothing is
    promised (hazard or critical), at `danger_at`; `paper` is what was captured to the letter, None where that is not shown."""

    order: str
    external_id: str
    owner: str
    named_by_us: bool
    customer: str
    agent: str
    account: str
    market: str
    channel: str
    category: str
    priority: int
    state: str
    captured_at: str
    closed_at: str | None
    danger: str
    danger_at: str | None
    requested_start: str
    requested_completion: str
    promised_on: str | None
    promised_until: str | None
    after: str
    lines: list[LineShown]
    milestones: list[MilestoneShown]
    promises: list[RevisedPromiseShown]
    fallouts: list[FalloutOfDocument]
    cancellations: list[CancellationOfDocument]
    amendments: list[AmendmentShown]
    paper: dict[str, Any] | None
