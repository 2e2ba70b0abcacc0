"""Figures about appends: how long each took and the verdict on each command, as Prometheus instruments and debug lines.

With PROMETHEUS_MULTIPROC_DIR set (an empty folder, before the program starts) the figures of several processes add up.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import structlog

from o2c.store.commands import Append, Outcome

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

logger = structlog.get_logger(__name__)
# The plain logger knows its level without building a line: an append must not pay for lines that nobody reads.
_plain = logging.getLogger(__name__)


class Instruments(NamedTuple):
    """What a process keeps of its appends: how long they took, and the verdicts on their commands."""

    append_seconds: Histogram
    commands: Counter


@cache
def instruments() -> Instruments:
    """The instruments of this process, made at its first append: whoever only reads the store needs no library for them."""
    from prometheus_client import Counter, Histogram

    return Instruments(
        Histogram(
            "o2c_append_seconds",
            "Wall time of one append: one transaction, one round trip, whatever the number of its commands.",
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=None,
        ),
        Counter(
            "o2c_commands",
            "Commands by verdict: appended, repeated, stale (another writer was faster), guarded (a piece is held by another), refused.",
            ["verdict"],
            registry=None,
        ),
    )


def appended(commands: Sequence[Append], outcomes: Sequence[Outcome], seconds: float) -> None:
    """Count an append that has ended, and log each of its commands at level debug."""
    kept = instruments()
    kept.append_seconds.observe(seconds)
    verdicts = [outcome.verdict for outcome in outcomes]
    for verdict in set(verdicts):
        kept.commands.labels(verdict).inc(verdicts.count(verdict))
    if _plain.isEnabledFor(logging.DEBUG):
        for command, outcome in zip(commands, outcomes, strict=True):
            _tell(command, outcome)


def _tell(command: Append, outcome: Outcome) -> None:
    """Log one command, with its deciding stream and its position, as far as it has them: a bare mark has no stream."""
    where = {"stream": command.heads[0].stream} if command.heads else {}
    if outcome.last_position:
        where["position"] = str(outcome.last_position)
    logger.debug(
        "command_written" if outcome.verdict == "appended" else "command_not_written",
        **where,
        command=command.command_id,
        verdict=outcome.verdict,
        events=len(command.facts),
    )
