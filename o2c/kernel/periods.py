"""Half-open date periods, billing cycle days, and the passage between UTC instants and a market's local days."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

# RFC 3339 section 5.6, without the leap second, which a Python datetime cannot hold.
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,12})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_SHOWN_CHARACTERS = 40
# The last day of the month that every month has.
_CYCLE_DAY_MAX = 28


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to but not including `end`; empty when both are equal. ValueError if it ends before it starts."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a period cannot run from {self.start} back to {self.end}")

    @property
    def days(self) -> int:
        """How many days the period holds."""
        return (self.end - self.start).days


def next_month(day: date, anchor: int) -> date:
    """The anchor day of the month after the day's own. ValueError for an anchor that some month lacks (1 to 28 are allowed)."""
    _check_anchor(anchor)
    return date(day.year + day.month // 12, day.month % 12 + 1, anchor)


def previous_month(day: date, anchor: int) -> date:
    """The anchor day of the month before the day's own. ValueError for an anchor that some month lacks (1 to 28 are allowed)."""
    _check_anchor(anchor)
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, anchor)


def next_cycle_day(day: date, cycle_days: tuple[int, ...]) -> date:
    """The first cycle day strictly after the day. ValueError for no cycle days or one that some month lacks."""
    for anchor in cycle_days:
        _check_anchor(anchor)
    if not cycle_days:
        raise ValueError("a billing cycle needs at least one day of the month")
    later = [anchor for anchor in cycle_days if anchor > day.day]
    return day.replace(day=min(later)) if later else next_month(day, min(cycle_days))


def local_date(at: datetime, zone: str) -> date:
    """Give the date of an instant on the calendar of a time zone. ValueError for a time without a zone or an unknown zone."""
    return _aware(at).astimezone(_zone(zone)).date()


def local_time(day: date, hour: int, minute: int, zone: str) -> datetime:
    """The UTC instant of a wall-clock time. ValueError for an impossible time or an unknown zone.

    A time the clocks skip counts with the offset before the change (it reads one hour later on the wall); of a time that comes twice the
    first is meant (PEP 495, fold 0).
    """
    return datetime.combine(day, time(hour, minute), tzinfo=_zone(zone)).astimezone(UTC)


def parse_time(text: str) -> datetime:
    """The UTC instant of an RFC 3339 date-time, which must carry a zone; fractions below a microsecond are cut off.

    ValueError for any other text, an impossible date or time, and the leap second.
    """
    if _RFC_3339.fullmatch(text) is None:
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not an RFC 3339 time with a zone")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]!r} is not a possible time") from None


def stamp(at: datetime) -> str:
    """RFC 3339 text of the instant in UTC, `Z` form, with microseconds only when there are any. ValueError for a naive time."""
    return _aware(at).astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _check_anchor(anchor: int) -> None:
    if not 1 <= anchor <= _CYCLE_DAY_MAX:
        raise ValueError(f"day {anchor} is not in every month")


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"{at.isoformat()} has no zone")
    return at


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{name!r} is not a known time zone") from None
