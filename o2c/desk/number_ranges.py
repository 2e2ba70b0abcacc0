"""The desk for ranges of numbers that an authority approves beforehand, for invoices and for credit notes."""

from __future__ import annotations

from datetime import date, datetime

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.invoicing import ranges
from o2c.invoicing.papers import NumberRange
from o2c.invoicing.range_events import RANGES
from o2c.invoicing.range_state import RangesState
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, current
from o2c.views.number_ranges import PAPERS

LOW_PERCENT = 10
"""So many of a hundred of its numbers are left when a range is said to run low, where nobody says at how many."""
LOW_DAYS = 30


def approve_range(
    app: Engine,
    context: Context,
    first: int,
    last: int,
    *,
    prefix: str,
    approval: str,
    valid_from: date,
    valid_to: date | None = None,
    low_at: int | None = None,
    low_days: int = LOW_DAYS,
    market: str = HOME,
    papers: str = "invoices",
) -> Written:
    """Let papers of a kind (`papers`: invoices or credit-notes) take their numbers from a range that the authority approved (`approval`,
    its reference). Approved again so, it is as it was.

    The range has a `prefix` and the numbers `first` to `last`, and gives them on the days from `valid_from` to `valid_to`, both included
    (None: without an end). From the first range of a market's supplier on, its papers of the kind bear numbers of ranges alone, the oldest
    range first; where none has a number left, one waits as a fallout (BIL-SERIES) until another is approved, and goes on by itself then. A
    warning is due once `low_at` numbers are left (None: a tenth), or no more than last `low_days` days. Raises Refused: usage (no such kind
    of paper; see `invoicing.ranges.approve`), conflict (approved otherwise, or a number is another range's).
    """
    kinds = {word: kind for kind, word in PAPERS.items()}
    if papers not in kinds:
        raise Refused(f"numbers are approved for {' or '.join(kinds)}, not for {papers[:40]!r}")
    count = max(last - first + 1, 0)
    wanted = NumberRange(
        entity=current(market, app.clock().now.date()).invoicing.supplier.entity,
        prefix=prefix,
        first=first,
        last=last,
        valid_from=valid_from.isoformat(),
        valid_to=valid_to.isoformat() if valid_to else "",
        approval=approval,
        low_at=count * LOW_PERCENT // 100 if low_at is None else low_at,
    )

    def rule(state: RangesState, at: datetime) -> Decision:
        return ranges.approve(state, wanted, low_days=low_days, paper=kinds[papers])

    return act(
        app,
        context,
        "number-ranges.approve",
        Deed(RANGES, (rule,), ["approve", wanted.model_dump(mode="json"), low_days, *([papers] if papers != "invoices" else [])]),
    )


def close_range(app: Engine, context: Context, number_range: str) -> Written:
    """Take no further number of a range, named by its first number; what was issued keeps its own. Nothing for one that is used up or
    closed. Raises Refused (missing)."""

    def rule(state: RangesState, at: datetime) -> Decision:
        return ranges.close(state, number_range)

    return act(app, context, "number-ranges.close", Deed(RANGES, (rule,), ["close", number_range]))
