"""Reading the fields of a TMF620 document: each of the kind that its standard says, or refused by its path."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused

Document = Mapping[str, Any]
_SHOWN_CHARACTERS = 60
EMPTY: Collection[Any] = (None, "", [], {})
"""What a field holds that says nothing."""


def one_line(name: str) -> str:
    """Give a name as a message shows it: on one line, and no longer than that takes."""
    return " ".join(name.split())[:_SHOWN_CHARACTERS]


def folded(words: str) -> str:
    """Give a word of the trade in small letters without spaces and marks, as it is compared."""
    return re.sub(r"[\W_]", "", words.casefold())


def unsupported(of: str, path: str, why: str) -> Refused:
    """Make the refusal of a field that says something this program cannot do."""
    return Refused(f"catalogue: {of}: {path} {why}")


def object_at(of: str, document: Document, path: str) -> Document:
    """Give an object, empty when it is absent. `path` ends with the field's name. Raises Refused for anything else."""
    value = document.get(_name(path))
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _shape(of, path, "an object")
    return value


def objects_at(of: str, document: Document, path: str) -> Iterator[tuple[str, Document]]:
    """Give the objects of a list, each with its path; none when it is absent. Raises Refused for anything else."""
    value = document.get(_name(path))
    if not isinstance(value, list | None):
        raise _shape(of, path, "a list")
    for place, part in enumerate(value or []):
        if not isinstance(part, Mapping):
            raise _shape(of, f"{path}[{place}]", "an object")
        yield f"{path}[{place}]", part


def text_at(of: str, document: Document, path: str) -> str:
    """Give a text or a number as text, empty when it is absent. Raises Refused for anything else."""
    value = document.get(_name(path))
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _shape(of, path, "a text or a number")
    return str(value)


def flag_at(of: str, document: Document, path: str, default: bool) -> bool:
    """Give a true or false, or what holds when it is absent. Raises Refused for anything else."""
    value = document.get(_name(path))
    if not isinstance(value, bool | None):
        raise _shape(of, path, "true or false")
    return default if value is None else value


def validity_at(of: str, document: Document, path: str) -> tuple[str, str]:
    """Give a TimePeriod as two RFC 3339 texts, half-open, each empty where the period is open.

    Raises Refused for one that is no time with a zone, or an end that is not after the start.
    """
    period = object_at(of, document, path)
    start, end = (_time_at(of, period, f"{path}.{name}") for name in ("startDateTime", "endDateTime"))
    if start and end and parse_time(start) >= parse_time(end):
        raise unsupported(of, path, "ends before it begins; correct it")
    return start, end


def refuse_others(of: str, document: Document, path: str, known: Collection[str], why: str) -> None:
    """Raises Refused for the first field that is not known and says something."""
    for name, value in document.items():
        if name not in known and value not in EMPTY:
            raise unsupported(of, f"{path}.{name}", why)


def _time_at(of: str, period: Document, path: str) -> str:
    text = text_at(of, period, path)
    try:
        if text:
            parse_time(text)
    except ValueError:
        raise unsupported(of, path, "is no time with a zone (RFC 3339); correct it") from None
    return text


def _name(path: str) -> str:
    return path.rpartition(".")[2]


def _shape(of: str, path: str, must: str) -> Refused:
    return unsupported(of, path, f"is not of the standard's shape: it must be {must}; correct it")
