"""Lines of usage records, as CSV or JSON, made into rows of the table: each is whole, or refused with its reason."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from o2c.kernel.refusal import Refused
from o2c.rating.tariff import KINDS, USUAL_UNITS
from o2c.rating.units import UNITS

FIELDS = ("key", "party", "kind", "start", "quantity", "unit", "source", "sequence", "destination", "zone", "country")
"""What a record may say, in a file of CSV by the names in its first line."""
NEEDED = frozenset(("party", "kind", "start", "quantity"))
LINE_MAX = 2_000
"""No record has more characters."""
SEQUENCE_DIGITS = 19
UNREADABLE = "is too long, or not printable"
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


def read_lines(lines: Iterable[bytes], source: str) -> Iterator[Record | str]:
    """Give the record of each line, or why it is none. The first line says whether it is JSON; else it has the names of the columns.

    A line is a record, whatever quotes stand in it: one that is never closed must not swallow the next. Raises Refused (usage) when the
    first line is neither.
    """
    texts = (line.decode("utf-8", "replace").strip() for line in lines)
    first = next(texts, "")
    if first.startswith("{"):
        yield _of_json(first, source)
        for text in texts:
            yield _of_json(text, source)
        return
    names = tuple(name.strip() for name in first.split(","))
    if strange := next((name for name in names if name not in FIELDS), None):
        raise Refused(f"no file of usage records: its first line names {strange[:40]!r}; the columns are {', '.join(FIELDS)}")
    if missing := NEEDED - set(names):
        raise Refused(f"no file of usage records: its first line must name {', '.join(sorted(missing))} too")
    for text in texts:
        yield _of_row(names, text, source)


def _of_row(names: Sequence[str], text: str, source: str) -> Record | str:
    if len(text) > LINE_MAX or not text.isprintable():
        return UNREADABLE
    row = text.split(",") if '"' not in text else next(csv.reader([text]))
    if len(row) != len(names):
        return f"{len(row)} columns, not {len(names)}"
    return record_of(dict(zip(names, row, strict=True)), source)


def _of_json(text: str, source: str) -> Record | str:
    if len(text) > LINE_MAX:
        return UNREADABLE
    try:
        document = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        return "no JSON"
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        return "no object of texts and numbers"
    strange = next((name for name in document if name not in FIELDS), None)
    if strange or not "".join(document.values()).isprintable():
        return "has a field that no record has" if strange else UNREADABLE
    return record_of(document, source)


def record_of(told: Mapping[str, Any], source: str) -> Record | str:
    """Give the record that fields tell, or why they tell none. No reason says a value: who called whom stands in no log."""
    kind, party = told.get("kind", ""), told.get("party", "")
    if kind not in KINDS:
        return f"kind is none of {', '.join(sorted(KINDS))}"
    if not party:
        return "party is missing"
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
    get = told.get
    of, sequence, other = get("source", ""), get("sequence", ""), get("destination", "")
    zone, country, key = get("zone", ""), get("country", ""), get("key", "")
    if sequence and not (sequence.isdecimal() and len(sequence) < SEQUENCE_DIGITS):
        return "sequence is no whole number"
    number = f"+{party.removeprefix('+')}" if _NUMBER.fullmatch(party) else party
    quantity = Decimal(told["quantity"]) * (times or 1)
    return Record(key or _own_key(told), number, kind, started_at, quantity, base or unit, of or source, sequence, other, zone, country)


def _own_key(told: Mapping[str, Any]) -> str:
    """The key of a record that names none: two with the same content are one."""
    return sha256("\x1f".join(told.get(name, "") for name in FIELDS).encode()).hexdigest()[:32]
