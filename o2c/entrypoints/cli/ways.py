"""The ways to act on fallouts as options, made from the table of actions: what is an action is an option of the commands that act, and none
lacks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar, cast, get_args

import typer

from o2c.desk.act import Refused
from o2c.desk.fallout import (
    ACTIONS,
    Assign,
    ChangeOrigin,
    Claim,
    Correct,
    Decide,
    Escalate,
    Fail,
    FailOrder,
    Force,
    Handling,
    LinkTicket,
    Note,
    Park,
    Release,
    Reopen,
    Replace,
    RequestInformation,
    Resolution,
    Resume,
    Retry,
    Settle,
    Skip,
    Snooze,
    Wait,
    Way,
)
from o2c.entrypoints.cli.options import complete_decision
from o2c.views.reading import time_of

F = TypeVar("F", bound=Callable[..., Any])
NO_WAY: Mapping[str, str] = {"cancel": "it is a deed on the order and stands in `o2c orders cancel`"}
"""The actions that are no option of a command that acts on fallouts, and why."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an option says: its own value, and the time and queue that others say beside it."""

    value: Any
    time: datetime | None
    queue: str


@dataclass(frozen=True, slots=True)
class WayOption:
    """An action as an option: the way that it makes of what was said, its name where it is not the action's, what it takes (empty: it is a
    flag)."""

    way: type[Way]
    make: Callable[[Said], Way]
    takes: str = ""
    name: str = ""
    kind: Any = str
    complete: Callable[..., Any] | None = None


def needed(time: datetime | None) -> datetime:
    """The time until which something is left alone. Raises Refused for none."""
    if time is None:
        raise Refused("say with --until how long it is left alone")
    return time


def changes_of(pairs: list[str], option: str = "--correct") -> dict[str, str]:
    """What an option that takes KEY=VALUE says. Raises Refused."""
    changes = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(changes) != len(pairs):
        raise Refused(f"{option} takes KEY=VALUE, each key once")
    return changes


def _decision(said: Said) -> Way:
    if said.value not in ("approve", "decline"):
        raise Refused(f"cannot decide {said.value}; say approve or decline")
    return Decide(said.value == "approve")


def _ticket(said: Said) -> Way:
    system, _, ticket = str(said.value).rpartition("/")
    return LinkTicket(ticket, system or "tickets")


def _flag(way: type[Any], name: str = "") -> WayOption:
    return WayOption(way, lambda said: cast("Way", way()), name=name)


_TABLE = (
    WayOption(Correct, lambda said: Correct(changes_of(said.value)), "KEY=VALUE", kind=list[str]),
    WayOption(Decide, _decision, "approve|decline", complete=complete_decision),
    *map(_flag, (Retry, Park, Force, Skip, Replace)), _flag(Fail, "fail"), _flag(FailOrder),
    WayOption(Claim, lambda said: Claim(said.value), "MINUTES", kind=int),
    WayOption(Assign, lambda said: Assign(said.value, said.queue), "NAME"),
    _flag(Release),
    WayOption(Snooze, lambda said: Snooze(needed(said.time))),
    WayOption(Wait, lambda said: Wait(said.value, said.time), "WHOM"),
    WayOption(RequestInformation, lambda said: RequestInformation(said.value, said.time), "WHOM", name="ask"),
    *map(_flag, (Resume, Reopen, Settle, Escalate)),
    WayOption(LinkTicket, _ticket, "SYSTEM/TICKET", name="ticket"),
    WayOption(ChangeOrigin, lambda said: ChangeOrigin(said.value), "ORIGIN", name="origin"),
    WayOption(Note, lambda said: Note(), "TEXT"),
)  # fmt: skip
OPTIONS: Mapping[str, WayOption] = {option.way.action: option for option in _TABLE}
"""By action, the option by which it is said."""


def option_of(action: str) -> str:
    """The name of the option of an action, without its dashes in front."""
    return OPTIONS[action].name or action


def _named(action: str) -> str:
    """The name of the option of an action, as a parameter."""
    return option_of(action).replace("-", "_")


def of_kind(kind: Any) -> tuple[str, ...]:
    """The actions that resolve a fallout (`Resolution`), or handle it before that (`Handling`), in the order of the table of actions."""
    return tuple(action for action in ACTIONS if action in OPTIONS and OPTIONS[action].way in get_args(kind))


RESOLVING, HANDLING = of_kind(Resolution), of_kind(Handling)


def offering(actions: Collection[str]) -> Callable[[F], F]:
    """Give a command, in place of its parameter `chosen`, an option for each of some actions, with the meaning of the action as its
    help."""

    def made(command: F) -> F:
        parameters = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            parameters += [_parameter(action) for action in actions] if parameter.name == "chosen" else [parameter]
        # The last one takes what is left: typer asks for each by its name.
        kept = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
        command.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined] # what typer reads
        return command

    return made


def _parameter(action: str) -> inspect.Parameter:
    option, name = OPTIONS[action], _named(action)
    flag = f"--{name.replace('_', '-')}"
    told = ACTIONS[action].meaning + (" With --until." if option.way is Snooze else "")
    kind: Any = option.kind if option.takes else bool
    default: Any = {list[str]: [], int: None, bool: False}.get(kind, "")
    info = typer.Option(flag, help=told, autocompletion=option.complete, metavar=option.takes or None)
    annotation = Annotated[kind | None, info] if default is None else Annotated[kind, info]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def ways(chosen: Mapping[str, Any], *, until: str = "", queue: str = "") -> list[Way]:
    """The ways that options say; `until` and `queue` are what the options say that belong to several or to another. Raises Refused."""
    time = time_of(until) if until else None
    by_name = {_named(action): option for action, option in OPTIONS.items()}
    said = {name: value for name, value in chosen.items() if value or (value == 0 and value is not False)}
    if queue and _named(Assign.action) in chosen:
        said.setdefault(_named(Assign.action), "")
    return [by_name[name].make(Said(value, time, queue)) for name, value in said.items()]
