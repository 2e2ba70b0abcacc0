"""What a change would take of an order in flight, before anybody decides it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from o2c.engine.app import Engine
from o2c.orders.assessing import Assessed, Difference, assess
from o2c.orders.points_of_no_return import VERSION
from o2c.orders.state import OrderState
from o2c.views.changed_papers import HIDDEN, Change, proposed
from o2c.views.orders import find_order
from o2c.views.shown import AssessedShown


def assess_change(
    app: Engine, name: str, paper: bytes | str | Mapping[str, Any] = "", *, merge: bool = False, resubmission: str = ""
) -> AssessedShown:
    """What it would take to make an order in flight the one of a changed paper: nothing is written.

    `paper` is the whole order as it is to be (TMF622), or with `merge` a merge patch on the paper in force (RFC 7396: a list takes the
    place of the whole list); or else `resubmission` names the fallout of the paper that a channel sent later. The answer names what
    differs, whether each line can still be changed (free: nothing of it has begun; soft: work is taken back or done anew; hard: past its
    point of no return, which needs an order of its own), the work that this makes in its order, what it costs more (net, in minor units;
    less where negative), what taking back costs that partners have (`penalty_minor`), and the days promised before and after. What was
    corrected stays corrected. Prices are ours to say: those of the paper are not read. Raises Refused: missing (no such order or
    resubmission), conflict (an order that is not planned or is over; a resubmission that was decided), usage (a paper that cannot be read
    or carried out, or names another customer, or by the same line another product); Lost where others changed the same since a resubmission
    came.
    """
    wanted = Change(paper, merge, resubmission=resubmission)
    stream, state = find_order(app, name)
    change = proposed(app, stream, state, wanted)
    return _shown(state, assess(state, change.in_force, change.wished, app.clock().now, app.book, agreed=change.agreed))


def _shown(state: OrderState, found: Assessed) -> AssessedShown:
    return {
        "order": state.order_id,
        "external_id": state.external_id,
        "points_version": VERSION,
        "possible": all(verdict != "hard" for verdict, *_ in found.verdicts.values()),
        "diff": [
            {
                "item": one.line,
                "attribute": one.attribute,
                "from": one.before if _is_told(one) else None,
                "to": one.after if _is_told(one) else None,
                "significant": one.significant,
            }
            for one in found.differences
        ],
        "lines": [{"item": line, "verdict": verdict, "ponr": step, "why": why} for line, (verdict, step, why) in found.verdicts.items()],
        "plan": [{"item": one.item, "step": one.step, "action": one.action, "waits": list(one.waits)} for one in found.work],
        "price": {
            "currency": found.after.currency,
            "one_time_minor": _once(found.after) - _once(found.before),
            "recurring_minor": _recurring(found.after) - _recurring(found.before),
            "penalty_minor": sum(one.amount_minor for one in found.penalties),
        },
        "dates": [
            {"item": item, "promised_before": state.items[item].promised_on if item in state.items else "", "promised_after": day}
            for item, day in found.promised.items()
        ],
    }


def _is_told(one: Difference) -> bool:
    return one.significant and one.attribute.partition("#")[0] not in HIDDEN


def _once(priced: Any) -> int:
    return int(priced.one_time_minor - priced.one_time_reduced_minor)


def _recurring(priced: Any) -> int:
    return sum(each.amount_minor - each.reduced_minor for each in priced.recurring)
