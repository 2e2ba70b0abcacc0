"""What a person may do about a fallout: one table of action and state, with the events that follow. A pair that is not listed is
refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from o2c.kernel.refusal import Refused

Stage = Literal["waiting", "under-way", "closed", "reopened"]
"""How a fallout stands: its step waits for somebody; the step goes on after what somebody did, and nothing came of it yet; it is closed; it
is closed and looked at again."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action: what it does in a sentence, in which states of a fallout it may be taken, the events that it writes, and what else it
    needs."""

    name: str
    meaning: str
    stages: tuple[Stage, ...]
    events: tuple[str, ...]
    needs: str = ""


_GOING_ON: tuple[Stage, ...] = ("waiting", "under-way")
_OPEN: tuple[Stage, ...] = (*_GOING_ON, "reopened")
_ALWAYS: tuple[Stage, ...] = (*_OPEN, "closed")

_TABLE = (
    Action("retry", "Try the step again as it is.", ("waiting",), ("fallout.correction-applied", "*.requested"), "a step that is asked for"),
    Action("park", "Try the step again when its partner is up: its call is parked until then, and made with the others that wait.", ("waiting",),
           ("fallout.correction-applied", "*.requested", "call.parked"), "a step whose partner is down"),
    Action("correct", "Correct values that stopped the step, and try again.", ("waiting",), ("fallout.correction-applied", "*.requested"),
           "a value that may still be corrected"),
    Action("decide", "Approve or decline what was referred to a person; a paper that came later may be what its order is changed to, too (`o2c orders amend`).",
           ("waiting",), ("fallout.decided",), "a step that can be decided"),
    Action("force", "Propose that the step counts as done by other means, or agree with who proposed it.", ("waiting",),
           ("fallout.force-proposed", "fallout.decided", "step.forced"), "a step whose outcome no later step reads; two people"),
    Action("skip", "Leave the step out: nothing is done, and what waits for it goes on.", ("waiting",), ("fallout.decided", "step.skipped"),
           "a step of an item whose outcome no later step reads"),
    Action("replace", "Give up the SIM that the step works with, and take another.", ("waiting",), ("fallout.decided", "sim.*", "step.renewed"),
           "a step that works with a SIM"),
    Action("fail-item", "End the item; what relies on it is cancelled.", ("waiting",), ("fallout.decided", "item.failed"), "an item"),
    Action("fail-order", "End every open item of the order.", ("waiting",), ("fallout.decided", "item.failed"), "a planned order"),
    Action("cancel", "Cancel the whole order for the customer.", _GOING_ON, ("cancellation.requested",), "an order before its point of no return"),
    Action("claim", "Take it in hand for some time, so that nobody else works on it.", _OPEN, ("fallout.claimed",), "nobody else has claimed it"),
    Action("assign", "Give it to somebody, or to another queue.", _OPEN, ("fallout.assigned",)),
    Action("release", "Give it back to its queue.", _OPEN, ("fallout.released",), "somebody has it"),
    Action("snooze", "Leave it alone until a time.", _OPEN, ("fallout.snoozed",), "a time to come"),
    Action("wait", "Wait for the customer, a partner or the regulator: our clock stops.", _OPEN, ("fallout.paused",)),
    Action("resume", "Go on after a wait or a snooze: our clock runs again.", _OPEN, ("fallout.resumed",), "one that waits or is left alone"),
    Action("request-information", "Ask the customer or the channel for something, and wait for it: our clock stops.", _OPEN,
           ("fallout.information-requested",)),
    Action("reopen", "Look at a closed one again: its step is not touched.", ("closed",), ("fallout.reopened",), "a note that says why"),
    Action("settle", "What was looked at again is in order.", ("reopened",), ("fallout.settled",)),
    Action("escalate", "Put it one level up.", _OPEN, ("fallout.escalated",), "a level above"),
    Action("note", "Write something down for whoever works on it next.", _ALWAYS, ("fallout.noted",)),
    Action("link-ticket", "Name the ticket of another system that is about it.", _ALWAYS, ("fallout.ticket-linked",)),
    Action("change-origin", "Say who or what was to blame, and why.", _ALWAYS, ("fallout.origin-changed",)),
)  # fmt: skip
ACTIONS: Mapping[str, Action] = {action.name: action for action in _TABLE}
"""Every action by its name, in the order in which a person thinks of them."""


def check(action: str, stage: Stage, fallout: str) -> None:
    """Raise Refused (conflict) unless the table lists the action for a fallout that stands so."""
    if stage in ACTIONS[action].stages:
        return
    why = {
        "waiting": "waits for somebody",
        "under-way": "is under way again; wait for what comes of it",
        "closed": "is closed; nothing to do",
        "reopened": "is closed and looked at again",
    }
    raise Refused(f"fallout {fallout}: {action} cannot be done, it {why[stage]}; see `o2c fallout actions`", kind="conflict")
