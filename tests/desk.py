"""A person at the desk: types commands as Ann and reads what they show."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from o2c.entrypoints.cli.main import app
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from tests.world import World

GOLDEN = "+447700911111"
"""A number that is never assigned by itself."""
DEPOSIT = RefusedBy("DEPOSIT", {"deposit_minor": 10_000, "currency": "GBP"})


class Desk:
    """Types commands on one store."""

    def __init__(self, dsn: str, home: Path) -> None:
        self.environment = {"O2C_DSN": dsn, "O2C_HOME": str(home), "O2C_ACTOR": "ann"}

    def types(self, *words: str) -> str:
        """What the command says. Raises what it refuses."""
        done = CliRunner().invoke(app, words, env=self.environment)
        if isinstance(done.exception, Refused):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    def sees(self, *words: str) -> Any:
        """What the command shows."""
        return json.loads(self.types(*words, "-o", "json"))

    def finds(self, reason: str) -> str:
        """The one open fallout with a reason."""
        [found] = self.sees("fallout", "list", "--reason", reason)
        return str(found["fallout"])


def actors(world: World, stream: str, event_type: str) -> list[str]:
    """Who made the events of a type."""
    return [row["actor"] for row in world.app.reads.rows("SELECT actor FROM o2c.event WHERE stream = %s AND type = %s", stream, event_type)]
