"""The one way a person or a backend service decides: who may is checked, rules are carried through, what comes of them is written.

Acting on many streams at once is the general case; acting on one is the same with a list of one.
"""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from o2c.access.permissions import OWN
from o2c.desk.roles import granted
from o2c.engine.app import UNCHANGED_AT, Context, Engine, Written
from o2c.engine.chaining import Chain
from o2c.engine.drafts import Command, Loaded, guards_of
from o2c.kernel.carry import Carried
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.refusal import IdTaken, Lost, Refused, Stale
from o2c.store.commands import Outcome
from o2c.views.ownership import begun_by

__all__ = [
    "Context", "Deed", "IdTaken", "Lost", "Refused", "Rule", "Stale", "Written", "act", "act_for_all", "act_on_all", "permitted", "taken_down", "ways",
]  # fmt: skip

T = TypeVar("T")
TRIES_MAX = 20
Rule = Callable[[Any, datetime], Decision]
"""From the stream's state and the time to what happens; several rules are carried one after another, each on what the last one left."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done on one stream.

    `wish` (plain JSON values) says what was asked; with the command id it tells a repeat from another wish. `cause` is the event that the
    deed answers. The stream must stand at `expected_version`, if one is given. The streams `beside`, which the rules looked at as well,
    must stand as they were read where the deed writes to them; of the others that is asked before the append, not within it. A rule may add
    to them what it looks at itself. With a `command_id` of its own (a UUID) the deed is done once whatever others are done with it.
    """

    stream: str
    rules: tuple[Rule, ...]
    wish: Any
    cause: str | None = None
    expected_version: int | None = None
    beside: MutableMapping[str, Loaded] = field(default_factory=dict)
    command_id: str = ""

    @property
    def fingerprint(self) -> str:
        """What tells this wish from another under the same command id."""
        return digest(json.dumps([self.stream, self.wish], sort_keys=True))


def act(app: Engine, context: Context, verb: str, deed: Deed) -> Written:
    """Carry a deed through with all that follows, as one command.

    Raises Refused: whatever its rules refuse; forbidden when none of the asker's roles may use the verb; missing when they may on what is
    the asker's own alone, and this is not; usage for a context without a name or with an id that is none; conflict when the stream is not
    as the deed expects, when somebody else changed it meanwhile, or when the command id was used for another wish.
    """
    [done] = act_on_all(app, context, verb, [deed])
    if isinstance(done, Refused):
        raise done
    return done


def act_on_all(app: Engine, context: Context, verb: str, deeds: Sequence[Deed]) -> list[Written | Refused]:
    """Carry deeds on different streams through, all in one append; what became of each. One that is refused keeps no other from being done.

    A command id of the caller's names all of them: each deed's own is derived from it, unless there is only one or the deed has one of its
    own. Raises Refused for the asker (see `act`).
    """
    context = permitted(context, verb)
    _refuse_others(app, context, verb, deeds)
    return _act(app, [context] * len(deeds), deeds)


def act_for_all(app: Engine, asked: Sequence[tuple[Context, str, Deed]]) -> list[Written | Refused]:
    """Carry deeds on different streams through for several people, each (who, verb, deed), all in one append; what became of each.

    Raises Refused for an asker (see `act`): then nothing is done.
    """
    contexts = [permitted(context, verb) for context, verb, _ in asked]
    for context, verb, deed in asked:
        _refuse_others(app, context, verb, [deed])
    return _act(app, contexts, [deed for _, _, deed in asked])


def taken_down(app: Engine, context: Context, deeds: Sequence[Deed]) -> list[Written | Refused]:
    """Carry through what the desk itself takes down of somebody who asked for something else: who looked at what. Nobody's right is
    asked."""
    return _act(app, [replace(context.checked(), expected=())] * len(deeds), deeds)


def _act(app: Engine, contexts: Sequence[Context], deeds: Sequence[Deed]) -> list[Written | Refused]:
    several = len(deeds) > 1
    ids = [
        deed.command_id or (derived_id(shared, deed.stream) if several and (shared := context.command_id) else context.command_id)
        for context, deed in zip(contexts, deeds, strict=True)
    ]
    done: dict[int, Written | Refused] = {}
    for place, (deed, command_id) in enumerate(zip(deeds, ids, strict=True)):
        if earlier := _refused(partial(app.recall, deed.stream, command_id, deed.fingerprint)) if command_id else None:
            done[place] = earlier
    left = {place: _seen(app, contexts[place], deed) for place, deed in enumerate(deeds) if place not in done}
    first = loaded = app.load({deed.stream for deed in left.values()})
    for _ in range(TRIES_MAX):
        done |= _attempt(app, {place: (ids[place], contexts[place], deed) for place, deed in left.items()}, loaded)
        left = {place: deed for place, deed in left.items() if place not in done}
        if not left:
            break
        loaded = app.load({stream for deed in left.values() for stream in (deed.stream, *deed.beside)})
        done |= {place: _stale(deed, contexts[place]) for place, deed in left.items() if not _as_seen(deed, first, loaded)}
        left = {place: deed for place, deed in left.items() if place not in done}
    return [done.get(place) or _stale(deed, contexts[place]) for place, deed in enumerate(deeds)]


def _seen(app: Engine, context: Context, deed: Deed) -> Deed:
    """The deed with what its asker decided by beside it. Raises Stale when that does not stand as he saw it.

    What the deed writes to is held to it by the append itself; of what it only looked at, somebody may write in the moment between.
    """
    if not context.expected:
        return deed
    loaded = app.load([stream for stream, _ in context.expected])
    if any(loaded[stream].version != version for stream, version in context.expected):
        raise Stale(
            f"{deed.stream}: this was decided by what does not stand so any more; look at it again and decide anew",
            seen=dict(context.expected),
        )
    own = loaded.pop(deed.stream, None)
    return replace(
        deed,
        beside=ChainMap(deed.beside, loaded),
        expected_version=deed.expected_version if own is None or deed.expected_version is not None else own.version,
    )


def foreseen(app: Engine, deeds: Sequence[Deed]) -> list[Refused | None]:
    """How each deed would be refused as its stream stands now, and None for one that would be done. Nothing is written."""
    loaded = app.load({deed.stream for deed in deeds})
    outcomes = [_refused(partial(_carried, app, deed, loaded[deed.stream])) for deed in deeds]
    return [outcome if isinstance(outcome, Refused) else None for outcome in outcomes]


def _attempt(app: Engine, deeds: Mapping[int, tuple[str, Context, Deed]], loaded: Mapping[str, Loaded]) -> dict[int, Written | Refused]:
    """Carry deeds through on their streams as loaded, in one append; those that were stale are left out."""
    done: dict[int, Written | Refused] = {}
    carried: dict[int, tuple[str, Context, Deed, Carried]] = {}
    for place, (command_id, context, deed) in deeds.items():
        outcome = _refused(partial(_carried, app, deed, loaded[deed.stream]))
        if isinstance(outcome, Refused):
            done[place] = outcome
        else:
            carried[place] = (command_id, context, deed, outcome)
    commands = _commands(app, carried, loaded)
    outcomes = app.write(list(commands.values())) if commands else []
    for (place, command), written in zip(commands.items(), outcomes, strict=True):
        if written.verdict != "stale":
            done[place] = _done(app, command, written, deeds[place][2], deeds[place][1])
    return done


def _as_seen(deed: Deed, first: Mapping[str, Loaded], loaded: Mapping[str, Loaded]) -> bool:
    """Whether a deed may be decided again: only streams moved on that it writes to besides its own and did not look at, such as the
    customer of several orders that are approved at once.
    """
    looked_at = {**deed.beside, deed.stream: first[deed.stream]}
    return all(loaded[stream].position == one.position for stream, one in looked_at.items())


def _refused(work: Callable[[], T]) -> T | Refused:
    """What work gives, or how it was refused."""
    try:
        return work()
    except Refused as refused:
        return refused


def ways(context: Context, operation: str) -> frozenset[str]:
    """In which ways the asker may use an operation by roles and scopes (see `access.permissions`); empty where not at all."""
    in_scope = context.scopes is None or operation.partition("/")[0] in context.scopes
    return granted(context.roles, operation) if in_scope else frozenset()


def permitted(context: Context, verb: str) -> Context:
    """The context as it may stand in the log, if the asker may use the operation in some way. Raises Refused: usage, forbidden."""
    checked = context.checked()
    if not ways(checked, verb):
        of_roles = ", ".join(checked.roles) or "no role"
        raise Refused(f"{checked.actor} may not use {verb} ({of_roles}); ask for a role that may", kind="forbidden")
    return checked


def _refuse_others(app: Engine, context: Context, verb: str, deeds: Sequence[Deed]) -> None:
    """Refuse what an asker may do on what is his own alone, where it is not: as if it were not there."""
    if ways(context, verb) != {OWN}:
        return
    own = begun_by(app, context.actor, [deed.stream for deed in deeds])
    if others := sorted({deed.stream for deed in deeds} - own):
        raise Refused(f"{context.actor} has no {others[0]}; {verb} is for what one began oneself", kind="missing")


def _commands(app: Engine, decided: Mapping[int, tuple[str, Context, Deed, Carried]], loaded: Mapping[str, Loaded]) -> dict[int, Command]:
    """The commands of deeds that were carried, as one append has room for them. What all of them touch is read at once; what several write
    to, and none of them looked at, is as those before leave it: the customer of many orders that are approved at once. Where one looked at
    it, it is left for another try."""
    holders = app.reads.holders([claim for _, _, _, carried in decided.values() for claim in carried.guards.claims])
    # Every stream that is touched is read now, so that it is hardly ever stale.
    touched = app.load({happened.stream for _, _, _, carried in decided.values() for happened in carried.happened})
    commands: dict[int, Command] = {}
    chain = Chain(app)
    for place, (given_id, context, deed, carried) in decided.items():
        own = loaded[deed.stream]
        command_id = given_id or derived_id("person", deed.fingerprint, context.actor, str(own.version))
        seen = {**{happened.stream: touched[happened.stream] for happened in carried.happened}, **deed.beside, deed.stream: own}
        guards = guards_of(carried.guards, holders)
        outcome = "{}" if carried.happened else json.dumps({UNCHANGED_AT: str(own.position)})
        command = Command(
            command_id, deed.stream, tuple(carried.happened), seen, context.actor, context.channel, guards, deed.fingerprint, outcome
        )
        if shared := chain.shared(command):
            left = chain.left(shared)
            if not shared.isdisjoint({deed.stream, *deed.beside}) or not chain.takes(command, carried.guards):
                continue
            command = replace(command, seen={**seen, **{stream: left[stream] for stream in shared}}, follows=True)
        chain.add(command, carried.guards)
        commands[place] = command
    return commands


def _carried(app: Engine, deed: Deed, loaded: Loaded) -> Carried:
    if deed.expected_version is not None and loaded.version != deed.expected_version:
        raise Stale(
            f"{deed.stream} is at version {loaded.version}, not {deed.expected_version}; look at it again and decide anew",
            seen={deed.stream: deed.expected_version},
        )
    kind, now = app.kind(deed.stream), app.clock().now
    at = max(now, kind.not_before(loaded.state) or now)
    carried = Carried(kind, deed.stream, loaded.state)
    for rule in deed.rules:
        carried.carry(rule(carried.state, at), at, app.book, deed.cause)
    carried.close()
    return carried


def _done(app: Engine, command: Command, outcome: Outcome, deed: Deed, context: Context) -> Written | Refused:
    if outcome.verdict == "appended":
        if not command.happened:
            return Written(command.stream, command.seen[command.stream].position, unchanged=True)
        return Written(command.stream, outcome.last_position)
    if outcome.verdict == "repeated":
        return app.recall(command.stream, command.command_id, command.fingerprint) or Written(command.stream, outcome.last_position)
    return _stale(deed, context)


def _stale(deed: Deed, context: Context) -> Refused:
    why = f"{deed.stream} was changed by somebody else meanwhile; look at it again and decide anew"
    return Stale(why, seen=dict(context.expected)) if context.expected else Refused(why, kind="conflict")
