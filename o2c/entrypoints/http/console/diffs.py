"""What differs between two states of the same page, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from o2c.views.differing import flat


class Difference(NamedTuple):
    """A field, and what it was and is; None where it was or is not there."""

    field: str
    before: Any
    after: Any


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """The fields that differ, in the order of the page."""
    old, new = dict(flat(before)), dict(flat(after))
    return [Difference(field, old.get(field), new.get(field)) for field in {**new, **old} if old.get(field) != new.get(field)]
