"""Whether two runs are one: what a log says, without what is another in every store."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

OF_THE_STORE = frozenset({"position", "recorded_at"})
"""What the same run has otherwise in another store: positions are made of the server's transactions, which others begin as well, and its clock is the world's."""
PLACES = frozenset({"upto"})
"""What of the body of an event is a position: up to which the books were closed."""


def content(events: Iterable[Mapping[str, Any]]) -> str:
    """A hash of all that events say in their order: what happened to what, when, by whom, by which command, with which ids and amounts."""
    told = hashlib.sha256()
    for event in events:
        data = {name: value for name, value in event["data"].items() if name not in PLACES}
        said = {name: value for name, value in event.items() if name not in OF_THE_STORE} | {"data": data}
        told.update(json.dumps(said, sort_keys=True).encode())
    return told.hexdigest()
