"""Quiet hours: between them nobody is told anything that can wait. Pure."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def hours_of(text: str) -> tuple[time, time] | None:
    """The hours of `HH:MM-HH:MM`, from and to; None for a text that has none, or that are no time at all."""
    found = _HOURS.fullmatch(text)
    if found is None:
        return None
    from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
    begins, ends = time(from_hour, from_minute), time(to_hour, to_minute)
    return None if begins == ends else (begins, ends)


def allowed_at(at: datetime, quiet: str, zone: str) -> datetime:
    """The first time, not before `at`, that is not within quiet hours; they are local to the zone, half-open, and may go over midnight."""
    hours = hours_of(quiet)
    if hours is None:
        return at
    begins, ends = hours
    local = at.astimezone(ZoneInfo(zone))
    if not _within(local.time().replace(tzinfo=None), begins, ends):
        return at
    day = local.date() + timedelta(days=1 if begins > ends and local.time() >= begins else 0)
    return datetime.combine(day, ends, ZoneInfo(zone)).astimezone(at.tzinfo)


def _within(clock: time, begins: time, ends: time) -> bool:
    return begins <= clock < ends if begins < ends else clock >= begins or clock < ends


def told_by(at: datetime, quiet: str, zone: str, before: datetime | None) -> datetime:
    """When to tell what is to be told before a time: not in quiet hours, unless only those are left."""
    allowed = allowed_at(at, quiet, zone)
    return at if before is not None and at < before <= allowed else allowed
