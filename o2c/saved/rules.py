"""When a view of the fallout queue is saved, and when it is forgotten."""

from __future__ import annotations

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused
from o2c.saved.events import ViewForgotten, ViewSaved
from o2c.saved.state import ViewsState

NAME_LENGTH_MAX = 40
VIEWS_MAX = 50
"""So many views a person may have at once: more are no help in finding one."""


def save(state: ViewsState, saved: ViewSaved) -> Decision:
    """Save a view under its name; nothing when it is saved so already.

    Raises Refused (usage): a name that is none, and one more view than VIEWS_MAX.
    """
    name = saved.name
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > NAME_LENGTH_MAX:
        raise Refused(f"a view is saved under a name of 1 to {NAME_LENGTH_MAX} printable characters, without blanks around it")
    if name not in state.views and len(state.views) >= VIEWS_MAX:
        raise Refused(f"{saved.owner} has {VIEWS_MAX} views already; forget one first")
    return NOTHING if state.views.get(name) == saved.filters else just(saved)


def forget(state: ViewsState, forgotten: ViewForgotten) -> Decision:
    """Forget a view; nothing when it is forgotten. Raises Refused (missing) for one that there never was."""
    if forgotten.name in state.views:
        return just(forgotten)
    if forgotten.name in state.gone:
        return NOTHING
    raise Refused(f"{forgotten.owner} has no view of that name; `o2c fallout saved-views` shows those that there are", kind="missing")
