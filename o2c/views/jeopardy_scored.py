"""How good the levels of danger are: learnt from the orders that were captured first, told of the last, beside what their age alone would
tell; of all or by cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from statistics import median
from typing import Any

from o2c.views.jeopardy_learnt import DAMPED, LEVELS, Item, Learnt

COHORTS = ("market", "step")
"""By what the score can be told apart."""
HELD_BACK = 0.34
"""The score learns from the orders that were captured first and predicts this share of them, the last."""


def scored(items: Sequence[Item], by: str = "") -> list[dict[str, Any]]:
    """The score of each level on items that are over, in the order of their capture; nothing of fewer than two. With `by` (one of COHORTS)
    of each cohort of those held back, those with most that were late first. Pure."""
    cut = int(len(items) * (1 - HELD_BACK))
    begun, held = items[:cut], items[cut:]
    if not begun:
        return []
    until = held[0].captured_at
    # What was not over by then was not known to be late, but for what was past its day.
    learnt = Learnt([item for item in begun if item.due <= until])
    late = Counter(name for item in held for name in _cohorts(item, by) if item.is_late())
    names = sorted({name for item in held for name in _cohorts(item, by)}, key=lambda name: (-late[name], name))
    return [
        {"cohort": name, **_score(level, learnt, *([item for item in some if name in _cohorts(item, by)] for some in (begun, held)))}
        for name in names
        for level in LEVELS
    ]


def _cohorts(item: Item, by: str) -> Collection[str]:
    """Where an item counts: `*` for all together, its market, or each step that it asked for."""
    if by == "market":
        return (item.facts["market"].partition("@")[0],)
    return item.asked.keys() if by == "step" else ("*",)


def _score(level: str, learnt: Learnt, begun: Sequence[Item], held: Sequence[Item]) -> dict[str, Any]:
    leads = {place: lead for place, item in enumerate(held) if (lead := _lead(level, learnt, item)) is not None}
    hits = [lead for place, lead in leads.items() if held[place].is_late()]
    late = sum(item.is_late() for item in held)
    lead = timedelta(seconds=median(hit.total_seconds() for hit in hits)) if hits else timedelta(hours=24)
    told = _rated(len(leads), len(hits), late)
    baseline = _baseline(begun, held, lead)
    counts = {"trained_on": len(begun), "tested_on": len(held), "late": late}
    lead_h = round(lead.total_seconds() / 3_600, 1) if hits else None
    return {
        "level": level,
        **counts,
        **told,
        "lead_h_p50": lead_h,
        "baseline": baseline,
        "better": (told["f1"] or 0) > (baseline["f1"] or 0),
    }


def _lead(level: str, learnt: Learnt, item: Item) -> timedelta | None:
    """How long before the end of its day an item was first known to be of a level or worse; None where it never was."""
    least = LEVELS[level]
    at = item.planned_at + DAMPED
    before = 0.0
    while at <= item.due and (item.over is None or at < item.over):
        chance = learnt.chance_late(item, at)
        if min(chance, before) >= least:
            return item.due - at
        before, at = chance, at + DAMPED
    return None


def _rated(predicted: int, hit: int, late: int) -> dict[str, Any]:
    precision, recall = hit / predicted if predicted else None, hit / late if late else None
    f1 = 2 * precision * recall / (precision + recall) if precision and recall else 0.0 if predicted or late else None
    rounded = {
        name: None if value is None else round(value, 3) for name, value in (("precision", precision), ("recall", recall), ("f1", f1))
    }
    return {"predicted": predicted, "hit": hit, **rounded}


def _baseline(begun: Sequence[Item], held: Sequence[Item], lead: timedelta) -> dict[str, Any]:
    """By age alone: late is what is open at the lead and at least so old, from the age that was best where it is learnt."""
    ages = sorted({round(_age_h(item, lead)) for item in begun if _is_open(item, lead)})
    steps = ages[:: max(len(ages) // 50, 1)] or [0]
    best = max(steps, key=lambda least: _by_age(begun, lead, least)["f1"] or 0)
    return {"age_h": best, **_by_age(held, lead, best)}


def _by_age(items: Sequence[Item], lead: timedelta, least_h: float) -> dict[str, Any]:
    predicted = [item for item in items if _is_open(item, lead) and _age_h(item, lead) >= least_h]
    return _rated(len(predicted), sum(item.is_late() for item in predicted), sum(item.is_late() for item in items))


def _is_open(item: Item, lead: timedelta) -> bool:
    at = item.due - lead
    return item.captured_at <= at and (item.over is None or item.over > at)


def _age_h(item: Item, lead: timedelta) -> float:
    return (item.due - lead - item.captured_at).total_seconds() / 3_600
