"""Opening the store for one command: O2C_DSN's PostgreSQL, or the embedded one in O2C_HOME."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from o2c import plan
from o2c.app import Engine
from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused
from o2c.partners.simulated import simulated_partners
from o2c.runner import Progress, Runner
from o2c.store import embedded


@dataclass(frozen=True, slots=True)
class Session:
    """An open store and its data folder."""

    app: Engine
    home: Path

    def runner(self, progress: Progress | None = None) -> Runner:
        """A driver with this store's partners: the simulators, drawn from the store's seed."""
        return Runner(self.app, simulated_partners(self.app.clock().seed), progress=progress)

    def book(self) -> plan.PlanBook:
        return self.runner().book


@contextmanager
def opened() -> Iterator[Session]:
    """The store of this environment, its schema brought up to date. The embedded server stops when its last user leaves."""
    home = embedded.default_home()
    dsn = os.environ.get("O2C_DSN")
    if dsn:
        with Engine(dsn, plan.KINDS) as app:
            yield Session(app, home)
        return
    with embedded.acquire(home) as server, Engine(server.dsn, plan.KINDS) as app:
        yield Session(app, home)


def time_of(text: str) -> datetime:
    """A time as a person writes it: RFC 3339, or a bare date meaning midnight UTC. Raises Refused."""
    try:
        return parse_time(text if "T" in text.upper() or " " in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise Refused(f"{text} is no time: {error}; write 2026-04-15 or 2026-04-15T09:00:00Z") from None
