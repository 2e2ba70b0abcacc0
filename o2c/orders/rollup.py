"""How steps make an item's state and items make the order's: pure, published, shared with the projections.

States and transitions are TM Forum TMF622's; the roll-up, first match wins over leaf items, is the founders' (order life cycle, section 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

GATES = ("validation", "identity", "credit")
"""The gates of a whole order, in the order they are passed."""

FINAL = frozenset({"rejected", "cancelled", "completed", "failed", "partial"})

ORDER_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "acknowledged": frozenset({"rejected", "pending", "inProgress", "assessingCancellation"}),
    "inProgress": frozenset({"pending", "held", "assessingCancellation", "completed", "partial", "failed"}),
    "pending": frozenset(
        {"acknowledged", "inProgress", "held", "completed", "partial", "failed", "rejected", "assessingCancellation", "pendingCancellation"}
    ),
    "held": frozenset({"inProgress", "pending", "assessingCancellation"}),
    **{state: frozenset() for state in FINAL},
}
"""The declared state machine of an order. An item's is the same without `partial`; a failing base cancels items that have not begun."""

ITEM_TRANSITIONS: Mapping[str, frozenset[str]] = {
    **ORDER_TRANSITIONS,
    "acknowledged": frozenset({"rejected", "pending", "inProgress", "cancelled"}),
    "inProgress": ORDER_TRANSITIONS["inProgress"] | {"cancelled"},
    "pending": ORDER_TRANSITIONS["pending"] | {"cancelled"},
    "held": ORDER_TRANSITIONS["held"] | {"cancelled"},
}

_STATUS = {
    "requested": "requested", "accepted": "requested", "silent": "requested", "resumed": "requested", "done": "done",
    "declined": "declined", "cancelled": "cancelled", "undone": "undone",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ItemProgress:
    """Step statuses of one leaf item (planned, requested, done, held, pending, cancelled, undone), and how it ended if it did."""

    steps: dict[str, str] = field(default_factory=dict)
    relies_on: tuple[str, ...] = ()
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """What the roll-up needs of an order and nothing else."""

    gates: dict[str, str] = field(default_factory=dict)
    items: dict[str, ItemProgress] = field(default_factory=dict)


def status_after(shape: str, waiting_for: str) -> str | None:
    """The status a step has after an event of the given shape; None when the shape does not touch it (a retry was scheduled)."""
    if shape == "fell-out":
        return "held" if waiting_for == "us" else "pending"
    return _STATUS.get(shape)


def follow(progress: Progress, shape: str, step: str, item: str, waiting_for: str = "") -> Progress:
    """One event of an order, seen as its shape. Events that do not touch a gate or a known item's step change nothing."""
    if shape in ("item-failed", "item-cancelled"):
        return _ended(progress, item, shape.removeprefix("item-"))
    status = status_after(shape, waiting_for)
    if status is None:
        return progress
    if not item and step in GATES:
        status = "pending" if status == "held" else status
        return replace(progress, gates={**progress.gates, step: status})
    known = progress.items.get(item)
    if known is None or step not in known.steps:
        return progress
    return replace(progress, items={**progress.items, item: replace(known, steps={**known.steps, step: status})})


def _ended(progress: Progress, item: str, how: str) -> Progress:
    known = progress.items.get(item, ItemProgress())
    return replace(progress, items={**progress.items, item: replace(known, ended=how)})


def plan(progress: Progress, items: Iterable[tuple[str, Iterable[str], Iterable[str]]]) -> Progress:
    """The order was planned: (item, its steps, the items it relies on), leaf items only."""
    return replace(
        progress, items={item: ItemProgress(dict.fromkeys(steps, "planned"), tuple(relies_on)) for item, steps, relies_on in items}
    )


def item_state(item: ItemProgress) -> str:
    """State of one planned leaf item. Held wins over pending: what waits for us is ours to move."""
    statuses = set(item.steps.values())
    if item.ended:
        return item.ended
    if statuses <= {"done"}:
        return "completed"
    for waiting in ("held", "pending"):
        if waiting in statuses:
            return waiting
    return "inProgress" if statuses - {"planned"} else "acknowledged"


def order_state(progress: Progress) -> str:
    """State of the order, first match wins: gates; all leaves final; all others held, or pending, or depending on such; begun; else acknowledged."""
    gates = set(progress.gates.values())
    if "declined" in gates:
        return "rejected"
    if "pending" in gates:
        return "pending"
    states = {item: item_state(known) for item, known in progress.items.items()}
    if not states:
        return "acknowledged"
    if set(states.values()) <= FINAL:
        return _all_final(set(states.values()))
    for waiting in ("held", "pending"):
        if waiting in states.values() and _all_wait(waiting, states, progress):
            return waiting
    return "acknowledged" if set(states.values()) == {"acknowledged"} else "inProgress"


def _all_final(states: set[str]) -> str:
    if states == {"completed"}:
        return "completed"
    if "completed" in states:
        return "partial"
    if states == {"rejected"}:
        return "rejected"
    return "failed" if "failed" in states else "cancelled"


def _all_wait(waiting: str, states: Mapping[str, str], progress: Progress) -> bool:
    """Whether every item that is not final is in the given waiting state or relies, through others, on one that is."""
    still_open = {item for item, state in states.items() if state not in FINAL}
    relying: dict[str, list[str]] = {}
    for item in still_open:
        for base in progress.items[item].relies_on:
            relying.setdefault(base, []).append(item)
    reached = {item for item in still_open if states[item] == waiting}
    fresh = list(reached)
    while fresh:
        found = [item for item in relying.get(fresh.pop(), ()) if item not in reached]
        reached.update(found)
        fresh += found
    return reached == still_open
