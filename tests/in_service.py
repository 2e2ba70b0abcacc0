"""Orders that change products in service, carried by the real rules without a store: what becomes of the products, and of what ends with them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from o2c.invoicing.state import AccountState
from o2c.kernel.agenda import Entry
from o2c.kernel.attend import Ask, Reply, attend, settle
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn
from o2c.kernel.decision import Decision
from o2c.kernel.partner import Answered
from o2c.plan import STEPS
from o2c.products.bases import ends_with_base
from o2c.products.events import (
    ProductChanged,
    ProductReliedOn,
    ProductResumed,
    ProductStarted,
    ProductSuspended,
    ProductTerminated,
    Standing,
)
from o2c.products.state import KIND, ProductState, product_work
from tests.changing import Changing
from tests.given import BOOK, MONDAY, SEED, Document
from tests.network import Books

ACCOUNT = AccountState(account="BA-1001", customer="C-1001", currency="GBP", market="GB@2026-01", next_run="2026-02-01")
LINE, FIBRE, EXTRA, RESTING = "BASE:1", "BASE:2", "BASE:3", "BASE:4"
"""A line, a fixed access, what was added to the line, and another access that rests."""
HELD = {"iccid": "8944000000000000012", "imsi": "001010000000012", "msisdn": "+447700900012", "sim_kind": "esim"}
SAID = {"simType": "esim", "commitmentMonths": "12"}


def _started(product: str, sold: str, specification: str, minor: int, relies_on: tuple[str, ...] = (), **holds: str) -> ProductState:
    """A product in service since November."""
    item = product.partition(":")[2]
    pieces = ("sim", "number", "activation") if "iccid" in holds else ("activation",)
    standing = Standing(
        customer="C-1001",
        account="BA-1001",
        offering=sold,
        specification=specification,
        characteristics=SAID if "iccid" in holds else {"commitmentMonths": "12"},
        holds=holds,
        pieces=dict.fromkeys(pieces, f"BASE/{item}"),
        charge=f"BASE/{item}",
        recurring_minor=minor,
        commitment_ends_on="2026-11-03" if holds else "",
    )
    told = {"product": product, "order": "BASE", "item": item, "market": "GB@2026-01", "currency": "GBP", "started_on": "2025-11-03"}
    return KIND.evolve(KIND.initial(""), ProductStarted(standing=standing, relies_on=relies_on, notices=False, **told))


BASES: Mapping[str, ProductState] = {
    f"product-{LINE}": KIND.evolve(_started(LINE, "line", "spec-mobile", 1999, **HELD), ProductReliedOn(by=EXTRA)),
    f"product-{FIBRE}": _started(FIBRE, "fibre", "spec-access", 4475, line_id="LN-1"),
    f"product-{EXTRA}": _started(EXTRA, "roaming", "spec-add-on", 700, (LINE,)),
    f"product-{RESTING}": KIND.evolve(
        _started(RESTING, "fibre", "spec-access", 4475, line_id="LN-2"),
        ProductSuspended(order="BASE", item="4", reason="seasonal", suspended_on="2025-12-01", charged=True, charge="BASE/4"),
    ),
}


def change(name: str, product: str, *, action: str = "modify", sold: str = "", on: str = "", place: str = "", **values: str) -> Document:
    """A line that is about a product in service; `on` is the day before which it is not to begin."""
    of: Document = {"id": product, "productCharacteristic": [{"name": key, "value": value} for key, value in values.items()]}
    told: Document = {"id": name, "action": action, "quantity": 1, "product": {**of, **({"place": [{"name": place}]} if place else {})}}
    return {**told, **({"productOffering": {"id": sold}} if sold else {}), **({"requestedStartDate": on} if on else {})}


class InLife(Changing):
    """An order beside products in service, which learn what it does with them; and `beside` another order that may change them too. They stand as
    `left` says."""

    found = {f"product-{RESTING}": "suspended"}

    def __init__(self, *items: Document, beside: "InLife | None" = None, left: Mapping[str, ProductState] = BASES, **more: Any) -> None:
        self.products = self.kept = beside.kept if beside else dict(left)
        self.bill_dates = {ACCOUNT.account: ACCOUNT.next_run}
        super().__init__(*items, **({"holders": beside.holders, "name": "1002"} if beside else {}), **more)
        if beside:
            self.elsewhere, self.asked, self.now = beside.elsewhere, beside.asked, beside.now

    def take(self, *decisions: Decision, at: datetime = MONDAY) -> None:
        """Carry decisions through, and fold what products learn of them."""
        told = len(self.elsewhere)
        super().take(*decisions, at=at)
        self._learn(self.elsewhere[told:])

    def _learn(self, told: Iterable[tuple[str, Any]]) -> None:
        for stream, event in told:
            if stream.startswith("product-"):
                self.kept[stream] = KIND.evolve(self.kept.get(stream) or KIND.initial(stream), event)

    def _read(self, stream: str) -> Any:
        return self.kept.get(stream) or (ACCOUNT if stream == f"account-{ACCOUNT.account}" else super()._read(stream))

    def mended(self) -> "InLife":
        """The same, with what ended beside it switched off."""
        super().mended()
        self.all_off()
        return self

    def all_off(self) -> None:
        """What ended with another is ended and switched off, as by the reaction and by the network."""
        for event in [one for _, one in self.elsewhere if isinstance(one, ProductTerminated)]:
            for product in event.ends:
                self.end(product, date.fromisoformat(event.ended_on))
        off = {stream for stream, event in self.elsewhere if event.type_name == "product-off.completed"}
        for stream, event in [one for one in self.elsewhere if one[1].type_name == "product-off.requested" and one[0] not in off]:
            [entry] = KIND.agenda(self.kept[stream], event, stream)
            self._off(stream, entry)

    def end(self, product: str, on: date) -> None:
        """A product ends that no order ends, with what relies on it."""
        state = self.kept[f"product-{product}"]
        self.take(Decision(elsewhere=tuple(ends_with_base(f"product-{product}", state, on, self.now))), at=self.now)
        for other in state.relied_on_by:
            self.end(other, on)

    def _off(self, stream: str, entry: Any) -> None:
        """The network switches off what ended with another."""
        assert isinstance(entry, Entry)
        step, bare = STEPS["product-off"], product_work(self.kept[stream], stream, "", "product-off", BOOK)
        work = replace(bare, read=step.read_from(bare, self.kept.get))
        ask = attend(step, work, entry, None, entry.due_at, seed=SEED)
        assert isinstance(ask, Ask)
        self.asked.append((ask, Answered()))
        told = [(stream, event) for event in settle(step, work, ask, Reply(Answered()), entry.due_at, seed=SEED).events]
        self.elsewhere += told
        self._learn(told)


def books(story: InLife) -> Books:
    """What the network has on, by what it had and what it was asked and answered; and what a person put right there."""
    told = Books(serves={LINE: HELD["iccid"], FIBRE: "LN-1", EXTRA: "roaming", RESTING: "LN-2"}, numbers={LINE: [HELD["msisdn"]]})
    for ask, answer in story.asked:
        if ask.partner == "network":
            told.note(ask.request, answer, query=ask.query)
    return told


def as_stands(story: InLife, product: str) -> dict[str, Any]:
    """How a product stands, but for which piece of its kind it has, and for days: what of that is its order's own, how long its term is from the change, what it is charged under."""
    state = story.kept[f"product-{product}"]
    assert state.standing is not None
    stands = state.standing
    return {
        **stands.model_dump(exclude={"holds", "commitment_ends_on"}),
        "holds": {name: _whose(story, stands, name, value) for name, value in stands.holds.items()},
        "term": _term(story, product, stands.commitment_ends_on),
        "status": state.status,
        "rests": (state.suspended_for, state.charged_while),
        "relied_on_by": state.relied_on_by,
        "changing": state.changing,
        "running": sorted(running(story, product)),
    }


def _whose(story: InLife, stands: Standing, name: str, value: str) -> str:
    """By which item something was obtained that a product holds; the value itself where no item of the order did."""
    step = {"msisdn": "number"}.get(name, "sim")
    order, _, item = stands.pieces.get(step, "").partition("/")
    own = (
        order == story.state.order_id and str(story.state.record(item, step).outcome.get({"sim_kind": "kind"}.get(name, name), "")) == value
    )
    return item if own and name != "sim_kind" else value


def _term(story: InLife, product: str, ends_on: str) -> int | str:
    """The months from the day of the last change to the end of the term where that change began one; the days from the day on which it served again, where it was at rest."""
    told = [event for stream, event in story.elsewhere if stream == f"product-{product}"]
    end = date.fromisoformat(ends_on) if ends_on else date.min
    for event in reversed(told):
        if isinstance(event, ProductChanged) and ends_on and "offering" in event.attributes:
            begun = date.fromisoformat(event.changed_on)
            return (end.year - begun.year) * 12 + end.month - begun.month
        if isinstance(event, ProductResumed) and ends_on:
            return (end - date.fromisoformat(event.resumed_on)).days
    return ends_on


def running(story: InLife, product: str) -> Counter[tuple[str, int]]:
    """The charges of a product that run: of which item, and how much a period."""
    base = BASES[f"product-{product}"].standing
    assert base is not None
    found = Counter({(base.charge, base.recurring_minor): 1})
    for _, event in story.elsewhere:
        if isinstance(event, ChargeStarted) and event.product == product:
            found[f"{event.order}/{event.item}", event.recurring_minor] += 1
        elif isinstance(event, ChargeWithdrawn) and event.product == product:
            found = Counter({one: times for one, times in found.items() if one[0] != f"{event.order}/{event.item}"})
    return found
