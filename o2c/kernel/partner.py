"""The answers a partner can give, and the request it gets. Every call ends as one of six kinds of answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a partner. `key` (stream/item/step/attempt) makes it safe to send again; `at` is business time.

    `body` is what the step's `payload` gathered: plain values, personal ones among them, so it is never logged.
    """

    key: str
    stream: str
    item: str
    step: str
    attempt: int
    at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """The work is done; `data` holds the partner's facts about it, such as a reference."""

    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefusedBy:
    """A business no, under the partner's own code; `data` says more about it, such as how large a deposit would do."""

    code: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """A technical failure, under the partner's own code; our code for it says whether another attempt may help.

    `not_before` is the time from which the partner takes requests again, None when it named none.
    """

    code: str
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: the work may have been done. Query at `ask_again_at` before sending anything again."""

    ask_again_at: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """Taken under the partner's reference; ask again at the given time."""

    reference: str
    ask_again_at: datetime


@dataclass(frozen=True, slots=True)
class NeverHeard:
    """Only of a query: the partner has no such request, so it may be sent again."""


Answer = Answered | RefusedBy | Failed | Unknown | Accepted | NeverHeard

NO_ANSWER = frozenset({"UNAVAILABLE"})
"""The codes under which clients and simulators report that nobody is there."""


def nobody_there(answer: Answer) -> bool:
    """Whether an answer shows an outage: silence, or no connection. Any other answer shows that the partner is there, a refusal too."""
    return isinstance(answer, Unknown) or (isinstance(answer, Failed) and answer.code in NO_ANSWER)


class Partner(Protocol):
    """A system outside. Partners act and never decide; the same request key twice is one piece of work."""

    def submit(self, request: Request) -> Answer:
        """Ask for the work. The answer is of any kind but `NeverHeard`."""

    def query(self, request: Request) -> Answer:
        """Ask for the outcome of a request that was sent earlier under the same key."""


@dataclass(frozen=True, slots=True)
class Link:
    """How a partner is reached: through a client, waiting `timeout_s` for an answer, with at most `calls_max` calls under way from this
    process.

    Without `calls_max` the client answers from memory, as a simulator does, and is called on the spot.
    """

    client: Partner
    timeout_s: float = 10.0
    calls_max: int = 0
    close: Callable[[], None] = lambda: None
    """Gives up the connections of the client."""
