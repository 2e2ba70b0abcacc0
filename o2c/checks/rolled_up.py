"""The kind of rule that an order, and each of its items, is held to: the states that the roll-up gives, and how they may follow one
another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

from o2c.checks.rule_kinds import MACHINE, Events, Rule, Step, moved, named
from o2c.kernel.event import Event
from o2c.orders.rollup import Progress, follow, item_state, needed, order_state, plan, replan, status_after
from projections.engine.seen import Seen

ENDS = named("order.completed", "order.partially-completed", "order.failed", "order.rejected", "order.cancelled")
"""The events by which an order is over."""
_OVER = "over"


def _moving(cls: type[Event]) -> bool:
    """Whether events of a class change the progress of an order."""
    return status_after(cls.shape, "") is not None or cls.shape.startswith(("item-", "cancellation-"))


_PROGRESS = Events(of="order", that=_moving, meaning="anything that moves a step, an item or a cancellation")


class _Rolled(NamedTuple):
    """An order's progress, and the state of the whole by it."""

    progress: Progress
    state: str


@dataclass(frozen=True, kw_only=True)
class RolledUp(Rule):
    """An order, or each of its items, moves as declared from state to state by the roll-up. What comes after its end is another rule's
    matter."""

    whose: Literal["order", "items"]
    allowed: Mapping[str, frozenset[str]]
    kind: ClassVar[str] = MACHINE

    @cached_property
    def reads(self) -> tuple[Events, ...]:
        """The plan, the ends, and every event in a shape that changes a step, an item or a cancellation."""
        return (named("order.planned", "order.revised"), ENDS, _PROGRESS)

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Fold the event into the progress of the order, and compare the states before and after."""
        if memo == _OVER or not seen.stream.startswith("order-"):
            return Step(memo)
        before: _Rolled = memo or _Rolled(Progress(), "acknowledged")
        if ENDS.has(seen):
            return Step(_OVER, True)
        after = _PLANS.get(seen.type, _followed)(before.progress, seen)
        if after is before.progress:
            return Step(before, True)
        if self.whose == "items":
            move = _item_move(before.progress, after, seen.item)
            return Step(_Rolled(after, ""), True, moved(*move, self.allowed, f"item {seen.item}") if move else None, move)
        state = order_state(after)
        return Step(_Rolled(after, state), True, moved(before.state, state, self.allowed, "the order"), (before.state, state))

    def declared(self) -> Iterator[tuple[str, str, str]]:
        """Every move that is declared, from state to state: many events may bring it, so that none is named."""
        return ((state, "", after) for state, all_after in self.allowed.items() for after in sorted(all_after))


def _item_move(before: Progress, after: Progress, item: str) -> tuple[str, str] | None:
    """The states of an item before and after; None for one that is not in both, or that nothing happened to."""
    old, new = before.items.get(item), after.items.get(item)
    return None if old is None or new is None or old is new else (item_state(old), item_state(new))


def _planned(progress: Progress, seen: Seen) -> Progress:
    items = seen.body["items"]
    return plan(
        progress,
        (
            (
                item["item"],
                [step["step"] for step in item["steps"]],
                needed(item["relies_on"], (step.get("waits", ()) for step in item["steps"])),
            )
            for item in items
        ),
    )


def _revised(progress: Progress, seen: Seen) -> Progress:
    items = ((item["item"], [step["step"] for step in item["steps"]], item["relies_on"]) for item in seen.body["items"])
    return replan(progress, items, seen.body["removed"])


def _followed(progress: Progress, seen: Seen) -> Progress:
    return follow(progress, seen.shape, seen.step, seen.item, seen.body.get("waiting_for", ""))


_PLANS = {"order.planned": _planned, "order.revised": _revised}
