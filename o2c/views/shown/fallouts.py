"""Fallouts as they are shown: in the queue, on a page, in groups and in jobs; the codes and actions that there are for them."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

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


WaitShown = TypedDict("WaitShown", {"for": str, "from": str, "to": str | None})
"""A time in which our clock stood: for whom we waited, from when, and until when, None while we still do."""


class TicketShown(TypedDict):
    """A ticket of another system about the same."""

    system: str
    ticket: str


class FalloutStanding(FalloutShown):
    """How a fallout stands: whose it is, its age in seconds, what it blocks, who has it in hand if anybody, and what comes next.

    `state` is open, assigned, inProgress, awaitingInformation or onHold; `owner` a person, or the team of its queue; `next_at` when it
    comes up next; `level` how high it is; `rank` its turn in the queue, lower first; `group` that of its like; `revenue_minor` the price of
    what it holds up, in `currency`; `waiting` the times in which our clock stood still; `our_time_s` how long it ran. `blame` is what it
    points at, in words; where a correction told whose value was wrong, `origin_event` is the event that captured it, by that channel and
    agent, and `origin_field` its name.
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
    severity: int | None
    code_version: str
    state: str
    owner: str
    next_at: str | None
    level: int
    rank: int
    group: str
    offering: str
    promised_on: str | None
    revenue_minor: int
    currency: str
    waiting: list[WaitShown]
    touches: int
    handovers: int
    reopenings: int
    tickets: list[TicketShown]
    our_time_s: int
    partner: str
    channel: str
    blame: str
    origin_event: str | None
    origin_channel: str | None
    origin_agent: str | None
    origin_field: str | None


class FalloutListed(FalloutStanding):
    """A fallout in the queue: behind its `place` a next page begins; `closed_at` is there where closed ones are asked for, too."""

    place: str
    closed_at: NotRequired[str | None]


class ValueShown(TypedDict):
    """A value that may be corrected, as it stands."""

    key: str
    value: str


class DeedOnFallout(TypedDict):
    """What somebody did about a fallout; `note` and the `changes` of a correction where what is personal is shown."""

    at: str
    by: str
    did: str
    note: NotRequired[str | None]
    changes: NotRequired[dict[str, Any] | None]


class WayShown(TypedDict):
    """Something that may be done about a fallout, for a form: the name of the action, and what tells it from others of that name."""

    action: str
    value: str


class PaperShown(TypedDict):
    """One of two papers that came under the same external id: the one in force or the later one, when, by which channel and from whom."""

    paper: str
    came_at: str
    channel: str
    by: str


class DifferenceShown(TypedDict):
    """Where two papers differ, and how where what is personal is shown."""

    field: str
    in_force: NotRequired[str]
    later: NotRequired[str]


class FalloutPage(FalloutStanding):
    """One fallout with what a person needs to act. `values` is a word where what is personal is not shown; `stream` is what it fell out in,
    `ways` the actions as data for a form, `choices` by the key of a correction the values among which one is chosen, `cause_event` the
    position of the event that opened it; `repeated` says that its step fell out before for the same reason.

    Of two papers under one external id: `papers`, where they are `differing`, and what the `decisions` are.
    """

    stream: str
    closed_at: str | None
    closed_by: str | None
    closed_event: str | None
    opened_event: str
    cause_event: str
    recoverability: str
    partner_code: str
    acted_at: str | None
    priority: int
    category: str
    tier: str
    plan_version: str
    market: str
    due_at: str | None
    repeated: bool
    origin_at: str | None
    meaning: str
    values: list[ValueShown] | str
    actions: list[str]
    ways: list[WayShown]
    choices: dict[str, list[str]]
    deeds: list[DeedOnFallout]
    papers: NotRequired[list[PaperShown]]
    differing: NotRequired[list[DifferenceShown]]
    decisions: NotRequired[list[str]]


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


class CodeShown(TypedDict):
    """A reason code as it is in force (`kind` code), or a partner's code that is mapped to none of ours (`kind` unmapped): what it has is
    its kind's.

    A code: see `kernel.reasons.Reason`; `scheduled` is when it is tried again. An unmapped one: the step and its partner, the `raw` code,
    how often it came (`count`), and a fallout that has it (`sample`).
    """

    kind: str
    code: NotRequired[str]
    meaning: NotRequired[str]
    next: NotRequired[str]
    queue: NotRequired[str]
    fault_class: NotRequired[str]
    origin: NotRequired[str]
    severity: NotRequired[int]
    recoverability: NotRequired[str]
    retry: NotRequired[str]
    waiting_for: NotRequired[str]
    actions: NotRequired[list[str]]
    owner: NotRequired[str]
    runbook: NotRequired[str]
    version: NotRequired[str]
    valid_from: NotRequired[str]
    scheduled: NotRequired[str]
    step: NotRequired[str]
    partner: NotRequired[str]
    raw: NotRequired[str]
    count: NotRequired[int]
    sample: NotRequired[str]


class ActionShown(TypedDict):
    """An action that a fallout in a state allows: the events that follow, and what else it needs."""

    action: str
    state: str
    events: list[str]
    needs: str
    meaning: str


class SavedViewShown(TypedDict):
    """A view of the fallout queue that somebody saved: whose it is, its name, and its filters."""

    owner: str
    name: str
    filters: dict[str, str]
