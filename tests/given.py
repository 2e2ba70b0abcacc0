"""Given: orders, a catalogue, customers and accounts as plain values, and one order carried by the real rules without a store."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.state import CatalogueState
from o2c.customers.events import CustomerRegistered
from o2c.customers.state import CustomerState
from o2c.engine.drafts import guards_of
from o2c.fallout import rules as desk
from o2c.fallout.codes import packaged
from o2c.kernel.agenda import Dropped, Entry
from o2c.kernel.attend import Ask, Reply, attend, settle
from o2c.kernel.carry import Carried
from o2c.kernel.decision import Decision, Guard
from o2c.kernel.event import Event
from o2c.kernel.partner import Answer, Answered
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.markets.gb import GB
from o2c.orders import cancellation, giving_up, rules, suspending
from o2c.orders.document import read
from o2c.orders.receiving import Arrival, receive
from o2c.orders.rollup import item_state, order_state
from o2c.orders.state import OrderState
from o2c.orders.step import KIND as ORDER
from o2c.orders.validation import flaw
from o2c.orders.wish import Wish
from o2c.plan import STEPS, PlanBook

MARKET = GB
MONDAY = datetime(2026, 1, 5, 10, tzinfo=UTC)
ADDRESS = "1 Mill Lane, Testford, ZZ1 1AA"
PORTING = {"portInNumber": "+447700900123", "portInCode": "ABC123456"}
SEED = 7
ROUNDS_MAX = 500
Document = dict[str, Any]


def offering(name: str, specification: str = "spec-mobile", **changes: Any) -> OfferingPublished:
    """An offering on sale since New Year at 19.99 a month and 10.00 once; `recurring_minor` and `one_time_minor` are other amounts of these."""
    amounts = {"recurring": changes.pop("recurring_minor", 1999), "one-time": changes.pop("one_time_minor", 1000)}
    values = {
        "offering": name, "version": "1.0", "specification": specification, "status": "Active", "bundle": False,
        "valid_from": "2026-01-01T00:00:00Z", "market": "GB", "currency": "GBP",
        "prices": [{"kind": kind, "amount_minor": minor} for kind, minor in amounts.items() if minor],
    }  # fmt: skip
    return OfferingPublished.model_validate({**values, **changes})


MOBILE = {"simType": ("esim", "physical"), "commitmentMonths": ("1", "12", "24")}
OFFERINGS = (
    offering("line", characteristics=MOBILE),
    offering("fibre", "spec-access", recurring_minor=4475, characteristics={"commitmentMonths": ("1", "12", "24")}),
    offering("roaming", "spec-add-on", recurring_minor=700, one_time_minor=0),
    offering("office", "spec-bundle", bundle=True, recurring_minor=0, one_time_minor=0),
    offering(
        "whole-office",
        "spec-bundle",
        bundle=True,
        prices=[],
        characteristics={"release": ("together", "each")},
        defaults={"release": "together"},
    ),
    offering("pair", "spec-bundle", bundle=True, recurring_minor=3001, one_time_minor=0),
    offering("retired-line", status="Retired"),
    offering("in-test", status="In test"),
    offering("launched", status="Launched"),
    offering("care-year", "spec-add-on", prices=[{"kind": "recurring", "amount_minor": 12_000, "period_unit": "year"}]),
    offering("care-week", "spec-add-on", prices=[{"kind": "recurring", "amount_minor": 700, "period_unit": "week"}]),
    offering(
        "care-quarter",
        prices=[{"kind": "recurring", "amount_minor": 3000, "period_length": 3}, {"kind": "one-time", "amount_minor": 500}],
        characteristics=MOBILE,
    ),
    offering("guard", "spec-add-on", one_time_minor=0, requires=["line", "fibre"]),
    offering("guard-plus", "spec-add-on", one_time_minor=0, requires=["guard"]),
    offering("lift", "spec-add-on", one_time_minor=0, requires=["office"]),
    offering("left", "spec-add-on", one_time_minor=0, requires=["right"]),
    offering("right", "spec-add-on", one_time_minor=0, requires=["left"]),
    offering("full-office", "spec-bundle", bundle=True, prices=[], requires=["line"]),
    offering("inside", "spec-add-on", sellable=False),
    offering(
        "handset",
        "spec-device",
        recurring_minor=0,
        characteristics={"sku": ("lark-9",), "instalments": ("1", "24")},
        defaults={"instalments": "1"},
    ),
    offering("dear-in-may", "spec-add-on", prices=[{"kind": "recurring", "amount_minor": 900, "valid_from": "2026-05-01T00:00:00Z"}]),
    offering(
        "easy",
        characteristics={**MOBILE, "colour": ("red", "blue")},
        optional=["colour"],
        defaults={"simType": "esim", "commitmentMonths": "12"},
    ),
    offering("next-year", valid_from="2027-01-01T00:00:00Z"),
    offering("last-year", valid_from="2025-01-01T00:00:00Z", valid_to="2026-01-01T00:00:00Z"),
)
CATALOGUE = CatalogueState({each.offering: each for each in OFFERINGS})
BOOK = PlanBook(catalogue=lambda version: CATALOGUE if version else CatalogueState())
CUSTOMER = CustomerState(CustomerRegistered.model_validate(CustomerRegistered.example))

READ = {"catalogue-main@1": CATALOGUE, "customer-C-1001": CUSTOMER}
"""The streams that the gates of an order read, and their states."""


def item(name: Any = "1", sold: str = "line", *, relies_on: tuple[str, ...] = (), place: str = ADDRESS, **changes: Any) -> Document:
    """An order item as a channel sends it; `characteristics` are name and value, everything else replaces a field."""
    wanted = {"simType": "esim", "commitmentMonths": "12", **changes.pop("characteristics", {})}
    return {
        "id": name,
        "action": "add",
        "quantity": 1,
        "productOffering": {"id": sold},
        "productOrderItemRelationship": [{"id": base, "relationshipType": "reliesOn"} for base in relies_on],
        "product": {"productCharacteristic": [{"name": key, "value": value} for key, value in wanted.items()], "place": [{"name": place}]},
        **changes,
    }


def paper(*items: Document, **changes: Any) -> Document:
    """A product order as a channel sends it."""
    return {
        "externalId": "WEB-1001",
        "orderDate": "2026-01-05T10:00:00Z",
        "channel": [{"id": "web"}],
        "category": "consumer",
        "priority": "4",
        "relatedParty": [{"id": "C-1001", "role": "customer"}],
        "billingAccount": {"id": "BA-1001"},
        "productOrderItem": list(items),
        **changes,
    }


def wish(*items: Document, **changes: Any) -> Wish:
    return read(json.dumps(paper(*items, **changes)).encode())


def codes_of(step: str) -> tuple[str, ...]:
    """The codes of a step's partner that we have one of our own for, in our market."""
    ask = STEPS[step].ask
    if ask is None:
        return ()
    of_market = tuple(MARKET.porting.refusals) if ask.code_of else ()
    return (*packaged().newest.steps[step].codes, *of_market)


def folded(state: OrderState, decision: Decision) -> OrderState:
    for event in decision.events:
        state = ORDER.evolve(state, event)
    return state


def captured(*items: Document, catalogue_version: int = 1, **changes: Any) -> OrderState:
    """An order captured with these items."""
    fresh = ORDER.initial("order-1001")
    came = Arrival("intake-1", 1, catalogue_version, MARKET.pin, MONDAY)
    _, decision = receive(fresh, wish(*items, **changes), came, original=None, codes=packaged().newest)
    return folded(fresh, decision)


def flaw_of(state: OrderState) -> str:
    """The first reason the order cannot be planned, when its party is a customer."""
    return flaw(state, party_known=state.party == "C-1001", catalogue=CATALOGUE, market=MARKET)


class Story:
    """One order carried by the real steps from answer to answer: its state, events, agenda and guards, the states it went through, and what partners were asked and answered.
    `found` says in which states streams are as it begins, where nothing of it tells that."""

    found: Mapping[str, str] = {}

    def __init__(self, *items: Document, holders: dict[tuple[str, str], str] | None = None, name: str = "1001", **changes: Any) -> None:
        self.name, self.stream = name, f"order-{name}"
        self.state: OrderState = ORDER.initial(self.stream)
        self.events: list[Event] = []
        self.elsewhere: list[tuple[str, Event]] = []
        self.agenda: dict[tuple[str, str], Entry] = {}
        self.holders = {} if holders is None else holders
        self.passed: list[tuple[str, str, str, str]] = []
        self.asked: list[tuple[Ask, Answer]] = []
        self.serial = 0
        came = Arrival("intake-1", 1, 1, MARKET.pin, MONDAY)
        self.take(receive(self.state, wish(*items, **changes), came, original=None, codes=packaged().newest)[1])

    def take(self, *decisions: Decision, at: datetime = MONDAY) -> None:
        """Carry decisions through as the runner does: fold, advance, close, guards, agenda."""
        carried = Carried(ORDER, self.stream, self.state)
        for decision in decisions:
            carried.carry(decision, at, BOOK, None)
        carried.close()
        for happened in carried.happened:
            if happened.stream == self.stream:
                self._follow(happened.event)
            else:
                self.elsewhere.append((happened.stream, happened.event))
        for guard in guards_of(carried.guards, self.holders):
            key = (guard.kind, guard.key)
            if guard.take:
                assert self.holders.setdefault(key, guard.holder) == guard.holder, f"{key} is held"
            elif self.holders.get(key) == guard.holder:
                del self.holders[key]

    def _follow(self, event: Event) -> None:
        before = self.states()
        self.state = ORDER.evolve(self.state, event)
        self.events.append(event)
        after = self.states()
        self.passed += [
            (of, before.get(of, "acknowledged"), now, event.type_name) for of, now in after.items() if before.get(of, "acknowledged") != now
        ]
        for change in ORDER.agenda(self.state, event, self.stream):
            if isinstance(change, Dropped):
                self.agenda.pop((change.item, change.step), None)
            else:
                self.agenda[change.item, change.step] = change

    def states(self) -> dict[str, str]:
        """The order's state (under the empty name) and its items'."""
        progress = self.state.progress
        return {"": order_state(progress), **{name: item_state(known) for name, known in progress.items.items()}}

    def work(self, name: str, step: str) -> Work:
        bare = ORDER.work(self.state, self.stream, name, step, BOOK)
        entry = self.agenda.get((name, step))
        bare = replace(bare, attempt=entry.attempt) if entry else bare
        found = {guard: self.holders[guard[:2]] for guard in STEPS[step].guards(bare) if guard[:2] in self.holders}
        return replace(bare, guards=found, read=STEPS[step].read_from(bare, self._read))

    def _read(self, stream: str) -> Any:
        return READ.get(stream)

    def attend(
        self,
        step: str,
        name: str = "",
        answer: Answer | None = None,
        *,
        in_stock: bool = True,
        at: datetime | None = None,
        expected_at: datetime | None = None,
    ) -> None:
        """Carry out a row of the agenda when it is due; a partner that is asked gives the answer (done, if none is said).

        `expected_at` is when stock is expected that is not there.
        """
        entry = self.agenda[name, step]
        at = at or (MONDAY if entry.kind == "stock" else entry.due_at)
        self.take(self._decide(entry, answer or Answered(), at, in_stock, expected_at), at=at)

    def _decide(self, entry: Entry, answer: Answer, at: datetime, in_stock: bool, expected_at: datetime | None) -> Decision:
        step, work = STEPS[entry.step], self.work(entry.item, entry.step)
        piece = self._piece(step.pool(work)) if in_stock and step.pool(work) else None
        outcome = attend(step, work, entry, piece, at, seed=SEED, expected_at=expected_at)
        if not isinstance(outcome, Ask):
            return outcome
        self.asked.append((outcome, answer))
        return settle(step, work, outcome, Reply(answer), at, seed=SEED)

    def _piece(self, pool: str) -> Mapping[str, str]:
        self.serial += 1
        return {
            "iccid": f"8944{self.name:0>10}{self.serial:05d}", "imsi": f"00101{self.name:0>5}{self.serial:05d}",
            "msisdn": f"+4477009{self.name}{self.serial:02d}", "kind": pool.partition("/")[2],
            "imei": f"0010101{self.name:0>4}{self.serial:04d}", "sku": pool.partition("/")[2],
        }  # fmt: skip

    def run(self, *, but: Mapping[tuple[str, str], Answer] | None = None, until: str = "") -> "Story":
        """Attend to everything that is due, in order, until nothing is or the named step is next; `but` says which answers differ."""
        for name, step in self._due():
            if step == until:
                break
            self.attend(step, name, (but or {}).get((name, step)))
        return self

    def _due(self) -> Iterator[tuple[str, str]]:
        for _ in range(ROUNDS_MAX):
            ready = [entry for entry in self.agenda.values() if entry.kind != "stock"]
            if not ready:
                return
            entry = min(ready, key=lambda e: (e.due_at, e.item, e.step))
            yield entry.item, entry.step
        raise AssertionError(f"the agenda never empties: {sorted(self.agenda)}")

    def give_up(self, step: str, name: str = "1", *, at: datetime = MONDAY + timedelta(days=9)) -> None:
        """A person fails the item for good from the fallout of one of its steps."""
        self.take(desk.give_up(STEPS[step], self.work(name, step), note=""), at=at)
        self.take(rules.fail_item(self.state, name, reason="NP-INACT", note="", at=at, book=BOOK), at=at)

    def cancel(self, *names: str, at: datetime = MONDAY) -> None:
        """A person cancels the order, or some of its items."""
        self.take(cancellation.cancel(self.state, names, note="", at=at, book=BOOK), at=at)

    def suspend(self, *, at: datetime = MONDAY, until: datetime = MONDAY + timedelta(days=30), waits_for: str = "customer") -> "Story":
        """A person suspends the order, for its customer unless said otherwise."""
        self.take(suspending.suspend(self.state, until=until, waits_for=waits_for, note="moves in later", at=at, book=BOOK), at=at)
        return self

    def resume(self, *, at: datetime = MONDAY) -> "Story":
        """A person lets a suspended order go on; one that is not suspended stays as it is."""
        self.take(suspending.resume(self.state, note="", at=at, book=BOOK), at=at)
        return self

    def suspend_or_resume(self) -> "Story":
        """A person suspends the order, or lets it go on; a wish that cannot be changes nothing."""
        try:
            return self.resume() if self.state.suspended else self.suspend()
        except Refused:
            return self

    def cancel_port(self, *names: str, at: datetime = MONDAY) -> None:
        """A person cancels the port-in of an item, and nothing else."""
        self.take(giving_up.cancel_port(self.state, names, note="", at=at, book=BOOK), at=at)

    def correct(self, step: str, name: str, changes: Mapping[str, str], *, at: datetime = MONDAY) -> None:
        """A person corrects what a step stumbled over."""
        self.take(desk.correct(STEPS[step], self.work(name, step), ORDER, BOOK, changes=changes, note="", at=at), at=at)

    def decide(self, step: str, name: str = "", *, approve: bool, at: datetime = MONDAY) -> None:
        """A person decides a referral."""
        self.take(desk.decide(STEPS[step], self.work(name, step), approve=approve, note="", at=at), at=at)

    def force(self, step: str, name: str = "1", *, at: datetime = MONDAY) -> None:
        """A person counts a step as done by other means."""
        self.take(desk.force(STEPS[step], self.work(name, step), note=""), at=at)

    def names(self) -> list[str]:
        return [event.type_name for event in self.events]

    def last(self, name: str) -> Any:
        """The latest event of a name, of this or another stream."""
        return next(event for event in reversed([*(e for _, e in self.elsewhere), *self.events]) if event.type_name == name)

    def holds(self, kind: str, name: str = "1") -> bool:
        """Whether an item holds any guard of a kind."""
        return any(of == kind and holder == f"{self.stream}/{name}" for (of, _), holder in self.holders.items())

    def guard(self, kind: str, key: str, name: str = "1") -> Guard:
        return Guard(kind, key, f"{self.stream}/{name}")
