"""When a partner may be reached over the network: it has a client of its own, and the configuration holds a possible address."""

from __future__ import annotations

import re
from collections.abc import Collection

from o2c.kernel.refusal import Refused
from o2c.partners.events import PartnerLinked, PartnerSimulated
from o2c.partners.state import PartnerState

CALLS_MAX = 64
TIMEOUT_MS_MAX = 30_000
"""The longest time-out: a page of work waits for its partners, and must be written before the lease on its rows ends."""
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def link(
    state: PartnerState, partner: str, *, url: str, credential: str, timeout_ms: int, calls_max: int, clients: Collection[str]
) -> list[PartnerLinked]:
    """Reach a partner over the network; nothing when it is reached so already. `clients` are the partners that have a client.

    Raises Refused: missing (no client for such a partner), usage (a URL that is no address, a credential that is no name of an environment
    variable, a limit out of its bounds).
    """
    if partner not in clients:
        raise Refused(f"partner {partner} has no client over the network; there are {', '.join(sorted(clients))}", kind="missing")
    if not _ADDRESS.fullmatch(url) or not _VARIABLE.fullmatch(credential):
        raise Refused(f"partner {partner}: give an http(s) address without a login, and the name of the variable that holds the token")
    if not 1 <= calls_max <= CALLS_MAX or not 1 <= timeout_ms <= TIMEOUT_MS_MAX:
        raise Refused(f"partner {partner}: between 1 and {CALLS_MAX} calls at a time, and a time-out up to {TIMEOUT_MS_MAX / 1000:.0f} s")
    event = PartnerLinked(partner=partner, url=url, credential=credential, timeout_ms=timeout_ms, calls_max=calls_max)
    return [] if state.linked == event else [event]


def simulate(state: PartnerState, partner: str) -> list[PartnerSimulated]:
    """Simulate a partner again; nothing when it is simulated already."""
    return [PartnerSimulated(partner=partner)] if state.linked else []
