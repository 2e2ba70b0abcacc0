"""When a file of usage records counts as taken in, and when zones and time bands are loaded."""

from __future__ import annotations

from o2c.kernel.decision import Decision, just
from o2c.usage.events import UsageLoaded, UsagePurged, ZonesLoaded
from o2c.usage.state import UsageFileState, ZonesState
from o2c.usage.zoning import Zoning


def take_in(state: UsageFileState, *, loaded: UsageLoaded) -> Decision:
    """Record what a file brought; the same file once more changes nothing."""
    return just() if state.loaded is not None else just(loaded)


def purge(state: UsageFileState, *, purged: UsagePurged) -> Decision:
    """Record what was deleted; nothing where nothing was."""
    return just(purged) if purged.records else just()


def load_zones(state: ZonesState, *, made: Zoning, document: str) -> Decision:
    """Record zones and time bands that were checked; a file that was loaded already changes nothing."""
    if document in state.documents:
        return just()
    return just(ZonesLoaded(market=made.market, version=made.version, valid_from=made.valid_from, document=document))
