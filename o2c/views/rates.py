"""The rate card in all its versions, for figures and for what would have been saved."""

from __future__ import annotations

from o2c.engine.app import Engine
from o2c.fallout.rates import STREAM, RateBook, book_of

LOADED_FOR_READERS = "SELECT body ->> 'document' AS document FROM o2c.analyst_event WHERE type = 'rates.loaded' ORDER BY position"
"""The rate cards that were loaded, the oldest first, for a login that does not see the log itself. No parameters."""


def rates_in_force(app: Engine) -> RateBook:
    """The packaged rate card, with what the operator loaded over it."""
    if app.sees_log:
        return book_of(app.load_one(STREAM).state.documents)
    return book_of(tuple(row["document"] for row in app.reads.rows(LOADED_FOR_READERS)))
