"""The views of the fallout queue that people saved."""

from __future__ import annotations

from o2c.engine.app import Engine
from o2c.saved.state import ViewsState, stream_of
from o2c.views.shown import SavedViewShown


def saved_views(app: Engine, *, owner: str = "") -> list[SavedViewShown]:
    """The saved views of the fallout queue by owner and name, of one person where `owner` says whose: the `filters` are those of
    `fallout.list`.

    `everything` is "1" where closed ones are shown as well; without a sort it is by rank.
    """
    streams = [stream_of(owner)] if owner else app.reads.streams_like("views-")
    states: list[ViewsState] = [loaded.state for loaded in app.load(streams).values()]
    found: list[SavedViewShown] = [
        {"owner": state.owner, "name": name, "filters": filters} for state in states for name, filters in state.views.items()
    ]
    return sorted(found, key=lambda row: (row["owner"], row["name"].casefold(), row["name"]))
