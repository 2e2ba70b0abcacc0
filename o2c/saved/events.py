"""Events of the views of the fallout queue that a person saved."""

from __future__ import annotations

from o2c.kernel.event import Event


class ViewSaved(Event, name="view.saved", stream="views"):
    """A person saved a view of the fallout queue under a name; one that had this name before is replaced.

    `filters` are those of the queue by their names, those that say something, as texts; `owner` is whose view it is.
    """

    example = {"owner": "ann", "name": "ports without a code", "filters": {"reason": "NP-CODE", "sort": "oldest"}}
    owner: str
    name: str
    filters: dict[str, str]


class ViewForgotten(Event, name="view.forgotten", stream="views"):
    """A person needs a saved view no more."""

    example = {"owner": "ann", "name": "ports without a code"}
    owner: str
    name: str
