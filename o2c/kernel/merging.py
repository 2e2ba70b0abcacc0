"""Changing part of a document by another one."""

from __future__ import annotations

from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """Give a document after a merge patch (RFC 7396, section 2): what is null goes, and a list takes the place of the whole list."""
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made
