"""When a file of usage records counts as taken in."""

from __future__ import annotations

from o2c.kernel.decision import Decision, just
from o2c.usage.events import UsageLoaded, UsagePurged
from o2c.usage.state import UsageFileState


def take_in(state: UsageFileState, *, loaded: UsageLoaded) -> Decision:
    """Record what a file brought; the same file once more changes nothing."""
    return just() if state.loaded is not None else just(loaded)


def purge(state: UsageFileState, *, purged: UsagePurged) -> Decision:
    """Record what was deleted; nothing where nothing was."""
    return just(purged) if purged.records else just()
