"""Hooks and their deliveries as they are shown."""

from __future__ import annotations

from typing import TypedDict


class HookShown(TypedDict):
    """A hook that has not ended: whom it tells of what, how much is still to be told (`pending`), and how much was given up (`dead`).

    `state` is active, suspended (`why` says since what) or not-allowed; `types` is a star where it is told of all.
    """

    hook: str
    state: str
    why: str | None
    url: str
    format: str
    types: list[str]
    captured_by: str | None
    customer: str | None
    unmasked: bool
    private_address_allowed: bool
    generation: int
    query: str
    pending: int
    dead: int
    begun_by: str
    begun_at: str


class DeliveryShown(TypedDict):
    """What a hook was told, is to be told, or was not told in the end; `status`, `word` and `latency_ms` are of the last attempt."""

    delivery: str
    event: str
    position: str
    state: str
    kind: str
    stream: str
    attempts: int
    status: int | None
    word: str
    latency_ms: int | None
    made_at: str
    tried_at: str | None
    next_at: str | None
