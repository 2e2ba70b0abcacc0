"""The desk for what a person keeps for himself: views of the fallout queue under names of his own."""

from __future__ import annotations

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.saved import rules
from o2c.saved.events import ViewForgotten, ViewSaved
from o2c.saved.state import ViewsState, stream_of
from o2c.views.fallouts import SORTS, Sort, aged, filtered_by


def save_view(
    app: Engine,
    context: Context,
    name: str,
    *,
    queue: str = "",
    reason: str = "",
    order: str = "",
    customer: str = "",
    group: str = "",
    owner: str = "",
    state: str = "",
    age_days: int = 0,
    everything: bool = False,
    sort: Sort = "rank",
) -> Written:
    """Save a view of the fallout queue under a name, for whoever asks; one that has the name already is replaced.

    The filters are those of `fallout.list`; `order` may be the channel's own id as well. The name is of the kind of work, nothing personal:
    it stands in the log. Raises Refused: usage (a name, queue, reason, state, age or sort that is none, or one view too many), forbidden.
    """
    filtered_by(app, queue, reason, state)
    if sort not in SORTS:
        raise Refused(f"fallouts are not sorted by {sort}; use one of {', '.join(SORTS)}")
    said = {"queue": queue, "reason": reason, "order": order, "customer": customer, "group": group, "owner": owner, "state": state}
    filters = {key: value for key, value in said.items() if value}
    filters |= {"age_days": str(aged(str(age_days)))} if age_days else {}
    filters |= {"everything": "1"} if everything else {}
    filters |= {"sort": sort} if sort != "rank" else {}
    saved = ViewSaved(owner=context.actor, name=name, filters=filters)

    def rule(state: ViewsState, at: object) -> Decision:
        return rules.save(state, saved)

    return act(app, context, "fallout.save-view", Deed(stream_of(context.actor), (rule,), ["save view", name, filters]))


def forget_view(app: Engine, context: Context, name: str) -> Written:
    """Forget a view that whoever asks has saved. Raises Refused: missing (there never was one of that name), forbidden."""
    forgotten = ViewForgotten(owner=context.actor, name=name)

    def rule(state: ViewsState, at: object) -> Decision:
        return rules.forget(state, forgotten)

    return act(app, context, "fallout.forget-view", Deed(stream_of(context.actor), (rule,), ["forget view", name]))
