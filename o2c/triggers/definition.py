"""Reading a file of triggers (TOML), and what is wrong with one: an event or field that there is not, a field that is personal, a plain
loop. Pure."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated

from pydantic import Field, StrictStr, ValidationError

from o2c.kernel.event import types_by_name
from o2c.kernel.refusal import Refused
from o2c.triggers.conditions import Condition, Part, fields_named
from o2c.triggers.effects import LEADS_TO, NEEDS, Effect

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
TRIGGERS_MAX = 200
NEVER_ON = frozenset({"access", "hook", "issuers", "key", "triggers"})
"""Kinds of stream that no trigger is on: who looked at what, who is let in, where others are told, and triggers themselves."""

OF_NOBODY = frozenset({"catalogue", "codes", "delivery", "intake", "job", "ledger", "messaging", "partner", "prospects", "rates", "zones"})
"""Kinds of stream whose events are about no order and no customer."""


class Definition(Part):
    """A trigger as a file says it: on which events, under which conditions (all of them), what is then done."""

    on: StrictStr
    when: Annotated[tuple[Condition, ...], Field(max_length=20)] = ()
    then: Effect


class _File(Part):
    triggers: Annotated[dict[StrictStr, Definition], Field(min_length=1, max_length=TRIGGERS_MAX)]


def read(document: str) -> Mapping[str, Definition]:
    """The triggers of a file by name, each judged by itself. Raises Refused (usage) with the first thing that is wrong."""
    try:
        told = tomllib.loads(document)
        found = _File.model_validate(told).triggers
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"no trigger was read: {error}") from None
    except ValidationError as error:
        raise Refused(f"no trigger was read: {_first(error)}") from None
    for name, definition in found.items():
        if flaw := next(flaws(name, definition), ""):
            raise Refused(f"trigger {name[:40]}: {flaw}")
    return found


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part)[:40] for part in first['loc'])}: {first['msg']}"


def flaws(name: str, definition: Definition) -> Iterator[str]:
    """What is wrong with a trigger by itself."""
    if not NAME.fullmatch(name):
        yield "a name has up to 40 small letters, digits and hyphens, and begins with a letter"
    types = on_types(definition.on)
    if not types:
        yield f"no event is called {definition.on[:60]} that a trigger may be on; see docs/events.md"
    for path in (path for condition in definition.when for path in fields_named(condition)):
        yield from _of_field(path, types)
    if NEEDS[definition.then.do] and types and all(types_by_name()[each].of_stream in OF_NOBODY for each in types):
        yield f"{definition.then.do} is for what happens to an order or a customer, and {definition.on[:60]} does to neither"


def _of_field(path: str, types: frozenset[str]) -> Iterator[str]:
    head = path.partition(".")[0]
    known = types_by_name()
    if personal := sorted(name for name in types if head in known[name].personal):
        yield f"{head} of {personal[0]} is personal, and no trigger looks at what is"
    elif not any(head in known[name].model_fields for name in types):
        named = sorted({each for name in types for each in known[name].model_fields if each not in known[name].personal})
        yield f"there is no field {head[:40]!r}; use one of {', '.join(named[:20])}"


@cache
def on_types(on: str) -> frozenset[str]:
    """The names of the events that a trigger is on."""
    return frozenset(name for name in fnmatch.filter(types_by_name(), on) if types_by_name()[name].of_stream not in NEVER_ON)


def loop(standing: Mapping[str, tuple[str, str]]) -> tuple[str, ...]:
    """The names of triggers that would set off one another without end, one after another; none where there are no such.

    `standing` gives by name what a trigger is on and what it does. It is plain where an effect leads by itself to an event that a trigger
    is on.
    """
    leads = {name: {other for other, (on, _) in standing.items() if _leads(does, on)} for name, (_, does) in standing.items()}
    for first in sorted(leads):
        if path := _back_to(first, first, leads, ()):
            return path
    return ()


def _leads(does: str, on: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for name in on_types(on) for pattern in LEADS_TO[does])


def _back_to(goal: str, at: str, leads: Mapping[str, set[str]], seen: tuple[str, ...]) -> tuple[str, ...]:
    if goal in leads[at]:
        return (*seen, at)
    further = (each for each in sorted(leads[at]) if each not in seen and each != at)
    return next((path for each in further if (path := _back_to(goal, each, leads, (*seen, at)))), ())
