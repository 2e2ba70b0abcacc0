"""Reading a TMF622 product order, v4 or v5, as channels send it: strict about being readable, tolerant about everything else.

Source: TM Forum TMF622 Product Ordering API REST specification v4.0.0 and v5.0.0, resource ProductOrder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from math import isfinite
from typing import Any

from o2c.kernel.identifiers import digest
from o2c.kernel.periods import parse_time, stamp
from o2c.orders import parts
from o2c.orders.wish import Wish

SOURCE = "tmf622"
LINE_BYTES_MAX = 1_000_000
TOO_LONG = f"more than {LINE_BYTES_MAX} bytes in one line"
DEPTH_MAX = 64
ITEMS_MAX = 5_000
PURCHASE_ORDER_MAX = 100
"""As much of a customer's own number of an order is kept: what is longer is no number."""
_NOT_CONTENT = ("orderDate", "creationDate", "channel")


class Unreadable(ValueError):
    """The line cannot be stored as an order. One line, without the line's values: they may be personal."""


def read(raw: bytes, *, now: datetime | None = None, latest: datetime | None = None, channel: str = "unknown") -> Wish:
    """Read one paper as an order. `now` stands for a date that it does not have, and `channel` for the channel.

    Raises Unreadable when it is over the limits above, is no order, has a date that is no time or that is after `latest` (a real clock's
    present time). Everything else is captured and judged later; an order without an id is given one. Source: the table of imperfect orders
    (design, section 11); TMF622 v4.0.0 ProductOrder_Create has neither orderDate nor id.
    """
    document = parse(raw)
    if not any(name in document for name in parts.NAMING):
        raise Unreadable("no product order: it names no order and has no productOrderItem")
    lines = parts.lines_of(document)
    if len(lines) > ITEMS_MAX:
        raise Unreadable(f"{len(lines)} items in one order, at most {ITEMS_MAX}; split the order")
    party, channel, content = parts.customer_of(document), parts.channel_of(document) or channel, fingerprint(document)
    order_date = _order_date(document, latest)
    owner, external_id = parts.identity_of(document)
    if not external_id and any(document.get(name) not in (None, "", []) for name in parts.IDENTIFIERS):
        raise Unreadable("externalId has no id: it is neither text nor a list of identifiers that have one")
    owner = owner or party or channel
    priority = parts.text(document.get("priority"))
    return Wish(
        external_id=external_id or _made_id(owner, content, order_date),
        order_date=order_date or now or _missing("orderDate"),
        channel=channel,
        category=parts.text(document.get("category")),
        priority=int(priority) if priority in ("0", "1", "2", "3", "4") else 4,
        party=party,
        account=parts.named(document.get("billingAccount")) or party,
        lines=lines,
        fingerprint=content,
        original=raw.decode(),
        owner=owner,
        dated_by_us=order_date is None,
        named_by_us=not external_id,
        requested_start=parts.text(document.get("requestedStartDate")),
        requested_completion=parts.text(document.get("requestedCompletionDate")),
        agent=parts.agent_of(document),
        prices=parts.prices_of(document, "orderTotalPrice"),
        purchase_order=parts.purchase_order_of(document)[:PURCHASE_ORDER_MAX],
        told=parts.told_of(document),
    )


def _made_id(owner: str, content: str, order_date: datetime | None) -> str:
    """The id of an order that its channel gave none: the same for the same paper sent again, another for one of another date."""
    return f"O2C-{digest(json.dumps([owner, content, order_date and stamp(order_date)]))[:16].upper()}"


def _missing(field: str) -> datetime:
    raise Unreadable(f"{field} is missing")


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
    return parts.Fraction(text)


def _check_values(value: Any, depth: int) -> None:
    if isinstance(value, str) and "\0" in value:
        raise Unreadable("a NUL character")
    if isinstance(value, dict | list):
        if depth > DEPTH_MAX:
            raise Unreadable(f"nested deeper than {DEPTH_MAX}")
        for part in (*value.keys(), *value.values()) if isinstance(value, dict) else value:
            _check_values(part, depth + 1)


def _order_date(document: dict[str, Any], latest: datetime | None) -> datetime | None:
    """When the channel says that it took the order; None where it does not say. v5 calls it creationDate."""
    field = next((field for field in ("orderDate", "creationDate") if document.get(field) is not None), None)
    if field is None:
        return None
    try:
        order_date = parse_time(parts.text(document[field]))
    except ValueError:
        raise Unreadable(f"{field} is no time with a zone (RFC 3339)") from None
    if latest is not None and order_date > latest:
        raise Unreadable(f"{field} is in the future, which a real clock has not reached")
    return order_date


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
