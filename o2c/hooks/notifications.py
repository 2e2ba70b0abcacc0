"""The notifications that a TM Forum hub may be told, by the format of its version, and the query that picks some of them.

Source: TM Forum TMF622 v5.0.0, "Notification Resource Models"; v4.0.0 has those of `BOTH` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from o2c.kernel.refusal import Refused

CREATE, STATE, ATTRIBUTE, INFORMATION = (
    f"ProductOrder{what}Event" for what in ("Create", "StateChange", "AttributeValueChange", "InformationRequired")
)
MILESTONE, ERROR, JEOPARDY = (f"ProductOrder{what}Event" for what in ("Milestone", "ErrorMessage", "JeopardyAlert"))
CANCEL_CREATE, CANCEL_STATE = (f"CancelProductOrder{what}Event" for what in ("Create", "StateChange"))
BOTH = (CREATE, STATE, ATTRIBUTE, INFORMATION, CANCEL_CREATE, CANCEL_STATE)
"""What both versions tell."""
NOTIFICATIONS: Mapping[str, tuple[str, ...]] = {"tmf622-v4": BOTH, "tmf622-v5": (*BOTH, MILESTONE, ERROR, JEOPARDY)}
"""What is told in each format that a query picks from."""


def wanted(query: str, format: str) -> tuple[str, ...]:
    """The notifications of a format that a query asks for: `eventType=A,B`; all where it says nothing. Raises Refused (usage)."""
    known = NOTIFICATIONS[format]
    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    names = tuple(name for key, value in pairs if key == "eventType" for name in value.split(","))
    if any(key != "eventType" for key, _ in pairs) or (query and not pairs) or not set(names) <= set(known):
        raise Refused(f"a hub's query is eventType= with some of {', '.join(known)}")
    return names or known
