"""The roll-up: steps make the state of an item, and items that of the order. Pure, published, shared with the projections.

Source: TM Forum TMF622 for the states and transitions; order life cycle, section 1, for the roll-up (first match wins over leaf items).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from o2c.kernel.frozen import changed

GATES = ("validation", "identity", "credit")
"""The gates of a whole order, in the order they are passed."""

SUSPENSION = "suspension"
"""The step by which an order is suspended: until it is resumed the order is pending, as behind a gate."""

FINAL = frozenset({"rejected", "cancelled", "completed", "failed", "partial"})
"""The states that an order or item never leaves. A recoverable fallout is therefore held or pending, never failed."""

ORDER_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "acknowledged": frozenset({"rejected", "pending", "inProgress", "assessingCancellation"}),
    "inProgress": frozenset({"acknowledged", "pending", "held", "assessingCancellation", "completed", "partial", "failed"}),
    "pending": frozenset(
        {"acknowledged", "inProgress", "held", "completed", "partial", "failed", "rejected", "assessingCancellation", "pendingCancellation"}
    ),
    "held": frozenset({"inProgress", "pending", "assessingCancellation"}),
    "assessingCancellation": frozenset({"acknowledged", "inProgress", "pending", "held", "pendingCancellation"}),
    "pendingCancellation": frozenset({"cancelled"}),
    **{state: frozenset() for state in FINAL},
}
"""The declared state machine of an order. Nothing else leads back out of `assessingCancellation` but the state it came from.

Nothing leads from `inProgress` back to `acknowledged` but a change of the paper that took back all that had begun (decisions/0048)."""

ITEM_TRANSITIONS: Mapping[str, frozenset[str]] = {
    **ORDER_TRANSITIONS,
    "acknowledged": frozenset({"rejected", "pending", "inProgress", "cancelled", "failed"}),
    "inProgress": ORDER_TRANSITIONS["inProgress"] | {"cancelled", "pendingCancellation"},
    "pending": ORDER_TRANSITIONS["pending"] | {"cancelled"},
    "held": ORDER_TRANSITIONS["held"] | {"cancelled", "pendingCancellation"},
}

"""The same for an item, without `partial`. A cancelled item is in `pendingCancellation` while partners are asked to drop its work.

One that nothing was done for yet, because it waits for others of its order, can be failed like any.

An item has no state of its own while a cancellation is assessed, so that one which is held, because a partner has not dropped a part that
it was to go on without, goes there at one stroke.
"""

_WAITING = ("held", "pending")
"""The states of an item that waits for a person or a third party; held wins, because it is ours to move."""

_CANCELLATION = {
    "cancellation-requested": "assessingCancellation",
    "cancellation-refused": "",
    "cancellation-accepted": "pendingCancellation",
}
_STATUS = {
    "requested": "requested", "accepted": "requested", "silent": "requested", "resumed": "requested", "done": "done",
    "declined": "declined", "cancelled": "cancelled", "undone": "undone", "recall": "requested",
    "renewed": "planned", "parked": "requested", "unparked": "requested", "given-up": "given-up",
}  # fmt: skip


_NOT_MISSED = frozenset({"done", "given-up"})
"""The statuses of a step that its item no longer waits for."""


@dataclass(frozen=True, slots=True)
class ItemProgress:
    """The step statuses of one leaf item (planned, requested, done, held, pending, cancelled, undone, given-up), and how it ended if it
    did.

    `recalls` are the steps by which partners are asked to drop its work; an item that ended, or goes on without that work, is over when
    they are done.
    """

    steps: dict[str, str] = field(default_factory=dict)
    relies_on: tuple[str, ...] = ()
    ended: str = ""
    recalls: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """The part of an order that the roll-up reads. `cancellation` is the state that a cancellation of the whole order gives it; `removed`
    are the items that an accepted change of its paper took out."""

    gates: dict[str, str] = field(default_factory=dict)
    items: dict[str, ItemProgress] = field(default_factory=dict)
    cancellation: str = ""
    removed: tuple[str, ...] = ()


def status_after(shape: str, waiting_for: str) -> str | None:
    """Give the status of a step after an event of a shape; None for a shape that does not change it (a retry was scheduled).

    A fallout is `held` when it waits for us and `pending` when it waits for anybody else. Source: order life cycle, section 1.
    """
    if shape == "fell-out":
        return "held" if waiting_for == "us" else "pending"
    return _STATUS.get(shape)


def follow(progress: Progress, shape: str, step: str, item: str, waiting_for: str = "") -> Progress:
    """Fold one event of an order, seen as its shape. An event that changes no gate and no step of an item changes nothing."""
    if shape in ("item-failed", "item-cancelled"):
        return _ended(progress, item, shape.removeprefix("item-"))
    if shape in _CANCELLATION:
        return progress if item else changed(progress, cancellation=_CANCELLATION[shape])
    status = status_after(shape, waiting_for)
    if status is None:
        return progress
    if not item and step in (*GATES, SUSPENSION):
        status = "pending" if status == "held" or (status == "requested" and step == SUSPENSION) else status
        return changed(progress, gates={**progress.gates, step: status})
    before = progress.items.get(item)
    if before is None:
        return progress
    after = follow_item(before, shape, step, status)
    return progress if after is before else changed(progress, items={**progress.items, item: after})


def follow_item(item: ItemProgress, shape: str, step: str, status: str) -> ItemProgress:
    """Give a leaf item after an event that leaves one of its steps in a status; the same object when that changes nothing."""
    if shape == "recall" or step in item.recalls:
        # What a partner dropped stays dropped, until it is asked to drop what was done anew; an item that is over stays over.
        again = shape == "recall" and not item.ended
        if (item.recalls.get(step) == "done" and not again) or (item.ended and item_state(item) in FINAL):
            return item
        if status == "cancelled" and not item.ended:  # the partner keeps the work, and the item goes on with it
            return ItemProgress(item.steps, item.relies_on, item.ended, {name: of for name, of in item.recalls.items() if name != step})
        return ItemProgress(item.steps, item.relies_on, item.ended, {**item.recalls, step: status})
    if step not in item.steps:
        return item
    return ItemProgress({**item.steps, step: status}, item.relies_on, item.ended, item.recalls)


def _ended(progress: Progress, item: str, how: str) -> Progress:
    before = progress.items.get(item, ItemProgress())
    return changed(progress, items={**progress.items, item: changed(before, ended=how)})


def needed(relies_on: Iterable[str], waits: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Give the items without which one goes not on: those that it relies on, and those of which some step of it waits for a step
    (`item/step`)."""
    of_others = (wait.rpartition("/")[0] for of_step in waits for wait in of_step if "/" in wait)
    return tuple(dict.fromkeys((*relies_on, *of_others)))


def plan(progress: Progress, items: Iterable[tuple[str, Iterable[str], Iterable[str]]]) -> Progress:
    """Fold the plan of an order: (item, its steps, the items that it needs), leaf items only."""
    return changed(
        progress, items={item: ItemProgress(dict.fromkeys(steps, "planned"), tuple(relies_on)) for item, steps, relies_on in items}
    )


def replan(progress: Progress, items: Iterable[tuple[str, Iterable[str], Iterable[str]]], removed: Iterable[str]) -> Progress:
    """Fold a change of the plan: (item, its steps, the items that it needs) of those that are planned anew or come, and those that go.

    Steps keep how they stand, whether they are in the new plan or not; those that come are planned.
    """
    anew: dict[str, ItemProgress] = {}
    for item, steps, relies_on in items:
        before = progress.items.get(item, ItemProgress())
        stand = {step: before.steps.get(step, "planned") for step in steps}
        anew[item] = changed(before, steps={**before.steps, **stand}, relies_on=tuple(relies_on))
    gone = dict.fromkeys((*progress.removed, *removed))
    return changed(progress, items={**progress.items, **anew}, removed=tuple(item for item in gone if item not in anew))


def item_state(item: ItemProgress) -> str:
    """Give the state of one planned leaf item. Held wins over pending, because held is ours to move.

    An item that is failing is in progress, or waits, until its partners have dropped its work: held never becomes failed at one stroke. So
    is one that goes on without a part of it. A step that was given up is not missed.
    Source: order life cycle, section 1 (allowed transitions).
    """
    statuses = {*item.recalls.values(), *(() if item.ended else item.steps.values())}
    if statuses <= _NOT_MISSED:
        return item.ended or "completed"
    if item.ended == "cancelled":
        return "pendingCancellation"
    for waiting in _WAITING:
        if waiting in statuses:
            return waiting
    return "inProgress" if statuses - {"planned", "given-up"} else "acknowledged"


def order_state(progress: Progress) -> str:
    """Give the state of an order, by the first of these that holds.

    A declined gate; a cancellation of the whole order, which ends as one; an open gate; all leaves final; every other leaf waiting, by
    itself or for one that does (held when any is held, because that is ours to move, else pending); begun; else acknowledged.

    Source: order life cycle, section 1 (roll-up), where one leaf held and another pending looked as if somebody were at work.
    """
    gates = set(progress.gates.values())
    if "declined" in gates:
        return "rejected"
    every = {item: item_state(of_item) for item, of_item in progress.items.items()}
    over = set(every.values()) <= FINAL
    # What a change of the paper took out counts no more, but for that its work is taken back before the order is over.
    states = {item: state for item, state in every.items() if item not in progress.removed or state not in FINAL} or every
    if progress.cancellation == "pendingCancellation":
        return "cancelled" if over and not gates & {"requested", "pending"} else progress.cancellation
    if progress.cancellation and not (states and over):
        return progress.cancellation
    if "pending" in gates:
        return "pending"
    if not states:
        return "acknowledged"
    if over:
        return _all_final(set(states.values()))
    if _all_wait(states, progress):
        return "held" if "held" in states.values() else "pending"
    return "acknowledged" if set(states.values()) == {"acknowledged"} else "inProgress"


def together(states: Iterable[str]) -> str:
    """Give the state that a bundle shows, or a line of several: all final, as an order that has only them; else held, pending, begun."""
    found = set(states)
    if found <= FINAL:
        return found.pop() if len(found) == 1 else _all_final(found)
    if len(found) == 1:
        return found.pop()
    return next((state for state in _WAITING if state in found), "inProgress")


def _all_final(states: set[str]) -> str:
    if states == {"completed"}:
        return "completed"
    if "completed" in states:
        return "partial"
    if states == {"rejected"}:
        return "rejected"
    return "failed" if "failed" in states else "cancelled"


def _all_wait(states: Mapping[str, str], progress: Progress) -> bool:
    """Whether every item that is not final is held or pending, or relies, through others, on one that is."""
    still_open = {item for item, state in states.items() if state not in FINAL}
    reached = {item for item in still_open if states[item] in _WAITING}
    if not reached:
        return False
    relying: dict[str, list[str]] = {}
    for item in still_open:
        for base in progress.items[item].relies_on:
            relying.setdefault(base, []).append(item)
    fresh = list(reached)
    while fresh:
        newly_reached = [item for item in relying.get(fresh.pop(), ()) if item not in reached]
        reached.update(newly_reached)
        fresh += newly_reached
    return reached == still_open
