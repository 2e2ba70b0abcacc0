"""What partners did, by their own books: every call that a simulated partner got, and how often each piece of work was done."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from o2c.kernel.partner import Accepted, Answer, Answered, Failed, NeverHeard, Partner, Request, Unknown

Place = tuple[str, str, str]
"""A piece of work: stream, item, step."""


class Entry(NamedTuple):
    """A call as its partner wrote it down. `answer` is done, taken, refused, failed, nobody (there was no connection), silent or never-heard; one that `moves` takes
    the place of what the partner has (another window of a port)."""

    partner: str
    how: str
    place: Place
    attempt: int
    at: datetime
    answer: str
    moves: bool = False


def word(answer: Answer) -> str:
    """An answer in a word."""
    if isinstance(answer, Answered | Accepted):
        return "done" if isinstance(answer, Answered) else "taken"
    if isinstance(answer, Unknown | NeverHeard):
        return "silent" if isinstance(answer, Unknown) else "never-heard"
    if isinstance(answer, Failed):
        return "nobody" if answer.code == "UNAVAILABLE" else "failed"
    return "refused"


@dataclass(frozen=True, slots=True)
class Booked:
    """A simulated partner that writes down every call before it answers."""

    name: str
    partner: Partner
    book: list[Entry]

    def submit(self, request: Request) -> Answer:
        return self._note("submit", request, self.partner.submit(request))

    def query(self, request: Request) -> Answer:
        return self._note("query", request, self.partner.query(request))

    def _note(self, how: str, request: Request, answer: Answer) -> Answer:
        place = (request.stream, request.item, request.step)
        self.book.append(Entry(self.name, how, place, request.attempt, request.at, word(answer), bool(request.body.get("replaces"))))
        return answer


def booked(partners: Mapping[str, Partner], book: list[Entry]) -> Mapping[str, Partner]:
    """The same partners, all of which write into one book."""
    return {name: Booked(name, partner, book) for name, partner in partners.items()}


class Effects(NamedTuple):
    """How often a piece of work was done as far as its partner knows, whether that is sure, and how often it was sent while it was or might be."""

    done: int
    unsure: bool
    needless: int


def effects(book: Iterable[Entry]) -> dict[Place, Effects]:
    """What came of each piece of work.

    A request has an effect when it is answered as done or taken, or met silence and is found so by a query. One that is refused or fails later, or
    was never heard of, has none. To send it while it is done, taken, or nobody knows, is needless: it might be done twice.
    """
    calls: defaultdict[Place, list[Entry]] = defaultdict(list)
    for entry in book:
        calls[entry.place].append(entry)
    return {place: _effects(some) for place, some in calls.items()}


def _effects(calls: Iterable[Entry]) -> Effects:
    done, needless, stands = 0, 0, ""
    for call in calls:
        if call.how == "submit":
            needless += stands in ("done", "unsure")
            if call.answer in ("done", "taken"):
                done, stands = done + 1, "done"
            elif call.answer == "silent":
                stands = stands or "unsure"
        elif stands == "unsure":
            stands = {"done": "done", "taken": "done", "silent": "unsure", "nobody": "unsure"}.get(call.answer, "")
            done += stands == "done"
        elif stands == "done" and call.answer in ("refused", "failed"):
            done, stands = done - 1, ""
    return Effects(done, stands == "unsure", needless)
