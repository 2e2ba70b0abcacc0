"""The papers of a file: one a line, or the elements of one array, or objects that are indented over several lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from o2c.files.lines import DOCUMENT_BYTES_MAX, RawLine, opened, raw_lines

_BLANK = re.compile(r"[ \t\r\n]*")
_BREAK = re.compile(r"[\r\n]+")
BY_LINE = "; a file of orders has one a line, or is one array of them"


class _NoDocuments(ValueError):
    """The text is no array and no row of objects."""


def papers_of(path: Path, content: Any = None) -> Iterator[RawLine]:
    """The papers of a file, each in one line and numbered as it stands there: by line, or in the array or row of objects from 1.

    `content` (a hash) is fed as by `raw_lines`. A file that only begins like an array or an indented object is taken by its lines, so that
    each is accounted for. Raises Refused as `raw_lines` does.
    """
    documents = _documents(path)
    if documents is None:
        yield from raw_lines(path, content)
        return
    for number, text in enumerate(documents, 1):
        # Between the parts of a JSON value a line feed is a blank, and within one it cannot stand.
        raw = _BREAK.sub(" ", text).encode("utf-8", "surrogatepass")
        if content is not None:
            content.update(raw + b"\n")
        yield RawLine(number, raw)


def _documents(path: Path) -> list[str] | None:
    """The objects of a file that does not have one a line; None for one that has, or is too large or not whole."""
    first = next(raw_lines(path), None)
    begun = first.raw.strip() if first else b""
    if not (begun == b"{" or begun.startswith(b"[")) or (_whole(begun) and _several_lines(path)):
        return None
    with opened(path) as source:
        read = source.read(DOCUMENT_BYTES_MAX + 1)
    try:
        return list(_split(read.decode("utf-8-sig"))) if len(read) <= DOCUMENT_BYTES_MAX else None
    except (ValueError, RecursionError):
        return None


def _whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _several_lines(path: Path) -> bool:
    lines = raw_lines(path)
    return next(lines, None) is not None and next(lines, None) is not None


def _split(text: str) -> Iterator[str]:
    """The objects of a text one by one, those of an array as well as those that stand in a row. Raises _NoDocuments."""
    at = _after_blank(text, 0)
    while at < len(text):
        if text[at] == "[":
            elements, at = _elements(text, _after_blank(text, at + 1))
            yield from elements
        else:
            element, at = _value(text, at)
            yield element
        at = _after_blank(text, at)


def _elements(text: str, at: int) -> tuple[list[str], int]:
    """The elements of an array whose first one stands at a place, and where the array ends. Raises _NoDocuments."""
    elements: list[str] = []
    while elements or text[at : at + 1] != "]":
        element, at = _value(text, at)
        elements.append(element)
        at = _after_blank(text, at)
        if text[at : at + 1] == "]":
            break
        if text[at : at + 1] != ",":
            raise _NoDocuments
        at = _after_blank(text, at + 1)
    return elements, at + 1


def _value(text: str, at: int) -> tuple[str, int]:
    _, end = json.JSONDecoder().raw_decode(text, at)
    return text[at:end], end


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at
