"""Ranges of numbers that were approved for invoices and credit notes: what is left of each, how long that lasts at the pace of late, and
which runs low."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from o2c.engine.app import Engine
from o2c.invoicing.papers import NumberRange, Paper
from o2c.invoicing.range_events import RANGES, RangeApproved
from o2c.invoicing.range_state import RangesState
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.registry import MARKETS, current
from o2c.views.reading import all_seen
from o2c.views.shown import NumberRangeShown
from projections.invoices import ISSUED_LATELY

PAPERS: Mapping[Paper, str] = {"INV": "invoices", "CRN": "credit-notes"}
"""What each kind of paper is called on every face."""
CODES = tuple(sorted(MARKETS))
"""The markets whose suppliers may have ranges."""
PACE_DAYS = 31
"""The pace is learnt from the papers of so many days: a whole cycle of bill runs."""
_NOTES_LATELY = """SELECT count(*)::bigint AS n FROM o2c.event
WHERE type = 'credit-note.issued' AND body ->> 'legal_number' <> '' AND body ->> 'issued_on' > %(since)s::text
    AND EXISTS (SELECT FROM unnest(%(prefixes)s::text[]) AS p (prefix) WHERE starts_with(body ->> 'legal_number', prefix))"""
"""How many credit notes were issued after a day with numbers that begin in certain ways. Parameters, by name: since, prefixes."""


def list_ranges(app: Engine, *, market: str = "") -> list[NumberRangeShown]:
    """Ranges of numbers that were approved for invoices, then those for credit notes, the oldest first: what is taken and left of each, and
    what is to be done about it.

    `papers` says for which. `state` is in-use (the next one takes its number there), waiting (for those before it, or its first day),
    expired, used-up or closed. `days_left` is how long the numbers last at the pace of the last 31 days, None where no such paper was
    issued in them. `low` asks for another range: it is in use, no other waits, and no more numbers or days are left than the approval
    names. Raises Refused (usage) for a market that there is not.
    """
    if market and market not in MARKETS:
        raise Refused(f"there is no market {market[:40]}; use one of {', '.join(sorted(MARKETS))}")
    state: RangesState = app.load_one(RANGES).state
    if not state.approved:
        return []
    all_seen(app)
    now = app.clock().now
    taken = app.reads.last_numbers(list(state.approved))
    found: list[NumberRangeShown] = []
    for code in [market] if market else sorted(MARKETS):
        rules = current(code, now.date())
        today = local_date(now, rules.zone)
        entity = rules.invoicing.supplier.entity
        for paper in PAPERS:
            found += shown(state, entity, taken, lately=_lately(app, state, entity, paper, today), today=today, paper=paper)
    return found


def _lately(app: Engine, state: RangesState, entity: str, paper: Paper, today: date) -> int:
    """How many papers of a kind a legal entity issued of late, of whatever series; nothing is counted where it has no range for them."""
    own = [one.prefix for one in state.all_of(entity, paper)]
    counted = {"INV": ISSUED_LATELY, "CRN": _NOTES_LATELY}[paper]
    prefixes = [f"{entity}-{paper}-", *own]
    return int(app.reads.rows(counted, since=today - timedelta(days=PACE_DAYS), prefixes=prefixes)[0]["n"]) if own else 0


def shown(
    state: RangesState, entity: str, taken: Mapping[str, int], *, lately: int, today: date, paper: Paper = "INV"
) -> list[NumberRangeShown]:
    """Give the ranges of a legal entity's papers of a kind as they stand on a day, of which so many numbers are `taken` by name; `lately`
    is how many of them it issued."""
    day = today.isoformat()
    usable = [one.name for one in state.of(entity, paper) if one.valid_on(day)]
    others = [one.name for one in state.of(entity, paper) if not one.valid_to or day <= one.valid_to]
    return [
        _shown(
            approved, state.over.get(name, ""), taken.get(name, 0), usable=usable, last=others[-1:] == [name], lately=lately, today=today
        )
        for name, approved in state.approved.items()
        if (approved.approved.entity, approved.paper) == (entity, paper)
    ]


def _shown(
    told: RangeApproved, over: str, taken: int, *, usable: list[str], last: bool, lately: int, today: date
) -> NumberRangeShown:  # fmt: skip
    one = told.approved
    left = 0 if over else one.count - taken
    state = over or (
        "in-use" if usable[:1] == [one.name] else "expired" if one.valid_to and one.valid_to < today.isoformat() else "waiting"
    )
    days_left = left * PACE_DAYS // lately if lately and state == "in-use" else None
    return {
        "range": one.name,
        "papers": PAPERS[told.paper],
        "entity": one.entity,
        "last": one.number_at(one.count),
        "next": one.number_at(taken + 1) if left else "",
        "taken": taken,
        "left": left,
        "state": state,
        "low": state == "in-use" and last and _low(told, left, days_left, today),
        "days_left": days_left,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "approval": one.approval,
        "low_at": one.low_at,
        "low_days": told.low_days,
    }


def _low(told: RangeApproved, left: int, days_left: int | None, today: date) -> bool:
    """Whether as few numbers or days are left as the approval names: days at the pace of late, or until its own last one."""
    one: NumberRange = told.approved
    over_in = (date.fromisoformat(one.valid_to) - today).days if one.valid_to else None
    return left <= one.low_at or any(days is not None and days <= told.low_days for days in (days_left, over_in))
