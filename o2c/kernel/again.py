"""What partners answered, as it stands beside events, turned back into answers, so that a decision can be made again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from o2c.kernel.event import Asked, Event, Fact
from o2c.kernel.flow import digest_of
from o2c.kernel.partner import Accepted, Answer, Answered, Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.shapes import PartnerSilent, Undertaken, item_of, step_of
from o2c.kernel.step import Step
from o2c.kernel.work import Work


def answer_of(asked: Asked, event: Event, at: datetime) -> Answer:
    """Give the answer that an exchange records; `event` is the one it stands beside, which says when to ask again, and `at` its time.

    Until when a partner that failed took no requests is not kept. A question that met nobody, and so is asked again, says what a silence
    does.
    """
    match asked.answer:
        case "silent" | "failed" if isinstance(event, PartnerSilent):
            return Unknown(event.ask_again_at)
        case "done":
            return Answered(asked.data)
        case "refused":
            return RefusedBy(asked.code, asked.data)
        case "failed":
            return Failed(asked.code)
        case "accepted" if isinstance(event, Undertaken):
            return Accepted(event.reference, event.ask_again_at)
        case "silent":
            return Unknown(at)
    return NeverHeard()


@dataclass(frozen=True, slots=True)
class Exchanges:
    """The exchanges of one step of one item, in the order of the log."""

    facts: tuple[Fact, ...]

    def last_with(self, step: Step, work: Work, at: datetime) -> tuple[Asked, Answer] | None:
        """Give the last answer to the request that the step would make: the same partner, and a body of the same digest.

        What of a body depends on when it is sent is taken as of `at` or, failing that, as of the time of the exchange. None when no such
        request was ever made: then nobody knows what the partner would say.
        """
        for fact in reversed(self.facts):
            asked = fact.asked
            if asked and asked.partner == step.partner and asked.digest in digests_of(step, work, at, fact.occurred_at):
                return asked, answer_of(asked, fact.event, fact.occurred_at)
        return None


def exchanges_of(facts: Iterable[Fact], item: str, step: str) -> Exchanges:
    """Give the exchanges of a step among the events of its stream."""
    return Exchanges(tuple(fact for fact in facts if fact.asked and (item_of(fact.event), step_of(fact.event)) == (item, step)))


def digests_of(step: Step, work: Work, *times: datetime) -> frozenset[str]:
    """Give the digests of the request that a step would make, at each of some times: part of a body may depend on when it is sent."""
    assert step.ask is not None
    return frozenset(digest_of({**step.ask.payload(work), **step.ask.timed(work, at)}) for at in times)
