"""The text of a file of the operator's own (TOML), made of what a view shows, so that a page can change one thing of it and load it
whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import tomli_w

COUNTED = re.compile(r"(.*)\.(\d{1,6})")


def source_of(document: Mapping[str, Any]) -> str:
    """A document as TOML."""
    return tomli_w.dumps(document)


def following(version: str) -> str:
    """The name of the version after one: `care/2026-12` is followed by `care/2026-12.2`."""
    counted = COUNTED.fullmatch(version)
    return f"{counted[1]}.{int(counted[2]) + 1}" if counted else f"{version}.2"
