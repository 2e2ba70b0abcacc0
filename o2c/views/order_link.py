"""A link that shows one order to whoever has it, for some days: signed with the operator's key, stored nowhere.

A link is the order's id and the second in which it ends, with an HMAC-SHA256 over both, cut to 128 bits (RFC 2104, section 5). Whoever has
not the key can neither make one nor lengthen its life; another key makes all of them void at once.
"""

from __future__ import annotations

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.kept_key import KeptKey
from o2c.views.orders import find_order
from o2c.views.reading import plain
from o2c.views.shown import OrderLinkShown

KEY = KeptKey("O2C_LINK_KEY", "link.key", "giving a customer the link of an order")
"""What links are signed with; another one makes them all void."""
DAYS = 30
DAYS_MAX = 180
_MARK_BYTES = 16
_LABEL = b"o2c order link 1 "
"""What tells these signatures from whatever else is made with the key."""


def order_link(app: Engine, home: Path, name: str, *, days: int = DAYS) -> OrderLinkShown:
    """A link to one order for its customer: `link` is what stands behind `/my/` in the service's address, `expires_at` when it ends.

    It shows no name, number or address, and nothing of another order. Raises Refused: missing, usage (less than a day, or more than 180).
    """
    if not 1 <= days <= DAYS_MAX:
        raise Refused(f"a link lasts 1 to {DAYS_MAX} days, not {days}")
    order = find_order(app, name)[1].order_id
    ends = app.clock().now.replace(microsecond=0) + timedelta(days=days)
    told = UUID(order).bytes + struct.pack(">Q", int(ends.timestamp()))
    return {"order": order, "link": urlsafe_b64encode(told + _mark(home, told)).decode(), "expires_at": str(plain(ends))}


def order_of_link(app: Engine, home: Path, link: str) -> str:
    """The id of the order that a link shows. Raises Refused: missing (no link of this store), gone (it has ended)."""
    try:
        content = urlsafe_b64decode(link.encode("ascii"))
    except ValueError:
        content = b""
    told, mark = content[:-_MARK_BYTES], content[-_MARK_BYTES:]
    if len(told) != 24 or not hmac.compare_digest(mark, _mark(home, told)):
        raise Refused("this is no link to an order here; open it again as it was sent to you", kind="missing")
    ends = struct.unpack(">Q", told[16:])[0]
    if app.clock().now.timestamp() >= ends:
        raise Refused("this link has ended; ask whoever sent it to you for another", kind="gone")
    return str(UUID(bytes=told[:16]))


def _mark(home: Path, told: bytes) -> bytes:
    return hmac.digest(KEY.of(home), _LABEL + told, "sha256")[:_MARK_BYTES]
