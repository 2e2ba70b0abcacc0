"""When a hook begins, is suspended and resumed, gets a new secret, and ends."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from o2c.hooks.addresses import is_public
from o2c.hooks.events import (
    HookPrivateAddressAllowed,
    HookResendRequested,
    HookResumed,
    HookSecretRotated,
    HookSubscribed,
    HookSuspended,
    HookUnsubscribed,
)
from o2c.hooks.notifications import NOTIFICATIONS, wanted
from o2c.hooks.state import HookState
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused

URL_LENGTH_MAX = 2_000
BOTH_SIGN = timedelta(hours=24)
"""So long the secret before the last signs beside it (Standard Webhooks, "Key rotation")."""
DELIVERY = re.compile(r"msg_[0-9a-f]{32}")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def subscribe(state: HookState, hook: HookSubscribed) -> Decision:
    """Begin to tell an address of events; nothing where this hook has begun.

    Raises Refused (usage): a URL that is no address, a query that cannot be read, a query or types that its format does not have.
    """
    address_of(hook.url)
    if hook.format in NOTIFICATIONS:
        wanted(hook.query, hook.format)
        if hook.types:
            raise Refused(f"a hook that is told in {hook.format} names no types; its query is eventType= with the notifications it wants")
    elif hook.query:
        raise Refused(f"a hook that is told in {hook.format} has no query; name the types that it wants")
    return NOTHING if state.generation else just(hook)


def address_of(url: str) -> SplitResult:
    """The parts of the URL of a hook. Raises Refused (usage): it is http or https, with a host, and without login or fragment."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        host = (parts.hostname or "").encode("idna" if "%" not in url and ":" not in (parts.hostname or "") else "ascii")
    except ValueError:  # UnicodeError is one
        raise _no_address() from None
    plain = bool(_PRINTABLE.fullmatch(url)) and len(url) <= URL_LENGTH_MAX
    if not is_address or not host or not plain or "@" in parts.netloc or "#" in url or "\\" in url:
        raise _no_address()
    return parts


def _no_address() -> Refused:
    return Refused("the url of a hook is an https address without login and fragment, of ASCII letters; give the one that is to be told")


def needs_leave(url: str) -> bool:
    """Whether an admin must allow the URL: it is reached without TLS, or names an address that is not of the public network."""
    parts = address_of(url)
    try:
        return parts.scheme != "https" or not is_public(ipaddress.ip_address(parts.hostname or ""))
    except ValueError:
        return parts.scheme != "https" or parts.hostname == "localhost" or (parts.hostname or "").endswith(".localhost")


def allow_private_address(state: HookState, hook: str) -> Decision:
    """Allow that the address is one of our own network; nothing where that is so. Raises Refused (missing)."""
    _refuse_ended(state, hook)
    return NOTHING if state.private_allowed else just(HookPrivateAddressAllowed())


def rotate(state: HookState, hook: str, *, generation: int, at: datetime) -> Decision:
    """Give the hook the secret of a generation, the next one; nothing where it has it. Raises Refused (missing)."""
    _refuse_ended(state, hook)
    if state.generation >= generation:
        return NOTHING
    return just(HookSecretRotated(generation=generation, old_until=at + BOTH_SIGN))


def suspend(state: HookState, reason: Literal["gone", "dead"]) -> Decision:
    """Tell the hook nothing any more until somebody resumes it; nothing where that is so, or it has ended."""
    return just(HookSuspended(reason=reason)) if state.standing and not state.suspended else NOTHING


def resume(state: HookState, hook: str) -> Decision:
    """Tell a suspended hook of events again; nothing where it is not suspended. Raises Refused (missing)."""
    _refuse_ended(state, hook)
    return just(HookResumed()) if state.suspended else NOTHING


def resend(state: HookState, hook: str, *, delivery: str, since: datetime | None) -> Decision:
    """Ask that what was given up is sent again, one or all since a time, an occurrence.

    Raises Refused: missing (no such hook), usage (neither or both, or an id that is none).
    """
    _refuse_ended(state, hook)
    if bool(delivery) == (since is not None):
        raise Refused(f"hook {hook}: say which delivery to send again, or since when all that were given up")
    if delivery and not DELIVERY.fullmatch(delivery):
        raise Refused(f"hook {hook}: the id of a delivery is msg_ and 32 hex digits; see `o2c hooks deliveries`")
    return just(HookResendRequested(delivery=delivery, since=since))


def unsubscribe(state: HookState, hook: str) -> Decision:
    """End the hook; nothing where it has ended. Raises Refused (missing) where there never was one."""
    if not state.generation:
        raise _no_hook(hook)
    return NOTHING if state.ended else just(HookUnsubscribed())


def _refuse_ended(state: HookState, hook: str) -> None:
    if not state.standing:
        raise _no_hook(hook)


def _no_hook(hook: str) -> Refused:
    return Refused(f"there is no hook {hook}; see `o2c hooks list`", kind="missing")
