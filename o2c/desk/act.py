"""The one way a person or a backend service decides: rules carried through with all that follows and written as one command."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from eventsourcing.persistence import IntegrityError

from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Command, Loaded, guards_of
from o2c.engine.runner import Carried
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.refusal import Refused
from o2c.plan import PlanBook

Rule = Callable[[Any, datetime], Decision]
"""From the stream's state and the time to what happens; several rules are carried one after another, each on what the last one left."""


def act(
    app: Engine,
    book: PlanBook,
    stream: str,
    context: Context,
    *rules_: Rule,
    wish: Any,
    cause: str | None = None,
    expected_version: int | None = None,
    beside: Mapping[str, Loaded] = MappingProxyType({}),
) -> Written:
    """Carry rules through on one stream and write what comes of them and what follows, as one command.

    `wish` (plain JSON values) says what was asked; with the command id it tells a repeat from another wish. Raises Refused: whatever the
    rules refuse; usage for a context without a name or with an id that is none; conflict when somebody else changed the stream meanwhile (or since `expected_version`) or the command id was used for
    another wish. `beside` are streams that the rules looked at as well: they must stand as they were too.
    """
    context, fingerprint = context.checked(), digest(json.dumps([stream, wish], sort_keys=True))
    if context.command_id and (known := app.recall(stream, context.command_id, fingerprint)):
        return known
    loaded = app.load([stream])[stream]
    if expected_version is not None and loaded.version != expected_version:
        raise Refused(f"{stream} is at version {loaded.version}, not {expected_version}; look at it again and decide anew", kind="conflict")
    kind, now = app.kind(stream), app.clock().now
    at = max(now, kind.not_before(loaded.state) or now)
    carried = Carried(kind, stream, loaded.state)
    for rule in rules_:
        carried.carry(rule(carried.state, at), at, book, cause)
    carried.close()
    command_id = context.command_id or derived_id("person", fingerprint, context.actor, str(loaded.version))
    guards = guards_of(carried.guards, app.reads.holders(list(carried.guards.claims)))
    happened = tuple(carried.happened)
    try:
        return app.do(
            Command(command_id, stream, happened, {**beside, stream: loaded}, context.actor, context.channel, guards, fingerprint)
        )
    except IntegrityError:
        raise Refused(f"{stream} was changed by somebody else meanwhile; look at it again and decide anew", kind="conflict") from None
