"""A web shop's back end, in a process of its own: it hands orders over and tells customers how they go on.

Run it where the store is (O2C_DSN, or O2C_HOME), with a file to keep its place in and orders on standard input:

    python docs/example_service.py shop.mark < orders.jsonl

What it prints (JSON lines) stands for its web pages and text messages. It may be killed at any moment and started again with the same
input: every order is captured once, and no news is left out. News may come twice around a kill; each line carries the id of its event, by
which whoever receives it can tell.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid5

from o2c import Context, EventRecord, Mark, OrderToCash, Refused

# The shop's own namespace, made once with uuid4: the same order number gives the same command id, today and after every restart.
SHOP = UUID("3f0c2f6e-6a1b-4f8d-9a57-0d1f5f0b7c11")
NEWS = {
    "order.captured": "thank you for your order",
    "order.planned": "we have begun",
    "order.completed": "everything is up and running",
    "order.partially-completed": "part of it is up and running",
    "order.failed": "we could not do it",
    "order.rejected": "we cannot take this order",
    "order.cancelled": "your order is cancelled",
}


def hand_over(o2c: OrderToCash, lines: Iterable[str]) -> None:
    """Capture each order, and show its state to the customer who has just pressed the button."""
    for line in filter(str.strip, lines):
        number = json.loads(line)["externalId"]
        context = Context(actor="web-shop", channel="web", command_id=str(uuid5(SHOP, number)))
        while True:
            try:
                captured = o2c.capture(line, context)
                # A position of the log: once readers have passed it, what they read includes this order.
                o2c.wait(captured.position)
                say(order=number, state=o2c.order(number)["state"], repeated=captured.repeated)
                break
            except Refused as refused:
                if refused.kind != "unavailable":
                    say(order=number, refused=str(refused))
                    break
                # The database is away, and what was asked may have been done or not: the same command id makes asking again safe.
                time.sleep(1)


def tell(record: EventRecord) -> None:
    say(id=record.id, position=str(record.position), order=record.order, news=NEWS[record.type])


def say(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def remembered(place: Path) -> Mark | None:
    """Where the last life of this process stopped; None on its first day."""
    if not place.exists():
        return None
    position, event_id = place.read_text().split()
    return Mark(int(position), event_id)


def remember(place: Path, mark: Mark) -> None:
    """Keep the position and the id: when the log is not the one it was, `follow` says so instead of leaving something out."""
    part = place.with_suffix(".part")
    part.write_text(f"{mark.position} {mark.event_id}")
    part.replace(place)


def main(place: Path) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with OrderToCash() as o2c:
        threading.Thread(target=hand_over, args=(o2c, sys.stdin), daemon=True).start()
        for record in o2c.follow(remembered(place), types=NEWS, stop=stop.is_set):
            tell(record)
            # After telling, not before: killed in between, it tells again. The other way round it would never tell.
            remember(place, record.mark)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
