"""Numbers, SIMs and devices as they are shown, and ports that were late."""

from __future__ import annotations

from typing import TypedDict


class HappeningShown(TypedDict):
    """Something that happened to a number, SIM or device, by whom, and for which order if any."""

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


class DeviceShown(TypedDict):
    """A device: its SKU, how it stands in our stock, why it is blocked (None: it is not), and the order and item that have it."""

    imei: str
    sku: str
    state: str
    blocked_as: str | None
    order: str | None
    item: str | None
    history: list[HappeningShown]


LevelShown = TypedDict("LevelShown", {"kind": str, "class": str, "state": str, "count": int})
"""How many pieces of stock of a kind (sim, number, device) and class (of a device: its SKU) are in a state."""


class LatePortShown(TypedDict):
    """A port that missed the day agreed for it. Days are ISO dates local to the market; `market` is its rules as pinned.

    `state` is missed, agreed (anew, for `now_agreed_on`), postponed (until the line is on), ported or cancelled. The days late are None
    until another day is agreed.
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


class AgreementShown(TypedDict):
    """A device that is paid in instalments: how many bills have one, what the next comes to, and what settles it `on` a day. Minor units,
    with tax.

    `at_end` is what was agreed for what is left when the service ends: on-plan or at-once."""

    account: str
    order: str
    item: str
    offering: str
    invoice: str
    currency: str
    state: str
    total_minor: int
    count: int
    billed: int
    billed_minor: int
    next_minor: int
    agreed_on: str
    at_end: str
    on: str
    settlement_minor: int
