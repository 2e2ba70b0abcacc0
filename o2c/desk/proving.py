"""Applying a fix that was proven: exactly those fallouts that it resolves are corrected or tried again, and its codes are loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from o2c.desk.act import act, permitted
from o2c.desk.codes import load_deed
from o2c.desk.fallout import deed_of
from o2c.engine.app import Context, Engine, Written
from o2c.fallout.fix import Fix
from o2c.fallout.rules import Correct, Retry
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.views.proving import Proof, Proven, prove
from o2c.views.reading import caught_up

VERB = "fallout.apply-fix"


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done after a proof: the version of the codes that was loaded (empty: none), the fallouts that are under way again, and those that
    were refused, each with why: somebody else acted on them meanwhile."""

    proof: Proof
    codes: str
    done: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]

    def row(self) -> dict[str, Any]:
        """The proof in numbers, and what was done."""
        done = {"loaded": self.codes or None, "done": len(self.done), "refused": len(self.refused)}
        return {**self.proof.row(), **done}

    def rows(self) -> list[dict[str, Any]]:
        """A row for each fallout of the proof, with what was done about it."""
        why = dict(self.refused)
        return [{**item.row(), "done": item.fallout in self.done, "refused": why.get(item.fallout)} for item in self.proof.items]


def apply_fix(app: Engine, context: Context, fix: str, *, group: str = "", reason: str = "", note: str) -> Applied:
    """Prove a fix, then do exactly what it resolves: load its codes, and correct or try again those fallouts, and no others.

    Where nothing resolves, nothing is done. Each deed has a command id of its own, derived from the fix, the fallout and the state that the proof
    saw; a fallout that moved on since is refused, not done. Raises Refused as `prove` does, and forbidden.
    """
    context = permitted(context, "fallout.apply-fix")
    if not note.strip():
        raise Refused("say in the note why the fix is applied; it is kept with each fallout")
    caught_up(app)
    proof = prove(app, fix, group=group, reason=reason)
    resolving = [item for item in proof.items if item.verdict == "resolves"]
    base = context.command_id or derived_id(VERB, proof.fix.fingerprint)
    loaded = _loaded(app, context, proof.fix, base) if resolving and proof.fix.codes else ""
    done: list[str] = []
    refused: list[tuple[str, str]] = []
    touched: set[str] = set()
    for item in resolving:
        try:
            # The second fallout of an order stands on what was just done about the first.
            _again(app, context, proof.fix, item, base, note, None if item.stream in touched else item.version)
            touched.add(item.stream)
            done.append(item.fallout)
        except Refused as error:
            refused.append((item.fallout, str(error)))
    return Applied(proof, loaded, tuple(done), tuple(refused))


def _loaded(app: Engine, context: Context, fix: Fix, base: str) -> str:
    act(app, replace(context, command_id=derived_id(base, "codes")), VERB, load_deed(fix.codes))
    return app.codes().newest.version


def _again(app: Engine, context: Context, fix: Fix, item: Proven, base: str, note: str, version: int | None) -> Written:
    changes = fix.changes(*(name for name in (item.order, item.external_id) if name))
    deed = deed_of(app, item.fallout, Correct(changes) if changes else Retry(), note=note, by=context.actor)
    its_own = replace(context, command_id=derived_id(base, item.fallout, str(item.version)))
    return act(app, its_own, VERB, replace(deed, expected_version=version))
