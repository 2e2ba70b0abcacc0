"""How customers of a market are told things, where they have said nothing themselves: the language, and the hours in which nobody is
disturbed.

They are terms between an operator and its customers, so they stand apart from the rules that orders pin: a message is told by those of its
day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Telling:
    """The `language` (ISO 639-1), and the `quiet` hours, `HH:MM-HH:MM` local to the market and half-open."""

    language: str
    quiet: str
    source: str


_USUAL = "the operator's own practice: from the evening to eight, no statute sets it for messages about an order [M]"
TELLING: Mapping[str, Telling] = {
    "GB": Telling("en", "21:00-08:00", _USUAL),
    "NL": Telling("nl", "21:00-08:00", _USUAL),
    "PT": Telling("pt", "22:00-09:00", _USUAL),
}
"""By market code."""


def telling_of(code: str) -> Telling:
    """How customers of a market are told; English and the usual hours for one without terms of its own."""
    return TELLING.get(code, TELLING["GB"])
