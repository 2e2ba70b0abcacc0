"""Plain values as TM Forum's schemas have them; None for what is none of the kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from o2c.desk.act import Refused
from o2c.views.reading import time_of


def text(value: Any) -> str | None:
    """A text; numbers and truths as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else None


def time(value: Any) -> str | None:
    """A time with its zone, as it was written."""
    return value if isinstance(value, str) and moment(value) is not None else None


def moment(value: str) -> datetime | None:
    """The time that a text says; None for one that says none."""
    try:
        return time_of(value) if "T" in value.upper() else None
    except Refused:
        return None


def whole(value: Any) -> int | None:
    """A whole number, also one written as 1.0 or as text."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else None


def number(value: Any) -> int | float | None:
    """A number."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def flag(value: Any) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def stamp_ms(value: str | None) -> str | None:
    """A stamp of ours to the millisecond, in UTC with Z: the form that goes through a URL as it is, and fits to the letter."""
    if not value:
        return None
    at = datetime.fromisoformat(value).astimezone(UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
