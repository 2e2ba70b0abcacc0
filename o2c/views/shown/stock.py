"""Numbers and SIMs as they are shown, and ports that were late."""

from __future__ import annotations

from typing import TypedDict


class HappeningShown(TypedDict):
    """Something that happened to a number or SIM, by whom, and for which order if any."""

    occurred_at: str
    type: str
    actor: str
    order: str | None


NumberShown = TypedDict(
    "NumberShown",
    {
        "number": str,
        "class": str,
        "state": str,
        "order": str | None,
        "item": str | None,
        "reserved_until": str | None,
        "was": str | None,
        "rests_until": str | None,
        "may_be_claimed_by": str | None,
        "then": str | None,
        "history": list[HappeningShown],
    },
)
"""A number: for whom it is, and of one that rests what it `was`, until when it does, who may claim it, and what comes of it `then`."""


class SimShown(TypedDict):
    """A SIM: how it stands in our `stock`, in the `network` and, where it is an eSIM, at the SIM `platform`."""

    sim: str
    imsi: str
    kind: str
    stock: str
    network: str
    platform: str | None
    history: list[HappeningShown]


class LatePortShown(TypedDict):
    """A port that missed the day agreed for it. Days are ISO dates local to the market; `market` is its rules as pinned.

    `state` is missed, agreed (anew, for `now_agreed_on`), postponed (until the line is on), ported or cancelled. The days late are None until
    another day is agreed.
    """

    external_id: str
    order: str
    item: str
    number: str
    state: str
    agreed_on: str
    ported_on: str | None
    now_agreed_on: str | None
    late_days: int | None
    late_working_days: int | None
    cause: str
    windows_missed: int
    market: str
