"""Lines of usage records, as CSV or JSON, made into rows of the table: each is whole, or refused with its reason."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from o2c.kernel.refusal import Refused
from o2c.rating.tariff import KINDS
from o2c.rating.units import UNITS

FIELDS = ("key", "party", "kind", "start", "quantity", "unit", "source", "sequence", "destination", "zone", "country")
"""What a record may say, in a file of CSV by the names in its first line."""
NEEDED = frozenset(("party", "kind", "start", "quantity"))
USUAL_UNITS = {"voice": "second", "roaming": "B", "data": "B", "sms": "message", "premium": "event", "transfer": "event"}
TEXT_MAX = 120
_NUMBER = re.compile(r"\+?[0-9]{8,15}")
_QUANTITY = re.compile(r"[0-9]{1,18}(\.[0-9]{1,6})?")


@dataclass(slots=True)
class Record:
    """A record as its line says it, in the base unit of its kind."""

    key: str
    party: str
    kind: str
    started_at: datetime
    quantity: Decimal
    unit: str
    source: str
    sequence: str
    other: str
    zone: str
    country: str


def read_lines(lines: Iterator[bytes], source: str) -> Iterator[Record | str]:
    """Give the record of each line, or why it is none. The first line says whether it is JSON; else it has the names of the columns.

    Raises Refused (usage) when the first line is neither.
    """
    first = next(lines, b"")
    if first.lstrip()[:1] == b"{":
        yield _of_json(first, source)
        for line in lines:
            yield _of_json(line, source)
        return
    names = tuple(name.strip() for name in first.decode("utf-8", "replace").split(","))
    if strange := next((name for name in names if name not in FIELDS), None):
        raise Refused(f"no file of usage records: its first line names {strange[:40]!r}; the columns are {', '.join(FIELDS)}")
    if missing := NEEDED - set(names):
        raise Refused(f"no file of usage records: its first line must name {', '.join(sorted(missing))} too")
    for row in csv.reader(line.decode("utf-8", "replace") for line in lines):
        yield _of_row(names, row, source)


def _of_row(names: Sequence[str], row: Sequence[str], source: str) -> Record | str:
    if len(row) != len(names):
        return f"{len(row)} columns, not {len(names)}"
    return record_of(dict(zip(names, row, strict=True)), source)


def _of_json(line: bytes, source: str) -> Record | str:
    try:
        document = json.loads(line, parse_float=str, parse_int=str)
    except ValueError:
        return "no JSON"
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        return "no object of texts and numbers"
    strange = next((name for name in document if name not in FIELDS), None)
    return f"has {strange[:40]!r}, which no record has" if strange else record_of(document, source)


def record_of(told: Mapping[str, Any], source: str) -> Record | str:
    """Give the record that fields tell, or why they tell none. No reason says a value: who called whom stands in no log."""
    kind, party = told.get("kind", ""), told.get("party", "")
    if kind not in KINDS:
        return f"kind is none of {', '.join(sorted(KINDS))}"
    if not party or len(party) > TEXT_MAX or not party.isprintable():
        return "party is missing or no name"
    try:
        started_at = datetime.fromisoformat(told.get("start", ""))
    except ValueError:
        return "start is no time"
    if started_at.tzinfo is None:
        return "start has no zone"
    if _QUANTITY.fullmatch(told.get("quantity", "")) is None:
        return "quantity is no number from 0 on"
    unit = told.get("unit") or USUAL_UNITS[kind]
    base, times = UNITS.get(unit, ("", 0))
    if not base and kind != "transfer":
        return f"unit is none of {', '.join(UNITS)}"
    texts = [told.get(name, "") for name in ("source", "sequence", "destination", "zone", "country", "key")]
    if any(len(text) > TEXT_MAX or not (text.isprintable() or not text) for text in texts):
        return "a text is too long, or not printable"
    of, sequence, other, zone, country, key = texts
    if sequence and not sequence.isdecimal():
        return "sequence is no whole number"
    number = f"+{party.removeprefix('+')}" if _NUMBER.fullmatch(party) else party
    quantity = Decimal(told["quantity"]) * (times or 1)
    return Record(key or _own_key(told), number, kind, started_at, quantity, base or unit, of or source, sequence, other, zone, country)


def _own_key(told: Mapping[str, Any]) -> str:
    """The key of a record that names none: two with the same content are one."""
    return sha256("\x1f".join(told.get(name, "") for name in FIELDS).encode()).hexdigest()[:32]
