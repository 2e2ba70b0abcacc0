"""Triggers as they are shown, what they set off, and what they would have."""

from __future__ import annotations

from typing import Any, TypedDict


class TriggerShown(TypedDict):
    """A trigger: the events that it is on, how many conditions it has, and what it does; its version holds of what stands in the log after
    `since`."""

    trigger: str
    version: int
    on: str
    does: str
    conditions: int
    retired: bool
    since: str


class TriggerVersionShown(TypedDict):
    """A version of a trigger, or its retirement (no version): what held after a position of the log, and who said so."""

    version: int | None
    after: str
    at: str
    by: str
    on: str
    when: list[dict[str, Any]]
    then: dict[str, Any]


class TriggerWholeShown(TriggerShown):
    """A trigger with all the versions that it had, the oldest first."""

    versions: list[TriggerVersionShown]


class FiringShown(TypedDict):
    """An event that set off a trigger, or would have (`state` says why it did not). `depth` counts the firings that led to it, this one
    included."""

    firing: str
    trigger: str
    version: int
    event: str
    type: str
    does: str
    state: str
    order: str
    customer: str
    depth: int
    severity: int | None
    text: str
    fired_at: str


class MatchedEventShown(TypedDict):
    """An event that a trigger matches."""

    position: str
    event: str
    type: str
    at: str
    order: str


class TriggerMatchShown(TypedDict):
    """What a trigger matches: how many events, when the first and the last happened, and the first ones themselves."""

    trigger: str
    on: str
    does: str
    matched: int
    first: str | None
    last: str | None
    sample: list[MatchedEventShown]
