"""Ports that were not done on the day agreed: by how much, and why."""

from __future__ import annotations

from datetime import date, timedelta

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.markets.registry import MARKETS
from o2c.views.following import masked
from o2c.views.reading import Page, page_of
from o2c.views.shown import LatePortShown
from o2c.views.status import now_of
from projections import ports


def late_ports(
    app: Engine, *, market: str = "", unfinished: bool = False, identifiers: bool = False, limit: int | None = None
) -> Page[LatePortShown]:
    """Ports that missed the day agreed for them, the first missed first; of a market, or only those that are still to be done, where that
    is asked for.

    `agreed_on` is the first day missed and `ported_on` the day of the cut-over; `late_days` and `late_working_days` (by the market's
    calendar) lie between the two, or before the day agreed now. `cause` is what stood in the way of the first day: sim, delivery,
    activation, download, code, or the cut-over itself. A window given up in time is none that was missed; one that is over while its
    cut-over is not known to be done is, with no days yet. The middle of numbers is masked unless `identifiers` asks for all. The
    projections must be caught up. Raises Refused (usage) for a market that is none.
    """
    if market and market not in MARKETS:
        raise Refused(f"there is no market {market}; use one of {', '.join(sorted(MARKETS))}")
    page = page_of(app.reads.rows(ports.LATE, _not_over(app), market, market, unfinished, limit), "n")
    if not identifiers:
        for row in page:
            row["number"] = masked(row["number"])
    return page


def _not_over(app: Engine) -> date:
    """The first day that is not over in every market's zone."""
    return (now_of(app) - timedelta(hours=12)).date()
