"""When a number is to be ported: the day asked for, the window agreed, how old the code is, and what stands in the way. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from o2c.kernel.periods import local_date, parse_time
from o2c.kernel.work import Work
from o2c.markets.base import port_window, working_day_after
from o2c.markets.ports import PortWindow, code_expired, port_deadline, window_of, working_days_late
from o2c.orders.dates import DOWNLOAD_DAYS, PARCEL_WORKING_DAYS
from o2c.orders.planning import IN_SERVICE
from o2c.porting.events import Cause

LOOK_BEFORE = timedelta(minutes=30)
"""How long before its cut-off a window is looked at that may not be met: long enough to ask the clearing house a few times."""
LOOK_AGAIN = timedelta(minutes=5)
"""How long a line that was ordered shortly before the cut-off may take to be on, before its window is moved."""
LOOK_IN_WINDOW = timedelta(hours=1)
"""How often it is looked, within the window, whether a line that was late is on."""


def done(work: Work, step: str) -> bool:
    """Whether a step of the item is done."""
    return bool(work.state.progress.items[work.item].steps.get(step) == "done")


def in_hand(work: Work) -> bool:
    """Whether the line is on, in the customer's hand."""
    steps = work.state.progress.items[work.item].steps
    return all(steps.get(step, "done") == "done" for step in IN_SERVICE)


def agreed(work: Work) -> Mapping[str, Any]:
    """Give the window that is agreed with the donor, as its event says; empty when none is yet."""
    outcome = work.outcomes.get("porting", {})
    return outcome if outcome.get("window_opens_at") else {}


def standing(work: Work) -> Mapping[str, Any]:
    """Give the agreed window unless it was given up since; empty when the donor has none to keep."""
    return {} if agreed(work).get("held_up_by") else agreed(work)


def held_up(work: Work, at: datetime) -> bool:
    """Whether a window stands for a line that is not on, and is not merely waiting for the day for which it was wished."""
    return bool(standing(work)) and not in_hand(work) and not _to_be_on(work, at)


def _to_be_on(work: Work, at: datetime) -> bool:
    """Whether nothing but the day wished, which comes no later than the window, keeps a line from being switched on."""
    wished, steps = wished_on(work), work.state.progress.items[work.item].steps
    if wished is None or not local_date(at, work.market.zone) < wished <= window(work).day:
        return False
    stuck = any(steps.get(step) in ("held", "pending") for step in ("sim", "number", "esim", *IN_SERVICE))
    return not stuck and steps.get("delivery", "done") == "done"


def window(work: Work) -> PortWindow:
    """Give the agreed window, by the hours of the order's market. KeyError when none is agreed."""
    return window_of(work.market, parse_time(str(agreed(work)["window_opens_at"])))


def movable(work: Work, at: datetime) -> bool:
    """Whether the clearing house can still be asked to give the window up: until its cut-off, or until it said that it is too late."""
    return at < window(work).cutoff_at and not agreed(work).get("kept")


def wished_on(work: Work) -> date | None:
    """Give the day for which the customer wishes the line and its number, local to the market; None for as soon as possible."""
    return date.fromisoformat(work.subject.wished_on) if work.subject.wished_on else None


def asked_for(work: Work, at: datetime, *, usual: bool = False) -> date:
    """Give the first day that is asked for: not before the day wished, nor before the day after the SIM will be in the customer's hand.

    `usual` reckons with the usual download of an eSIM, too.

    A window that cannot be met, or was missed, is replaced by one of a later day.
    """
    today = local_date(at, work.market.zone)
    begins = max(today, date.fromisoformat(work.subject.start_on)) if work.subject.start_on else today
    days = [today, wished_on(work) or today]
    if "delivery" in work.state.progress.items[work.item].steps and not done(work, "delivery"):
        days.append(working_day_after(work.market.calendar, begins, PARCEL_WORKING_DAYS) + timedelta(days=1))
    if usual and not in_hand(work) and work.subject.characteristics.get("simType") == "esim":
        days.append(begins + timedelta(days=DOWNLOAD_DAYS + 1))
    if agreed(work):
        days.append(window(work).day + timedelta(days=1))
    return max(days)


def new_window(work: Work, at: datetime, *, working_days_more: int = 0, donor_from: date | None = None, usual: bool = False) -> PortWindow:
    """Give the window of a port that is asked for at a time, no sooner than the donor can. Source: the market's porting rules."""
    not_before = max(asked_for(work, at, usual=usual), donor_from or date.min)
    return window_of(work.market, port_window(work.market, at, working_days_more=working_days_more, not_before=not_before))


def facts(work: Work, chosen: PortWindow, at: datetime) -> dict[str, Any]:
    """Give what is kept of an agreed window: the days wished, agreed, due and missed, the cut-off used, the zone and the rules."""
    before, wished = agreed(work), wished_on(work)
    return {
        "window_opens_at": chosen.opens_at,
        "window_closes_at": chosen.closes_at,
        "cutoff_at": chosen.cutoff_at,
        "wished_on": wished.isoformat() if wished else "",
        "agreed_on": chosen.day.isoformat(),
        "deadline_on": before.get("deadline_on") or port_deadline(work.market, at, wished).isoformat(),
        "missed_on": missed_on(work, at),
        "zone": work.market.zone,
        "rules": work.market.pin,
    }


def missed_on(work: Work, at: datetime) -> str:
    """Give the first agreed day that was missed by a time; empty when none was, or when the last window was given up in time."""
    before = agreed(work)
    missed = before and not before.get("held_up_by") and at >= window(work).closes_at
    return str(before.get("missed_on") or (window(work).day.isoformat() if missed else ""))


def lateness(work: Work, missed_on: str, on: date) -> dict[str, int]:
    """Give how late a port is on a day, in calendar days and working days from the first agreed day that was missed; 0 when none was."""
    first = date.fromisoformat(missed_on) if missed_on else on
    return {"late_days": (on - first).days, "late_working_days": working_days_late(work.market.calendar, first, on)}


def obstacle(work: Work, at: datetime) -> Cause:
    """Give what keeps the number from being cut over in its window."""
    if code_too_old(work, local_date(at, work.market.zone)):
        return "code"
    if in_hand(work):
        return "cut-over"
    if not done(work, "sim"):
        return "sim"
    steps = work.state.progress.items[work.item].steps
    return "delivery" if steps.get("delivery", "done") != "done" else "download" if done(work, "activation") else "activation"


def code_too_old(work: Work, on: date) -> bool:
    """Whether the code is too old for a port on a day, counted from the day on which we were given it. Source: the market's porting
    rules."""
    given_at: datetime = work.subject.code_given_at or work.state.captured_at
    return code_expired(work.market, local_date(given_at, work.market.zone), on)


def next_look(work: Work, at: datetime) -> datetime:
    """Give the time at which a cut-over is due next: the opening of its window, or for a line that is not on, the last time to move it.

    That is shortly before the cut-off, then the opening and every hour of the window, then its end.
    """
    agreed_window = window(work)
    if in_hand(work) or (at < agreed_window.opens_at and not held_up(work, at)):
        return max(at, agreed_window.opens_at)
    before_cutoff = max(agreed_window.cutoff_at - LOOK_BEFORE, at + LOOK_AGAIN)
    if before_cutoff < agreed_window.cutoff_at and movable(work, at):
        return before_cutoff
    if at < agreed_window.opens_at:
        return agreed_window.opens_at
    return max(at, min(at + LOOK_IN_WINDOW, agreed_window.closes_at))
