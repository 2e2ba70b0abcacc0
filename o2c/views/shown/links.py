"""An order as its customer is shown it, by its link."""

from __future__ import annotations

from typing import TypedDict


class OrderLinkShown(TypedDict):
    """A link to one order: `link` stands behind `/my/` in the service's address, until `expires_at`."""

    order: str
    link: str
    expires_at: str


class StoneShown(TypedDict):
    """A milestone in the customer's words, of an item or (empty) of the whole order."""

    item: str
    told: str
    done_at: str | None
    expected_at: str | None


class ChoiceShown(TypedDict):
    """A value among which a customer chooses, and the words for it."""

    value: str
    told: str


class AskedShown(TypedDict):
    """A value that a customer may give himself: its key, the words for it, where he finds it, and what he may choose from (none: he writes
    it)."""

    key: str
    told: str
    hint: str
    choices: list[ChoiceShown]


class NeedShown(TypedDict):
    """What we need of a customer: the fallout that waits for him, its item, and the `fields` that answer it; none where we have to
    speak."""

    fallout: str
    item: str
    fields: list[AskedShown]


class MyOrderShown(TypedDict):
    """An order in its customer's words; nothing in it is personal."""

    external_id: str
    state: str
    told: str
    captured_at: str
    closed_at: str | None
    promised_on: str | None
    next: StoneShown | None
    milestones: list[StoneShown]
    needs: list[NeedShown]
