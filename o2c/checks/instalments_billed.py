"""Agreements to pay in instalments, held against the bills of their account: what assurance finds of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from o2c.instalments.state import shares_of
from projections.engine.seen import Seen

INSTALMENT_RULE = (
    "instalment-not-billed",
    "G-RM-RA-RLb",
    "Every bill has one instalment of each agreement until the last, and all that is left where the service has ended and that was agreed; else nothing more.",
)


class Line(NamedTuple):
    """A service of the account: the item that it serves, as `ORDER/ITEM`, and the day on which it ended (empty: it has not)."""

    place: str
    ended_on: str = ""


@dataclass(slots=True)
class Owing:
    """An agreement: the event that made it, the instalments that are on no bill, and the day of the last bill that has one."""

    event: str
    body: Mapping[str, Any]
    left: list[int]
    billed_on: str = ""


class Missed(NamedTuple):
    """An amount that a bill should have and has not, or has and should not: since when, of which item, and the events of both sides."""

    amount_minor: int
    since: str
    order: str
    item: str
    agreed: str
    billed: str


@dataclass(slots=True)
class Instalments:
    """The agreements of an account and its services, as their events are told; `missed` is what is wrong with its bills."""

    owing: dict[str, Owing] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    missed: list[Missed] = field(default_factory=list)

    def told(self, seen: Seen) -> None:
        """Take an event of the account down."""
        body, key = seen.body, f"{seen.body.get('order')}/{seen.body.get('item')}"
        match seen.type:
            case "account.charge-started" if not body.get("goods") or body["recurring_minor"]:
                self.lines[key] = Line(body.get("product", "").replace(":", "/") or key)
            case "account.charge-withdrawn" if key in self.lines:
                self.lines[key] = self.lines[key]._replace(ended_on=body.get("ended_on") or seen.at[:10])
            case "account.instalments-agreed":
                self.owing[key] = Owing(seen.event_id, body, [*shares_of(body["total_minor"], body["count"])])
            case "account.billed":
                self._billed(seen)
            case _ if key in self.owing:
                self._moved(self.owing[key], seen)

    def _moved(self, owing: Owing, seen: Seen) -> None:
        match seen.type:
            case "account.instalment-billed":
                if not owing.left:
                    self._miss(owing, seen.body["amount_minor"], seen)
                owing.left, owing.billed_on = owing.left[1:], seen.body["billed_on"]
            case "account.instalments-settled":
                if owing.left and not self._all_due(owing):
                    self._miss(owing, sum(owing.left), seen)
                owing.left = []
            case "account.settlement-asked":
                owing.left = []

    def _billed(self, seen: Seen) -> None:
        for owing in (owing for owing in self.owing.values() if owing.left and owing.body["agreed_on"] < seen.body["run_on"]):
            if self._all_due(owing):
                self._miss(owing, sum(owing.left), seen)
            elif owing.billed_on != seen.body["run_on"]:
                self._miss(owing, owing.left[0], seen)

    def _all_due(self, owing: Owing) -> bool:
        """Whether all that is left is due: the lines of its order have ended, or, where goods were bought alone, all that there was
        since."""
        of, since = owing.body["order"], owing.body["agreed_on"]
        own = [line for line in self.lines.values() if line.place.startswith(f"{of}/")]
        beside = [line for line in self.lines.values() if not line.ended_on or line.ended_on >= since]
        return owing.body.get("at_end") == "at-once" and bool(own or beside) and all(line.ended_on for line in own or beside)

    def _miss(self, owing: Owing, amount_minor: int, seen: Seen) -> None:
        self.missed.append(Missed(amount_minor, seen.at, owing.body["order"], owing.body["item"], owing.event, seen.event_id))
