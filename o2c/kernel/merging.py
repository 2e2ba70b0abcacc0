"""Changing part of a document by another one, or by what differs between two others."""

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


def laid_over(before: Any, after: Any, now: Any) -> Any:
    """Give a document as it stands `now` with what differs between `before` and `after`. Elements of a list that have an id are told apart
    by it; any other list is taken whole."""
    if after == before:
        return now
    if now == before:
        return after
    parts = [_by_name(document) for document in (before, after, now)]
    if any(part is None for part in parts):
        return after
    was, wished, stands = ({**part} for part in parts if part is not None)
    names = [*stands, *(name for name in wished if name not in stands)]
    made = {name: laid_over(was.get(name), wished.get(name), stands.get(name)) for name in names}
    kept = {name: value for name, value in made.items() if value is not None}
    return list(kept.values()) if isinstance(now, list) else kept


def _by_name(document: Any) -> dict[str, Any] | None:
    """The parts of a document by their names, or those of a list by their ids; None for what has none."""
    if isinstance(document, dict):
        return document
    if not isinstance(document, list) or not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in document):
        return None
    return {one["id"]: one for one in document}
