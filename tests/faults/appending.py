"""A program that appends new orders at a steady pace until it is told to stop; it tells how many it wrote, and how fast."""

import itertools
import select
import sys
import time
import uuid

from o2c.store.commands import APPEND_SQL, Append, Head, append_parameters
from o2c.store.database import connect
from tests.histories import captured, stored

BATCH = 25


def new_order(number: int) -> Append:
    """The command that captures an order."""
    told, event_id = captured(number, salt="steady"), str(uuid.uuid4())
    return Append(event_id, "steady", heads=(Head(told.stream, 0, 1),), facts=(stored(told, 1, event_id),))


def main(dsn: str, events_a_second: int) -> None:
    """Append in small transactions, one behind the other, until standard input says something."""
    numbers, began, written = itertools.count(10_000), time.monotonic(), 0
    with connect(dsn) as conn:
        while not select.select([sys.stdin], [], [], max(0.0, began + written / events_a_second - time.monotonic()))[0]:
            [outcome] = conn.execute(
                APPEND_SQL, append_parameters([new_order(number) for number in itertools.islice(numbers, BATCH)], 0)
            ).fetchall()
            assert outcome["verdict"] == "appended"
            written += BATCH
    sys.stdout.write(f"{written} {round(written / (time.monotonic() - began))}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
