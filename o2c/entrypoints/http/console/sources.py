"""The text of a file of the operator's own (TOML), made of what a view shows, so that a page can change one thing of it and load it
whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

BARE = re.compile(r"[A-Za-z0-9_-]+")
"""A name that stands in a file without quotes."""
COUNTED = re.compile(r"(.*)\.(\d{1,6})")


def source_of(document: Mapping[str, Any]) -> str:
    """A document as TOML: values first, then tables, each below its own heading."""
    return "\n".join(_lines(document, ()))


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{_named(name)} = {_said(value)}" for name, value in table.items() if not _tables(value))
    for name, value in table.items():
        own = (*path, _named(name))
        heading = ("[{}]" if isinstance(value, Mapping) else "[[{}]]").format(".".join(own))
        for inner in _tables(value):
            yield from ("", heading, *_lines(inner, own))


def _tables(value: Any) -> list[Mapping[str, Any]]:
    """The tables of which a value consists; none of a plain one."""
    if isinstance(value, Mapping):
        return [value]
    return [*value] if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value) else []


def _named(name: str) -> str:
    return name if BARE.fullmatch(name) else _said(name)


def _said(value: Any) -> str:
    """A plain value: what JSON escapes TOML reads alike, but for one character that it wants escaped as well."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def following(version: str) -> str:
    """The name of the version after one: `care/2026-12` is followed by `care/2026-12.2`."""
    counted = COUNTED.fullmatch(version)
    return f"{counted[1]}.{int(counted[2]) + 1}" if counted else f"{version}.2"
