"""What differs between two states of the same page, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

NAMED_BY = (("reason", "fallout"), ("item", "step"), ("invoice",), ("item", "promised_at"), ("item",))
"""The fields by which the rows of a list are told apart, so that a row that moved is still itself: the first of these that a row has."""


class Difference(NamedTuple):
    """A field, and what it was and is; None where it was or is not there."""

    field: str
    before: Any
    after: Any


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """The fields that differ, in the order of the page."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return [Difference(field, old.get(field), new.get(field)) for field in {**new, **old} if old.get(field) != new.get(field)]


def _flat(value: Any, path: str = "", named: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key not in named:
                yield from _flat(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, part in enumerate(value, 1):
            names = _names(part)
            told = " ".join(str(part[name])[:20] for name in names if part[name]) if names else str(number)
            yield from _flat(part, f"{path}[{told}]", names)
    elif value not in (None, ""):
        yield path, value


def _names(row: Any) -> tuple[str, ...]:
    return next((names for names in NAMED_BY if isinstance(row, Mapping) and all(name in row for name in names)), ())
