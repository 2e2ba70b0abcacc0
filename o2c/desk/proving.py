"""Applying a fix that was proven: exactly those fallouts that it resolves are corrected or tried again, as one job, and its codes are
loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import uuid4

from o2c.desk.act import Deed, act, permitted
from o2c.desk.codes import load_deed
from o2c.desk.fallout import deed_on
from o2c.desk.jobs import Job, item_id
from o2c.engine.app import Context, Engine
from o2c.fallout.fix import Fix, fix_of
from o2c.fallout.rules import Correct, Retry
from o2c.jobs.events import JobStarted
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.views.fallouts import rows_of_fallouts
from o2c.views.jobs import show_job
from o2c.views.proving import Proof, prove
from o2c.views.reading import Rows, caught_up

VERB = "fallout.apply-fix"
CODES = "fallout.apply-fix/codes"
"""What takes more than the whole verb does: to put the codes of a fix in force for the whole store."""
ACTION = "apply-fix"
_COUNTS = ("fallouts", "resolves", "fails_again", "unknown", "events_read")
_NAMES = ("fallout", "item", "step", "reason")


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done after a proof, of which `counts` are the numbers and `items` the rows: the job that did it (empty: nothing resolved),
    the version of the codes that was loaded (empty: none), the fallouts that are under way again, those that were refused, each with why
    (somebody else acted on them meanwhile), and how many were left since the job stopped: of 20 and more all had been refused."""

    counts: Mapping[str, Any]
    items: Rows
    job: str = ""
    codes: str = ""
    done: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    stopped: int = 0

    def row(self) -> dict[str, Any]:
        """The proof in numbers, and what was done."""
        done = {"job": self.job or None, "loaded": self.codes or None, "done": len(self.done), "refused": len(self.refused)}
        return {**self.counts, **done, "stopped": self.stopped}

    def rows(self) -> list[dict[str, Any]]:
        """A row for each fallout of the proof, with what was done about it; of a job that was gone on with, for each of its own."""
        why = dict(self.refused)
        return [{**item, "done": item["fallout"] in self.done, "refused": why.get(item["fallout"])} for item in self.items]


def apply_fix(app: Engine, context: Context, fix: str, *, group: str = "", reason: str = "", note: str) -> Applied:
    """Prove a fix, then do exactly what it resolves, as one job: load its codes, and correct or try again those fallouts, and no others.

    Where nothing resolves, nothing is done. Which fallouts, and the version of each one's stream that the proof saw, stand in the job's
    stream before the first is touched; a fallout that moved on since is refused, not done (after the job did something about an earlier one
    of the same order, that order is taken as it then stands). So a job that was cut short goes on when it is called again with the same
    command id (without one, it gets one that is nobody's), under the proof that it began with. Raises Refused as `prove` does, conflict
    (the command id was used for something else), and forbidden.
    """
    context = permitted(context, "fallout.apply-fix")
    if not note.strip():
        raise Refused("say in the note why the fix is applied; it is kept with each fallout")
    caught_up(app)
    context = replace(context, command_id=context.command_id or str(uuid4()))
    wanted = fix_of(fix)
    if wanted.codes:
        # They hold for the whole store and stay: that is more than to mend what the fix resolves.
        permitted(context, CODES)
    again = _Again(app, wanted, note, context.actor)
    job = Job(app, context, VERB, again.deed_on)
    again.job = job.name
    wish = {"action": ACTION, "fix": wanted.fingerprint, "group": group, "reason": reason}
    if job.state.fallouts:
        job.start(job.begun, [wish, note])
        begun, items = job.begun, None
    else:
        proof = prove(app, fix, group=group, reason=reason)
        begun, items = _begun(app, proof, note), proof.rows()
        if not begun.fallouts:
            return Applied(proof.row(), items)
        job.start(begun, [wish, note])
    again.begun = begun
    loaded = _loaded(app, context, wanted) if wanted.codes else ""
    job.run()
    return _applied(job, begun, items, loaded)


def _begun(app: Engine, proof: Proof, note: str) -> JobStarted:
    row = proof.row()
    resolving = [item for item in proof.items if item.verdict == "resolves"]
    return JobStarted(
        action=ACTION,
        settings={name: str(row[name]) for name in ("fix", *_COUNTS)},
        query={name: row[name] for name in ("group", "reason") if row[name]},
        position=str(app.reads.last_position()),
        fallouts=tuple(item.fallout for item in resolving),
        threshold_percent=100,
        changes={},
        note=note,
        versions=tuple(item.version for item in resolving),
    )


def _loaded(app: Engine, context: Context, fix: Fix) -> str:
    act(app, replace(context, command_id=derived_id(context.command_id, "codes")), VERB, load_deed(fix.codes))
    return app.codes().newest.version


def _applied(job: Job, begun: JobStarted, items: Rows | None, loaded: str) -> Applied:
    caught_up(job.app)
    told = show_job(job.app, job.name)
    counts: dict[str, Any] = {name: begun.query.get(name) for name in ("group", "reason")} | {"fix": begun.settings["fix"]}
    counts |= {name: int(begun.settings[name]) for name in _COUNTS}
    if items is None:
        rows = rows_of_fallouts(job.app, begun.fallouts)
        items = [{**{name: rows[one][name] for name in _NAMES}, "verdict": "resolves"} for one in begun.fallouts if one in rows]
    return Applied(
        counts,
        items,
        job.name,
        loaded,
        tuple(row["fallout"] for row in told if row["result"] == "done"),
        tuple((row["fallout"], row["why"]) for row in told if row["result"] == "failed"),
        len(job.state.left),
    )


class _Again:
    """The deed about each fallout of a job that applies a fix: corrected by the fix, or else tried again, as the proof saw its stream."""

    begun: JobStarted
    job: str

    def __init__(self, app: Engine, fix: Fix, note: str, actor: str) -> None:
        self.app, self.fix, self.note, self.actor = app, fix, note, actor

    def deed_on(self, row: Mapping[str, Any]) -> Deed:
        """What is to be done about a fallout. The second of an order stands on what was just done about the first."""
        state = self.app.load_one(row["stream"]).state
        names = (row["order_id"], getattr(state, "external_id", None))
        changes = self.fix.changes(*(name for name in names if name))
        deed = deed_on(self.app, row, Correct(changes) if changes else Retry(), note=self.note, by=self.actor)
        return replace(deed, expected_version=None if self._moved_by_us(row) else self._versions[row["fallout"]])

    @cached_property
    def _versions(self) -> Mapping[str, int]:
        return dict(zip(self.begun.fallouts, self.begun.versions, strict=True))

    @cached_property
    def _together(self) -> Mapping[str, list[str]]:
        """The fallouts of the job by their stream, in the order in which they are tried."""
        found: dict[str, list[str]] = {}
        rows = rows_of_fallouts(self.app, self.begun.fallouts)
        for fallout in self.begun.fallouts:
            if fallout in rows:
                found.setdefault(rows[fallout]["stream"], []).append(fallout)
        return found

    def _moved_by_us(self, row: Mapping[str, Any]) -> bool:
        """Whether the job did something about an earlier fallout of the same stream."""
        same = self._together[row["stream"]]
        before = same[: same.index(row["fallout"])]
        return bool(before and self.app.reads.commands_written([item_id(self.job, name) for name in before]))
