"""Opening the store: O2C_DSN's PostgreSQL, or the embedded one in O2C_HOME."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from o2c import plan
from o2c.engine.app import Engine
from o2c.engine.runner import Progress, Runner
from o2c.kernel.refusal import Refused
from o2c.partners.registry import links
from o2c.running.roles import arranged_roles
from o2c.store import embedded
from o2c.views import analyst
from o2c.views.partners import partner_states


@dataclass(frozen=True, slots=True)
class Session:
    """An open store and its data folder."""

    app: Engine
    home: Path

    def runner(self, progress: Progress | None = None) -> Runner:
        """A driver with this store's partners, simulated or real as it is configured."""
        partners = links(partner_states(self.app), seed=self.app.clock().seed)
        return Runner(self.app, partners, progress=progress)


@contextmanager
def opened(dsn: str | None = None, *, create: bool = False, reading: bool = False) -> Iterator[Session]:
    """The store of a connection string, else of this environment, its schema brought up to date.

    The embedded server stops when its last user leaves. A standby will do where somebody is only `reading`. Raises Refused: missing where the data folder holds no store (a typo in O2C_HOME
    makes none, only `create` does), unavailable (try later) when the server does not answer.
    """
    home = embedded.default_home()
    dsn = dsn or os.environ.get("O2C_DSN")
    if dsn:
        with Engine(dsn, plan.KINDS, reading=reading) as app:
            if app.takes_writes:
                analyst.publish(app)
            yield Session(app, home)
        return
    if not create and not embedded.has_store(home):
        raise Refused(f"there is no store in {home}; make one with `o2c init`, or correct O2C_HOME", kind="missing")
    with embedded.acquire(home) as server, Engine(server.dsn, plan.KINDS) as app:
        analyst.publish(app)
        if create:
            arranged_roles(server.dsn)
        yield Session(app, home)
