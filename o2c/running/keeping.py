"""Keeping projections current: a worker, or a crew of them, that folds the log as it grows."""

from __future__ import annotations

from collections.abc import Sequence

from o2c.kernel.refusal import Refused
from o2c.running.crew import Crew
from o2c.running.session import Session
from o2c.views.projections import LOOKUPS, chosen
from projections.catalogue import BY_NAME
from projections.engine.projection import Projection
from projections.engine.shards import Follower


def follower(session: Session, names: Sequence[str] | None = None, *, share: int | None = None) -> Follower:
    """A worker that keeps projections up to date, of which it takes at most `share` at first. Raises Refused as `followers` does."""
    return Follower(session.app.dsn, _followed(session, names), share=share)


def followers(session: Session, names: Sequence[str] | None, count: int) -> Crew:
    """So many worker processes that share projections.

    Raises Refused: missing for a name that is none, usage for the blind index, which only somebody with the operator's key brings up to
    date.
    """
    share = -(-len(_followed(session, names)) // count)
    return Crew(count, "projections", "work", *(names or []), "--share", str(share))


def _followed(session: Session, names: Sequence[str] | None) -> list[Projection]:
    followed = [projection for projection in chosen(session.home, names) if projection.name in BY_NAME]
    if names and len(followed) < len(names):
        raise Refused(f"{LOOKUPS} is brought up to date when somebody looks, with the operator's key; leave it out")
    return followed
