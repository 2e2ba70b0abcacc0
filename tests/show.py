"""The show of the fallout desk: what is claimed of a run in which partners are in trouble, agents work the queue and a person works a group.

All of it is told from what `o2c events find` prints and from the partners' own books, and held against what the product says.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from o2c.engine.app import Engine
from o2c.views.fallouts import list_fallouts
from o2c.views.metrics import METRICS, explain_metric
from tests import person, trouble
from tests.book import Entry, effects
from tests.fates import Claim
from tests.recount import Figure, Record, Recount, figures

FIND = ("events", "find", "--identifiers")
SHOWN = 3
"""So many events that only one side counts are named."""


def found(dsn: str, home: Path) -> list[Record]:
    """The whole log as `o2c events find` prints it, in its order."""
    file = home / "events.jsonl"
    environment = {**os.environ, "O2C_DSN": dsn, "O2C_HOME": str(home)}
    with file.open("wb") as out:
        subprocess.run([sys.executable, "-c", person.PROGRAM, *FIND], env=environment, stdout=out, check=True)
    with file.open("rb") as lines:
        return [json.loads(line) for line in lines]


def claims(app: Engine, records: Sequence[Record], book: Sequence[Entry], worked: person.Worked | None, *, least: int) -> Iterator[Claim]:
    """One by one, each with its figures."""
    count, now = Recount(records), app.clock().now
    yield from trouble.claims(trouble.story_of(records), effects(book), orders_min=least)
    rows = list_fallouts(app)
    yield from same_queue(rows, count)
    yield trouble.in_hand(rows, teams(app, now), {one.name: one.holder for one in count.fallouts.values()}, now)
    if worked or least:
        yield from person.claims(worked, records, count, fallouts_min=least)
    own = figures(count, now)
    yield Claim("every figure is counted again", own.keys() == METRICS.keys(), f"{len(own)} figures")
    for name, figure in own.items():
        yield agrees(name, explain_metric(app, name), figure)


def teams(app: Engine, now: datetime) -> dict[str, str]:
    """The team of each queue, by the table of codes in force."""
    return {reason.queue: reason.owner for reason in app.codes().at(now).reasons.values() if reason.owner}


def same_queue(rows: Sequence[dict[str, Any]], count: Recount) -> Iterator[Claim]:
    """The queue has what the log says is open."""
    told, counted = {row["fallout"] for row in rows}, {name for name, one in count.fallouts.items() if not one.closed}
    closed = len(count.fallouts) - len(counted)
    figures = f"{len(count.fallouts)} fallouts in the log, {closed} closed, {len(counted)} open; {len(told ^ counted)} differ"
    yield Claim("the queue has what the log says is open", told == counted, figures)


def agrees(name: str, told: dict[str, Any], own: Figure) -> Claim:
    """A figure is what the log comes to, to the last event."""
    events = [event for event, _ in own.above]
    apart = set(told["events_numerator"]) ^ set(events), set(told["events_denominator"] or ()) ^ set(own.below or ())
    pairs = [(told["numerator"], own.numerator)]
    pairs += [(told[f"p{percent}"], own.percentile(percent)) for percent in (50, 90, 99) if own.above and f"p{percent}" in told]
    same = all(abs(said - counted) < max(0.01, 1e-9 * abs(counted)) for said, counted in pairs)
    value = f"{told['value']:,.6g}" if told["value"] is not None else "nothing to count"
    figures = f"{value} {told['unit']} = {told['numerator']:,.10g}" + (f" / {told['denominator']:,}" if own.below is not None else "")
    if not same or any(apart):
        figures += f"; counted again {own.numerator:,.10g}" + (f" / {len(own.below):,}" if own.below is not None else "")
        figures += "".join(f"; {len(some)} events of one side only, such as {sorted(some)[:SHOWN]}" for some in apart if some)
    return Claim(f"metric {name}", same and not any(apart), figures)
