"""Events of a hook: a subscription of somebody outside who is told of events as they happen."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from o2c.kernel.event import Event

Format = Literal["native", "tmf622-v4", "tmf622-v5"]


class HookSubscribed(Event, name="hook.subscribed", stream="hook"):
    """Somebody wants to be told of events at an address, from the one after the position `after` on.

    `types` are stored names or patterns; none for all. With `captured_by` only events of orders that this actor captured are told, with
    `customer` only those of a customer. Numbers and SIMs are masked unless `unmasked`. `query` is what a TM Forum hub was asked for, as it
    came. Of the secret that signs nothing stands here: it is made of a key of the operator's and the generation, which begins at 1.
    """

    example = {
        "url": "https://example.org/orders", "types": ["order.*"], "format": "native", "after": "52107264004", "captured_by": "web-shop",
        "customer": "", "unmasked": False, "query": "",
    }  # fmt: skip
    url: str
    types: tuple[str, ...]
    format: Format
    after: str
    captured_by: str = ""
    customer: str = ""
    unmasked: bool = False
    query: str = ""


class HookPrivateAddressAllowed(Event, name="hook.private-address-allowed", stream="hook"):
    """An admin allows that the address of the hook is one of our own network, or is reached without TLS."""

    example = {}


class HookSecretRotated(Event, name="hook.secret-rotated", stream="hook"):
    """The secret of this generation signs from now on, and the one before it beside it until `old_until`."""

    example = {"generation": 2, "old_until": "2026-01-06T10:00:00Z"}
    generation: int
    old_until: datetime


class HookSuspended(Event, name="hook.suspended", stream="hook"):
    """The hook is told nothing any more until somebody resumes it: its endpoint said that it is `gone`, or has taken nothing for days
    (`dead`).

    Nothing is lost: it goes on where it stopped.
    """

    example = {"reason": "gone"}
    reason: Literal["gone", "dead"]


class HookResumed(Event, name="hook.resumed", stream="hook"):
    """The hook is told of events again, from where it stopped."""

    example = {}


class HookResendRequested(Event, name="hook.resend-requested", stream="hook"):
    """What was given up is to be sent again: one `delivery` by its id, or all that were made since a time by the server's clock."""

    example = {"delivery": "msg_5d3f0a5e6f0e5a539d4c0d8a35a0b8f1", "since": None}
    delivery: str
    since: datetime | None = None


class HookUnsubscribed(Event, name="hook.unsubscribed", stream="hook"):
    """The hook is told nothing any more, for good."""

    example = {}
