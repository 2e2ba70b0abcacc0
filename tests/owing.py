"""An account that owes, carried by the real rules without a store: invoices become overdue, are paid, days pass."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from o2c.collections import debt_plans, rules
from o2c.collections.events import LookRequested, OfNotice
from o2c.collections.state import KIND, CollectionState
from o2c.kernel.agenda import Entry
from o2c.kernel.arrears import ArrearsChanged, Cause, collection_stream
from o2c.kernel.attend import attend
from o2c.kernel.carry import Carried, Happened
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.lateness import LateCharged
from o2c.markets.base import Market
from o2c.markets.gb import GB
from o2c.plan import STEPS, PlanBook
from tests.given import BOOK

ACCOUNT = "BA-1001"
STREAM = collection_stream(ACCOUNT)
OF = {"account": ACCOUNT, "customer": "C-1001", "market": GB.pin}
DUE_ON = date(2026, 1, 22)
"""When the first invoice of these stories is due; days are counted from it."""


class Book(PlanBook):
    """The plan with other stages of the one market there is."""

    of: Market = GB

    def market(self, pin: str) -> Market:
        return self.of


def book_of(**collections: Any) -> Book:
    """A plan whose market collects otherwise."""
    made = Book(BOOK.catalogue, STEPS)
    object.__setattr__(made, "of", replace(GB, collections=replace(GB.collections, **collections)))
    return made


class Owing:
    """The collections of an account, day by day after the due day of its first invoice; the network does what it is asked at once."""

    def __init__(self, **collections: Any) -> None:
        self.book = book_of(**collections)
        self.carried = Carried(KIND, STREAM, KIND.initial(STREAM))
        self.now = _morning(0)

    @property
    def state(self) -> CollectionState:
        return cast("CollectionState", self.carried.state)

    @property
    def happened(self) -> list[Happened]:
        return self.carried.happened

    def take(self, decision: Decision) -> None:
        self.carried.carry(decision, self.now, self.book, None)

    def owes(
        self,
        open_minor: int,
        invoice: str = "INV-1",
        *,
        due: int = 0,
        currency: str = "GBP",
        cause: Cause = "overdue",
        disputed_minor: int = 0,
        answer: str = "",
        **more: Any,
    ) -> "Owing":
        """What is open of an invoice that was due so many days after the first is this much now."""
        body = {
            "invoice": invoice,
            "open_minor": open_minor,
            "currency": currency,
            "cause": cause,
            "disputed_minor": disputed_minor,
            **more,
        }
        due_on = (DUE_ON + timedelta(days=due)).isoformat()
        self.take(just(ArrearsChanged.model_validate({**OF, **body, "due_on": due_on, "answer": answer})))
        return self._due()

    def pays(self, left_minor: int = 0, invoice: str = "INV-1", **more: Any) -> "Owing":
        return self.owes(left_minor, invoice, cause="payment", **more)

    def until(self, days: int) -> "Owing":
        """Let time pass up to nine o'clock of the day that is so many days after the due day, attending to whatever is due meanwhile."""
        until = _morning(days)
        while (due_at := self._next()) is not None and due_at <= until:
            self.now = max(due_at, self.now)
            self._due()
        self.now = until
        return self._due()

    def holds(self, kind: str, *, days: int | None = None) -> "Owing":
        until = self.now.date() + timedelta(days=days) if days is not None else None
        self.take(rules.hold(self.state, kind, until=until, note="", today=self.now.date(), market=self.book.of, of=OF))
        return self._due()

    def releases(self, kind: str) -> "Owing":
        self.take(rules.release(self.state, kind, note="", of=OF))
        return self._due()

    def disputes(self, amount_minor: int, invoice: str = "INV-1", *, open_minor: int = 5_000) -> "Owing":
        wish = {"amount_minor": amount_minor, "open_minor": open_minor, "currency": "GBP", "note": ""}
        self.take(rules.dispute(self.state, invoice, **wish, of=OF))
        return self._due()

    def settles(self, outcome: str, invoice: str = "INV-1") -> "Owing":
        self.take(rules.settle_dispute(self.state, invoice, outcome=outcome, currency="GBP", note="", of=OF))
        return self._due()

    def promises(self, amount_minor: int, *, days: int, currency: str = "GBP") -> "Owing":
        by, today = self.now.date() + timedelta(days=days), self.now.date()
        wish = {"amount_minor": amount_minor, "currency": currency, "by": by, "note": "", "today": today}
        self.take(rules.promise(self.state, **wish, market=self.book.of, of=OF))
        return self._due()

    def plans(self, *parts: tuple[int, int], currency: str = "GBP") -> "Owing":
        """Agree on parts, each so many days after the first due day, in minor units."""
        agreed = [(DUE_ON + timedelta(days=days), amount_minor) for days, amount_minor in parts]
        self.take(debt_plans.agree(self.state, agreed, currency=currency, note="", today=self.now.date(), market=self.book.of, of=OF))
        return self._due()

    def bills(self, days: int) -> list[LateCharged]:
        """What a bill run so many days after the due day charges for late payment."""
        rules = self.book.of.collections.late_interest
        assert rules
        day = DUE_ON + timedelta(days=days)
        bill = {"bill": f"BILL-{days}", "before": day, "of_currency": "GBP"}
        charged = self.state.late_charges(rules, self.book.of.currency, **bill)
        self.take(just(*charged))
        return charged

    def told(self, *kinds: type[Event]) -> list[tuple[int, Event]]:
        """Events of some kinds, each with the days since the due day."""
        return [((each.at.date() - DUE_ON).days, each.event) for each in self.happened if isinstance(each.event, kinds)]

    def days(self, *kinds: type[Event]) -> list[int]:
        return [day for day, _ in self.told(*kinds)]

    def notices(self, currency: str = "GBP") -> list[tuple[int, str]]:
        """The days and stages of the notices in a currency."""
        return [(day, event.stage) for day, event in self.told(OfNotice) if isinstance(event, OfNotice) and event.currency == currency]

    def _next(self) -> datetime | None:
        asked = [each.event for each in self.happened if isinstance(each.event, LookRequested)]
        return asked[-1].due_at if asked and self.state.looking else None

    def _due(self) -> "Owing":
        """Attend to the look if it is due, and to the bar that follows."""
        while (due_at := self._next()) is not None and due_at <= self.now:
            self._attend("collections")
            if self.state.bar != self.state.bar_asked:
                self.take(rules.barred(KIND.work(self.state, STREAM, "", "barring", self.book), {}, self.now))
        return self

    def _attend(self, step: str) -> None:
        work = KIND.work(self.state, STREAM, "", step, self.book)
        entry = Entry(STREAM, "", step, "submit", self.now, 9, self.now, work.attempt)
        self.take(cast("Decision", attend(STEPS[step], work, entry, None, self.now, seed=7)))


def _morning(days: int) -> datetime:
    return datetime.combine(DUE_ON + timedelta(days=days), time(9), UTC)
