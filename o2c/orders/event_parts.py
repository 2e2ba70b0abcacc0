"""Parts of the events of an order: a line as it was captured, in the half that is personal and the half that is not."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base of the parts of events: frozen and closed like the events themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CapturedLine(Part):
    """One order item as the channel sent it, unjudged: every value is text, absent ones empty."""

    item: str
    parent: str = ""
    action: str = ""
    quantity: str = ""
    offering: str = ""
    product: str = ""
    relies_on: tuple[str, ...] = ()
    account: str = ""
    requested_start: str = ""
    requested_completion: str = ""


class LineDetail(Part):
    """The part of a line that may be personal: its characteristics as the channel gave them, and its place."""

    characteristics: dict[str, str] = {}
    place: str = ""
