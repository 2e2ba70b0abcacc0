"""Giving commands the next numbers of the series that their events name, before they are folded and stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from o2c.engine.drafts import Command
from o2c.kernel.carry import Happened
from o2c.kernel.series import GUARD, Numbered, given
from o2c.store.commands import GuardChange, Outcome


def series_of(commands: Sequence[Command]) -> list[str]:
    """Name the series of which the events of some commands take numbers."""
    return sorted({event.series for command in commands for event in _papers(command)})


def _papers(command: Command) -> list[Numbered]:
    return [happened.event for happened in command.happened if isinstance(happened.event, Numbered) and happened.event.series]


def numbered(commands: Sequence[Command], last: Mapping[str, int]) -> list[Command]:
    """Give the commands with their numbers, one after another from the last number that was given of each series (none: 0).

    Streams that bear a number are folded anew: no rule reads a number, so nothing else of the decision changes.
    """
    latest = dict(last)
    return [_numbered(command, latest) if _papers(command) else command for command in commands]


def _numbered(command: Command, latest: dict[str, int]) -> Command:
    taken: list[GuardChange] = []
    events: list[Happened] = []
    follows: list[Happened] = []
    bearing = {happened.stream for happened in command.happened if isinstance(happened.event, Numbered) and happened.event.series}
    for happened in command.happened:
        event = happened.event
        if isinstance(event, Numbered) and event.series:
            serial = latest[event.series] = latest.get(event.series, 0) + 1
            taken.append(GuardChange(True, GUARD, event.series, str(serial)))
            follows += [Happened(stream, told, happened.at, happened.causation) for stream, told in event.used_by(serial)]
            event = given(event, serial)
        events.append(replace(happened, event=event, after=None) if happened.stream in bearing else happened)
    return replace(command, happened=(*events, *follows), guards=(*command.guards, *taken))


def beyond(command: Command) -> bool:
    """Whether a numbered command would take a number behind the end of its series: whoever decided it has to decide anew, by what is left
    then."""
    return any(event.serials_max is not None and event.serial > event.serials_max for event in _papers(command))


def outrun(outcome: Outcome) -> bool:
    """Whether a command was not written because somebody else has taken its number meanwhile."""
    return outcome.verdict == "guarded" and outcome.detail == GUARD
