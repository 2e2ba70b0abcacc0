"""What is done to a store as a whole: given its clock, adopted as a copy that goes on by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from o2c.desk.act import permitted
from o2c.engine.app import Context, Engine
from o2c.kernel.refusal import Refused
from o2c.store import database
from o2c.store.database import Adopted
from o2c.store.reads import Clock


def begin(app: Engine, *, clock: str, start: datetime | None = None, seed: int, window_minutes: int = 15) -> Clock:
    """Give the store its clock, `simulated` or `real`, once for life. Raises Refused (conflict) when it has one."""
    app.create_clock(kind=clock, start=start, seed=seed, window_s=window_minutes * 60)
    return app.clock()


def begun(app: Engine) -> bool:
    """Whether the store has its clock, without which nothing can be in it."""
    return app.reads.clock() is not None


def adopt(app: Engine, context: Context, *, reason: str) -> Adopted:
    """Declare that this store is a copy that goes on by itself, so that it gives no position that the original gave.

    A repeat with the same command id declares nothing new. Raises Refused: usage when no reason is given or this login does not own the
    store, conflict on a standby.
    """
    if not reason.strip():
        raise Refused("--reason is kept with the new life; say why the store is adopted")
    by = permitted(context if context.command_id else replace(context, command_id=str(uuid4())), "store.adopt")
    return database.adopt(app.dsn, actor=by.actor, reason=reason, command_id=by.command_id)


def newest_migration() -> int:
    """The number of the newest migration of this program, which says what stores it can open."""
    return database.migrations()[-1].number
