"""Reading a TMF622 v4 product order as channels send it: strict about being readable, tolerant about everything else.

Source: TM Forum TMF622 Product Ordering API REST specification v4.0.0, resource ProductOrder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from math import isfinite
from typing import Any

from o2c.kernel.identifiers import digest
from o2c.kernel.periods import parse_time
from o2c.orders.places import place_of
from o2c.orders.wish import Line, Wish

SOURCE = "tmf622"
LINE_BYTES_MAX = 1_000_000
TOO_LONG = f"more than {LINE_BYTES_MAX} bytes in one line"
DEPTH_MAX = 64
ITEMS_MAX = 5_000
_NOT_CONTENT = ("orderDate", "channel")


class Unreadable(ValueError):
    """The line cannot be stored as an order. One line, without the line's values: they may be personal."""


def read(raw: bytes, *, latest: datetime | None = None) -> Wish:
    """Read one line as an order.

    Raises Unreadable when it is over the limits above, is no order, or is dated after `latest` (a real clock's present time). Everything
    else is captured and judged later. Source: the table of imperfect orders (design, section 11).
    """
    document = parse(raw)
    lines = tuple(_lines(document.get("productOrderItem"), ""))
    if len(lines) > ITEMS_MAX:
        raise Unreadable(f"{len(lines)} items in one order, at most {ITEMS_MAX}; split the order")
    external_id = _text(document.get("externalId")) or _text(document.get("id"))
    if not external_id:
        raise Unreadable("no externalId; a channel must name its order")
    party = next((_text(p.get("id")) for p in _objects(document.get("relatedParty")) if _text(p.get("role")).lower() == "customer"), "")
    priority = _text(document.get("priority"))
    return Wish(
        external_id=external_id,
        order_date=_order_date(document, latest),
        channel=next((_text(c.get("id")) for c in _objects(document.get("channel"))), "") or "unknown",
        category=_text(document.get("category")),
        priority=int(priority) if priority in ("0", "1", "2", "3", "4") else 4,
        party=party,
        account=_named(document.get("billingAccount")) or party,
        lines=lines,
        fingerprint=fingerprint(document),
        original=raw.decode(),
        requested_start=_text(document.get("requestedStartDate")),
        requested_completion=_text(document.get("requestedCompletionDate")),
    )


def parse(raw: bytes) -> dict[str, Any]:
    """Read one line as a strict JSON object. Raises Unreadable for a line over LINE_BYTES_MAX and for anything else."""
    if len(raw) > LINE_BYTES_MAX:
        raise Unreadable(TOO_LONG)
    document = strict_json(raw)
    if not isinstance(document, dict):
        raise Unreadable("not a JSON object")
    return document


def strict_json(raw: bytes) -> Any:
    """Read a JSON value strictly; fractions stay text. Raises Unreadable for anything else.

    Not allowed: bytes that are not UTF-8, the same key twice, NaN or infinity, NUL, unpaired surrogates, and nesting deeper than DEPTH_MAX.
    """
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise Unreadable("an unpaired surrogate") from None
    except RecursionError:
        raise Unreadable(f"nested deeper than {DEPTH_MAX}") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error.msg} at character {error.pos}") from None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("a number with too many digits") from None
    _check_values(document, 1)
    return document


def fingerprint(document: dict[str, Any]) -> str:
    """Give the SHA-256 of the content, in hex: the same for two papers that differ only in order date and channel."""
    return digest(json.dumps(_content(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def differing(one: dict[str, Any], other: dict[str, Any]) -> tuple[str, ...]:
    """Give the paths of the content fields in which two papers differ, sorted; names only, never values, which may be personal."""
    first, second = (dict(_leaves(_content(paper), "")) for paper in (one, other))
    paths = {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}
    return tuple(sorted(paths))


def _content(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _NOT_CONTENT}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise Unreadable("the same key twice in one object")
    return document


def _no_constant(name: str) -> Any:
    raise Unreadable(f"{name} is no JSON number")


def _finite(text: str) -> str:
    """A fraction is kept as text, never as a float; one beyond every float is no amount of anything."""
    if not isfinite(float(text)):
        raise Unreadable("a number beyond all bounds")
    return text


def _check_values(value: Any, depth: int) -> None:
    if isinstance(value, str) and "\0" in value:
        raise Unreadable("a NUL character")
    if isinstance(value, dict | list):
        if depth > DEPTH_MAX:
            raise Unreadable(f"nested deeper than {DEPTH_MAX}")
        for part in (*value.keys(), *value.values()) if isinstance(value, dict) else value:
            _check_values(part, depth + 1)


def _order_date(document: dict[str, Any], latest: datetime | None) -> datetime:
    try:
        order_date = parse_time(_text(document.get("orderDate")))
    except ValueError:
        raise Unreadable("orderDate is no time with a zone (RFC 3339)") from None
    if latest is not None and order_date > latest:
        raise Unreadable("orderDate is in the future, which a real clock has not reached")
    return order_date


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _named(value: Any) -> str:
    """The id that a reference names."""
    return _text(value.get("id")) if isinstance(value, dict) else ""


def _objects(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _lines(items: Any, parent: str) -> Iterator[Line]:
    for item in _objects(items):
        product = item.get("product")
        product = product if isinstance(product, dict) else {}
        relations = _objects(item.get("productOrderItemRelationship"))
        yield Line(
            item=_text(item.get("id")),
            parent=parent,
            action=_text(item.get("action")),
            quantity=_text(item.get("quantity", 1)) or "?",
            offering=_named(item.get("productOffering")),
            product=_text(product.get("id")),
            relies_on=tuple(_text(r.get("id")) for r in relations if r.get("relationshipType") == "reliesOn"),
            characteristics={_text(c.get("name")): _text(c.get("value")) for c in _objects(product.get("productCharacteristic"))},
            place=place_of(_objects(product.get("place"))),
            account=_named(item.get("billingAccount")),
            requested_start=_text(item.get("requestedStartDate")),
            requested_completion=_text(item.get("requestedCompletionDate")),
        )
        yield from _lines(item.get("productOrderItem"), _text(item.get("id")))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Give every value that holds no other, by path and as JSON. Parts of a list go by their names where these are all different."""
    if isinstance(value, dict) and (value or not path):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        names = [part["name"] for part in value if isinstance(part, dict) and isinstance(part.get("name"), str) and "value" in part]
        named = len(set(names)) == len(value)
        for index, part in enumerate(value):
            yield from _leaves(part, f"{path}[{names[index] if named else index}]")
    else:
        yield path, json.dumps(value)
