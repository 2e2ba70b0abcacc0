"""What it takes a person to work the biggest group of fallouts: the commands typed, the screens read and the seconds waited, one after another.

The commands are run as a person runs them, each a program of its own. Hands and eyes are reckoned by published averages, from memory [M]: a key of
somebody who is no typist (Card, Moran and Newell's keystroke-level model, 1980) and silent reading (Brysbaert, 2019).
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.fates import Claim
from tests.recount import Record, Recount

KEY_S, THINK_S, WORDS_PER_MIN = 0.28, 1.35, 238
THOUGHTS = 3
"""How often a person makes up his mind about a command: what is to be done, how it is typed, and whether its answer is as it should be."""
PATIENCE_S = 120.0
SOME_FAILED = 6
RECALLED = "--dry-run"
"""What is wiped from the end of the last command, which is called up again with one key."""
PROGRAM = "from o2c.entrypoints.cli.main import main; main()"


class Screen(NamedTuple):
    """A command as it was typed, what it showed, and how long that took; `keys` is how many keys were pressed for it."""

    words: tuple[str, ...]
    shown: str
    keys: int
    waited_s: float

    @property
    def person_s(self) -> float:
        """The seconds of a person's time: thinking, typing, waiting, reading every word."""
        return THOUGHTS * THINK_S + self.keys * KEY_S + self.waited_s + len(self.shown.split()) * 60 / WORDS_PER_MIN


class Worked(NamedTuple):
    """A group that was worked: its row among the groups, the screens, and what the dry run and the job said."""

    group: Mapping[str, Any]
    screens: tuple[Screen, ...]
    foretold: Mapping[str, Any]
    job: Mapping[str, Any]


class Terminal:
    """A person's terminal on one store."""

    def __init__(self, dsn: str, home: str, actor: str) -> None:
        self.environment = {**os.environ, "O2C_DSN": dsn, "O2C_HOME": home, "O2C_ACTOR": actor, "COLUMNS": "80"}
        self.screens: list[Screen] = []

    def types(self, *words: str, again: bool = False) -> str:
        """What a command shows. One that is the last but for RECALLED is called up `again` and shortened."""
        began = time.monotonic()
        shown = self._run(words)
        typed = len("o2c " + " ".join(_quoted(word) for word in words)) + 1
        keys = len(RECALLED) + 3 if again else typed
        self.screens.append(Screen(words, shown, keys, time.monotonic() - began))
        return shown

    def sees(self, *words: str) -> Any:
        """What a program is told in place of a person; it costs nobody time."""
        return json.loads(self._run((*words, "-o", "json")))

    def _run(self, words: Sequence[str]) -> str:
        done = subprocess.run([sys.executable, "-c", PROGRAM, *words], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode not in (0, SOME_FAILED):
            raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-400:]}")
        return done.stdout + done.stderr if "json" not in words else done.stdout


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def worked_biggest(dsn: str, home: str, actor: str = "ann") -> Worked | None:
    """Work the group with most open fallouts as a person does: look at the groups, try the job dry, then start it. None where nothing is open."""
    terminal = Terminal(dsn, home, actor)
    groups = terminal.sees("fallout", "groups", "--open", "--limit", "1")
    if not groups:
        return None
    terminal.types("fallout", "groups", "--open", "--limit", "3")
    wish = ("fallout", "bulk", "--group", groups[0]["group"], "--retry", "--reason", "mended at the partner")
    foretold = terminal.sees(*wish, RECALLED)
    terminal.types(*wish, RECALLED)
    terminal.types(*wish, again=True)
    return Worked(groups[0], tuple(terminal.screens), foretold, _told(terminal.screens[-1].shown))


def _told(shown: str) -> dict[str, Any]:
    """The answer of a job as a table: a name and a value a line."""
    pairs = (line.split(None, 1) for line in shown.splitlines())
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def claims(worked: Worked | None, records: Sequence[Record], count: Recount, *, fallouts_min: int) -> Iterator[Claim]:
    """What the job said against what the log has, how long a person had to do with it, and what became of the orders."""
    if worked is None:
        yield Claim("the biggest group was worked", False, "no fallout was open at that time")
        return
    job = worked.job
    yield counted(job, records)
    yield foretold(worked)
    yield in_time(worked, fallouts_min)
    yield went_on(job["job"], records, count)


def _of_job(job: str, records: Sequence[Record], name: str) -> list[Record]:
    return [record for record in records if record["stream"] == f"job-{job}" and record["type"] == name]


def _matched(job: str, records: Sequence[Record]) -> list[str]:
    return [fallout for record in _of_job(job, records, "job.started") for fallout in record["data"]["fallouts"]]


def counted(job: Mapping[str, Any], records: Sequence[Record]) -> Claim:
    """Matched = done + failed + stopped, as it was told, and as the job's events and those of the fallouts say: each met once."""
    told = {name: int(job[name]) for name in ("matched", "done", "failed", "stopped")}
    fallouts = _matched(job["job"], records)
    results = Counter(one["result"] for record in _of_job(job["job"], records, "job.items-tried") for one in record["data"]["items"])
    logged = {"matched": len(fallouts), "done": results["done"], "failed": results["failed"], "stopped": len(fallouts) - results.total()}
    deeds = Counter(
        record["data"]["fallout"] for record in records if _by(record, "ann") and record["type"] == "fallout.correction-applied"
    )
    once = all(deeds[fallout] <= 1 for fallout in fallouts) and sum(deeds[fallout] for fallout in fallouts) == results["done"]
    good = told == logged and told["matched"] == told["done"] + told["failed"] + told["stopped"] and told["matched"] > 0 and once
    figures = ", ".join(f"{count} {name}" for name, count in told.items()) + f"; {deeds.total()} tried again by the job"
    return Claim("bulk: matched = done + failed + stopped, each fallout once", good, figures + ("" if good else f"; the log says {logged}"))


def _by(record: Record, actor: str) -> bool:
    return bool(record["actor"] == actor)


def foretold(worked: Worked) -> Claim:
    """The dry run said what the job did."""
    names = ("matched", "done", "failed", "stopped")
    said, did = [int(worked.foretold[name]) for name in names], [int(worked.job[name]) for name in names]
    figures = f"{dict(zip(names, said, strict=True))}" + ("" if said == did else f", and it did {did}")
    return Claim("bulk: the dry run foretold it", said == did, figures)


def in_time(worked: Worked, fallouts_min: int) -> Claim:
    """From the groups to the end of the job in less than two minutes of a person's time."""
    screens, matched = worked.screens, int(worked.job["matched"])
    total = sum(screen.person_s for screen in screens)
    words = sum(len(screen.shown.split()) for screen in screens)
    figures = (
        f"{matched} fallouts in {total:.0f} s: {len(screens)} commands, {sum(screen.keys for screen in screens)} keys at {KEY_S} s, "
        f"{THOUGHTS * len(screens)} thoughts of {THINK_S} s, {words} words read at {WORDS_PER_MIN} a minute, "
        f"{sum(screen.waited_s for screen in screens):.1f} s waited; load average {os.getloadavg()[0]:.1f}"
    )
    good = total < PATIENCE_S and matched >= max(fallouts_min, 1)
    return Claim(f"a group of at least {fallouts_min} is worked in less than {PATIENCE_S:.0f} s of a person's time", good, figures)


def went_on(job: str, records: Sequence[Record], count: Recount) -> Claim:
    """What became of the job's fallouts since: how they were closed, and how their orders or invoices stand."""
    fallouts = [count.fallouts[name] for name in _matched(job, records)]
    closed = Counter(one.closed["type"] if one.closed else f"open as {one.reason}" for one in fallouts)
    streams = {one.stream for one in fallouts}
    figures = f"{len(fallouts)} fallouts of {len(streams)} orders or invoices: " + ", ".join(
        f"{n} {what}" for what, n in closed.most_common()
    )
    still = sum(n for what, n in closed.items() if what.startswith("open"))
    return Claim("bulk: the group's orders went on", bool(fallouts) and still < len(fallouts) / 2, figures)
