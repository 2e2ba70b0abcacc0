"""Opening the store: O2C_DSN's PostgreSQL, or the embedded one in O2C_HOME."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.running.failing import refused_by_server
from o2c.running.roles import arranged_roles
from o2c.store import embedded
from o2c.views import analyst

if TYPE_CHECKING:
    from o2c.engine.runner import OnTime, Runner
    from o2c.engine.worker import Worker

__all__ = ["OnTime", "Session", "opened"]


@dataclass(frozen=True, slots=True)
class Session:
    """An open store and its data folder."""

    app: Engine
    home: Path
    on_close: ExitStack = field(default_factory=ExitStack, repr=False)
    """What is to be closed with the session."""

    def runner(self, progress: OnTime | None = None) -> Runner:
        """A driver with this store's partners, simulated or real as it is configured; it is closed with the session."""
        # Only where time is to pass: whoever looks at a store needs neither partners nor rules.
        from o2c.engine.runner import Runner
        from o2c.partners.registry import links
        from o2c.views.partners import partner_states

        partners = links(partner_states(self.app), seed=self.app.clock().seed)
        runner = Runner(self.app, partners, progress=progress)
        self.on_close.callback(runner.close)
        return runner

    def close(self) -> None:
        """Give up the connections to partners; the store stays open."""
        self.on_close.close()

    def connect_within(self, wait_s: float) -> None:
        """From now on wait no longer than this for a connection to the database, nor between two attempts to make one: such pauses grow
        otherwise."""
        pool = self.app.log_recorder.datastore.pool
        pool.timeout = pool.reconnect_timeout = wait_s

    def worker(self) -> Worker:
        """One worker of this store in real time. Raises Refused where its time is simulated."""
        from o2c.engine.worker import Worker

        return Worker(self.runner())

    @property
    def simulated(self) -> bool:
        """Whether time is simulated. Raises Refused while the store has no clock."""
        return self.app.clock().kind == "simulated"

    @property
    def now(self) -> datetime:
        """The time by the clock of the store. Raises Refused while it has none."""
        return self.app.clock().now

    @property
    def takes_writes(self) -> bool:
        """Whether the server takes writes: a standby takes none."""
        return self.app.takes_writes


@contextmanager
def opened(dsn: str | None = None, *, create: bool = False, reading: bool = False) -> Iterator[Session]:
    """The store of a connection string, else of this environment, its schema brought up to date.

    The embedded server stops when its last user leaves. A standby will do where somebody is only `reading`. Raises Refused: missing where
    the data folder holds no store (a typo in O2C_HOME makes none, only `create` does), unavailable (try later) when the server does not
    answer or cannot be started.
    """
    home = embedded.default_home()
    dsn = dsn or os.environ.get("O2C_DSN")
    if dsn:
        with Engine(dsn, reading=reading) as app, _explained(app):
            if app.takes_writes:
                analyst.publish(app)
            with closing(Session(app, home)) as session:
                yield session
        return
    if not create and not embedded.has_store(home):
        raise Refused(f"there is no store in {home}; make one with `o2c init --clock real`, or correct O2C_HOME", kind="missing")
    with _refused_when_unavailable(), embedded.acquire(home) as server, Engine(server.dsn) as app:
        analyst.publish(app)
        if create:
            arranged_roles(app)
        with closing(Session(app, home)) as session:
            yield session


@contextmanager
def _explained(app: Engine) -> Iterator[None]:
    """To a login of the reader role, why it is not shown what it asked for."""
    try:
        yield
    except Exception as error:
        if app.sees_log or refused_by_server(error) is None:
            raise
        raise Refused(
            "this is read from the log itself, which a login of the reader role does not see, for names stand in it; use one that may append,"
            " or ask the views of projections and analysts (`o2c sql`)",
            kind="forbidden",
        ) from None


@contextmanager
def _refused_when_unavailable() -> Iterator[None]:
    """A server of ours that cannot be started or stopped is for a caller what one is that does not answer."""
    try:
        yield
    except embedded.ServerUnavailable as error:
        raise Refused(" ".join(str(error).split()).removesuffix("."), kind="unavailable") from error
