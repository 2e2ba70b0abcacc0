"""Changing frozen dataclasses with slots: a faster `dataclasses.replace`, which copies the fields without running `__init__`."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

Frozen = TypeVar("Frozen")


_Setter = Callable[[Any, Any], None]
_PARTS: dict[type[Any], tuple[attrgetter[tuple[Any, ...]], dict[str, _Setter]]] = {}


def changed(value: Frozen, **changes: Any) -> Frozen:
    """Give a copy of a frozen dataclass (with slots, two fields or more) with some fields changed. KeyError for a name that is no field."""
    cls: type[Any] = type(value)
    fields, setters = _PARTS.get(cls) or _parts(cls)
    made: Frozen = object.__new__(cls)
    for set_, part in zip(setters.values(), fields(value), strict=True):
        set_(made, part)
    for name, part in changes.items():
        setters[name](made, part)
    return made


def _parts(cls: type[Any]) -> tuple[attrgetter[tuple[Any, ...]], dict[str, _Setter]]:
    names = tuple(cls.__dataclass_fields__)
    _PARTS[cls] = attrgetter(*names), {name: cls.__dict__[name].__set__ for name in names}
    return _PARTS[cls]
