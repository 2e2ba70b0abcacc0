"""Answers with the numbers and SIMs in them masked, whatever shape they have."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from o2c.kernel.stream import category_of
from o2c.views.following import EventRecord
from o2c.views.reading import Page

IDENTIFIER = re.compile(r"(?:(?<=sim-)|(?<=number-)|(?<=device-)|(?<![0-9A-Za-z.-]))(\+?[0-9]{4})[0-9]{4,13}([0-9]{3})(?![0-9A-Za-z-])")
"""An ICCID, IMSI, MSISDN or IMEI in a text: not a part of a UUID, of a time or of a fraction."""
PLACES_IN_THE_LOG = frozenset({"position", "cause_event", "known_at", "checkpoint", "last_position"})
"""Names of what is a place in the log, which has as many digits."""
BROUGHT_IN = "portIn"
"""What is said of a port-in begins so, and is masked whole."""


def masked_answer(value: Any) -> Any:
    """A value as it is shown to who may see nothing personal: of ICCID, IMSI, MSISDN and IMEI the first four and last three digits."""
    if isinstance(value, str):
        return IDENTIFIER.sub(r"\1***\2", value)
    if isinstance(value, EventRecord):
        value = value.masked()
    if isinstance(value, dict):
        return {key: _of_key(key, part) for key, part in value.items()}
    if isinstance(value, Page):
        page = Page(masked_answer(part) for part in value)
        page.more = value.more
        return page
    if isinstance(value, list | tuple):
        parts = [masked_answer(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _of_key(each.name, getattr(value, each.name)) for each in fields(value) if each.init})
    return (masked_answer(part) for part in value) if isinstance(value, Iterator) else value


def sealed_answer(value: Any, kinds: Collection[str]) -> Any:
    """Events in an answer with those of some kinds of stream sealed: that there is one stays, so that places can be counted on, and nothing
    else."""
    if isinstance(value, EventRecord):
        kind = category_of(value.stream)
        return replace(value, stream=f"{kind}-***", actor="***", customer=None, data={}) if kind in kinds else value
    if isinstance(value, Page):
        page = Page(sealed_answer(part, kinds) for part in value)
        page.more = value.more
        return page
    if isinstance(value, list):
        return [sealed_answer(part, kinds) for part in value]
    return (sealed_answer(part, kinds) for part in value) if isinstance(value, Iterator) else value


def _of_key(key: Any, part: Any) -> Any:
    if not isinstance(key, str) or key in PLACES_IN_THE_LOG:
        return part
    return "***" if key.startswith(BROUGHT_IN) else masked_answer(part)
