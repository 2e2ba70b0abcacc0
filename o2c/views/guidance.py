"""What a person is told of a fallout: what its code means, what to do next, and which actions there are, as commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from o2c.engine.app import Engine
from o2c.fallout.actions import ACTIONS, Stage
from o2c.fallout.rules import PIECES
from o2c.kernel.decision import Decision
from o2c.kernel.money import from_minor
from o2c.kernel.refusal import Refused
from o2c.kernel.step import Step
from o2c.kernel.work import Work
from o2c.orders.giving_up import no_return_of_port
from o2c.orders.renewal import works_with
from o2c.orders.wish import PORT_IN
from o2c.partners.state import stream_of
from o2c.views.reading import Rows

CORRECTABLE = ("place", "portInNumber", "portInCode", "visitOn", "visitWindow", "switchFrom", "switchAccount", "party", "account", "method")
"""Values by a name of their own that a person may correct; those of an order's lines are named by line."""
_ON_LINES = ("item", "action", "quantity", "offering", "product", "relies_on")
_ANY_VALUE = "?"
_VISIT = ("visitOn", "visitWindow")
ASKED_FIRST: Mapping[str, tuple[str, ...]] = {
    "NP-CODE": ("portInCode",),
    "DQ-PHONE": ("portInNumber",),
    "DQ-ADDR": ("place",),
    "SW-NOMATCH": ("switchFrom", "switchAccount", "place"),
    "SW-AMBIG": ("switchAccount",),
    "LOG-HOME": _VISIT,
    "LOG-FULL": _VISIT,
}
"""What a reason asks for first; of another one everything that may be corrected."""


def actions_of(app: Engine, row: Mapping[str, Any], name: str) -> list[str]:
    """The ways to act on a fallout that its step has as it stands, each the very command. `name` is how its order is called."""
    stream = str(row["stream"])
    state = app.load_one(stream).state
    work = app.reading(app.work(stream, state, row["item"], row["step"]))
    if row["state"] != "open" or not work.waiting_for:
        return []
    step = app.book.steps[row["step"]]
    resolve = f"o2c fallout resolve {row['fallout']}"
    keys = asked_first(row["reason"], correctable(app, stream, state, row["item"])) if step.requested else []
    named = ["line.N.FIELD"] if any(key.startswith("line.") for key in keys) else []
    ways = [f"--correct {key}=VALUE" for key in (*(key for key in keys if not key.startswith("line.")), *named)]
    acts = (f'{resolve} {way} --reason "TEXT"' for way in (*ways, *_ways(app, step, work)))
    return [*_money(row, work, name), *acts, *_later(row, work, name), *_without(app, row, work, name)]


RESOLVING = frozenset({"retry", "park", "correct", "decide", "force", "skip", "replace", "fail-item", "fail-order", "cancel"})
"""Actions that are no handling: whether they can be, the step says."""
_NAMED = {"fail": "fail-item"}


def ways_of(app: Engine, row: Mapping[str, Any], record: Mapping[str, Any]) -> Rows:
    """What may be done about a fallout as it stands, for a form: each the name of its `action`, and the `value` that tells it from others.

    A correction is told by the key that may be corrected, a decision by approve or decline. `row` is the row before, `record` the one with
    what the record comes to.
    """
    stream = str(row["stream"])
    state = app.load_one(stream).state
    work = app.reading(app.work(stream, state, row["item"], row["step"]))
    step, found = app.book.steps[row["step"]], []
    stage: Stage = "waiting" if work.waiting_for else "under-way"
    if row["state"] != "open":
        stage = "closed" if record["state"] == "closed" else "reopened"
    if stage == "waiting":
        if step.requested:
            keys = asked_first(row["reason"], correctable(app, stream, state, row["item"]))
            found += [{"action": "correct", "value": key} for key in keys]
        for flag in _ways(app, step, work):
            word, _, value = flag.removeprefix("--").partition(" ")
            found.append({"action": _NAMED.get(word, word), "value": value})
    handled = (action for action in ACTIONS.values() if stage in action.stages and action.name not in RESOLVING)
    return found + [{"action": action.name, "value": ""} for action in handled if _fits(action.name, record)]


def _fits(action: str, record: Mapping[str, Any]) -> bool:
    """Whether an action makes sense of a fallout as its record stands."""
    needed = {"resume": ("awaitingInformation", "onHold"), "release": ("assigned", "inProgress", "awaitingInformation", "onHold")}
    return record["state"] in needed.get(action, (record["state"],))


def _ways(app: Engine, step: Step, work: Work) -> Iterator[str]:
    """The ways but corrections."""
    for approve in (True, False):
        if step.referral and _decides(app, step, work, approve=approve):
            yield f"--decide {'approve' if approve else 'decline'}"
    if step.requested is not None:
        yield "--retry"
        if step.partner and app.load_one(stream_of(step.partner)).state.down:
            yield "--park"
    if step.forceable:
        yield "--force"
        if work.item and not step.recalls:
            yield "--skip"
    taken = (piece for piece in PIECES if work.item and not step.recalls and work.outcomes.get(piece))
    if any(works_with(work.subject.waits, step.name, piece) for piece in taken):
        yield "--replace"
    if work.item and not step.recalls:
        yield "--fail"
        yield "--fail-order"


def _without(app: Engine, row: Mapping[str, Any], work: Work, name: str) -> Iterator[str]:
    """The command by which the customer does without the part of the item that fell out, as long as that can be."""
    if app.book.steps[row["step"]].part == PORT_IN and not no_return_of_port(work.state, work.item, app.clock().now, app.book):
        yield f'o2c ports cancel {shlex.quote(name)} --item {shlex.quote(work.item)} --reason "TEXT"'


def _later(row: Mapping[str, Any], work: Work, name: str) -> Iterator[str]:
    """The command by which an order in flight becomes the one of a paper that came later."""
    if row["reason"] == "DQ-DUP" and work.state.planned and not work.state.closed:
        yield f"o2c orders amend {shlex.quote(name)} --from-resubmission {row['fallout']}"


def _decides(app: Engine, step: Step, work: Work, *, approve: bool) -> Decision | None:
    try:
        return step.referral.decide(work, approve, app.clock().now) if step.referral else None
    except Refused:
        return None


def correctable(app: Engine, stream: str, state: Any, item: str) -> list[str]:
    """The keys of the values that may still be corrected."""
    lines = range(1, len(getattr(state, "lines", ())) + 1)
    keys = [*CORRECTABLE, *(f"line.{number}.{name}" for number in lines for name in _ON_LINES)] if not item else [*CORRECTABLE]
    return [key for key in keys if _may_correct(app, stream, state, item, key)]


def asked_first(reason: str, keys: Iterable[str]) -> list[str]:
    """The keys, those first that a reason asks for."""
    return sorted(keys, key=lambda key: key not in ASKED_FIRST.get(reason, ()))


def _may_correct(app: Engine, stream: str, state: Any, item: str, key: str) -> bool:
    """Whether a key names something to correct; a value that is refused for itself has a key that does."""
    try:
        return app.kind(stream).correctable(state, item, {key: _ANY_VALUE})
    except Refused:
        return True


def _money(row: Mapping[str, Any], work: Work, name: str) -> Iterator[str]:
    """The command by which money that is missing is taken down."""
    outcome = work.outcomes.get(work.step, {})
    if row["reason"] == "CR-DEPOSIT":
        amount = from_minor(outcome["deposit_minor"], outcome["currency"]) if outcome.get("deposit_minor") else "AMOUNT"
        yield f"o2c payments deposit {shlex.quote(name)} --amount {amount} --reference REFERENCE"
    if row["queue"] == "payments" and str(row["stream"]).startswith("invoice-"):
        amount = from_minor(work.state.open_minor, work.state.issued.currency)
        yield f"o2c payments record {row['stream'].removeprefix('invoice-')} --amount {amount} --reference REFERENCE"
