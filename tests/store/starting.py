"""Programs that start at once on one empty database: `python -m tests.store.starting DSN COUNT`. Each makes what is missing and appends once."""

import os
import sys

from o2c import plan
from o2c.engine.app import Engine
from projections.engine.operations import catch_up
from tests.store.writing import command


def start(dsn: str, number: int) -> None:
    """What every program does first."""
    with Engine(dsn, plan.KINDS) as app:
        [outcome] = app.log_recorder.append([command((f"test-{number}", 0))])
    catch_up(dsn, upto=0)  # makes the tables; the events of tests are of a kind that no fold knows
    if outcome.verdict != "appended":
        raise SystemExit(f"program {number}: {outcome.verdict}")


def main(dsn: str, count: int) -> int:
    """Forked, not spawned, so that all are at the first statement together; how many failed."""
    gate, opened = os.pipe()
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            os.close(opened)
            os.read(gate, 1)
            start(dsn, number)
            os._exit(0)
        children.append(child)
    os.close(opened)
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
