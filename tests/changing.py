"""An order whose paper is changed while partners fail it: carried by the real rules without a store, moved on by what a law draws."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from o2c.fallout import rules as desk
from o2c.kernel.decision import Decision
from o2c.kernel.frozen import changed
from o2c.kernel.partner import Accepted, Answer, Answered, Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.refusal import Refused
from o2c.orders import rules
from o2c.orders.assessing import Assessed, as_it_stands, assess, laid_over
from o2c.orders.events import OrderPlanned
from o2c.orders.named_products import as_known, named_anew, other_product, read_alike, said_anew
from o2c.orders.planning import planned_minor
from o2c.orders.revised import as_before_plan
from o2c.orders.revising import ChangedPaper, revise_order
from o2c.orders.revision_events import OrderRevised
from o2c.orders.rollup import SUSPENSION
from o2c.orders.state import OrderState
from o2c.orders.step import KIND as ORDER
from o2c.orders.validation import flaw
from o2c.orders.vouchers import Campaigns, revouched, streams_named, without_lost
from o2c.plan import STEPS
from o2c.products.state import ProductState
from tests.given import BOOK, CATALOGUE, MARKET, MONDAY, Document, Story, codes_of, wish
from tests.laws.test_rollup import stuck

FAULTS = ("refused", "failed", "silent", "accepted", "never-heard", "no-stock", "mute", "late")
"""What a partner answers, or does not: `mute` until nobody asks it any more; `late` is a worker of ours that comes days after it was due."""
WAYS = ("correct", "correct", "approve", "replace", "decline", "fail")
"""How a person resolves a fallout: most ways let the item go on, and two end it."""
LATER, DAYS_LATER = timedelta(hours=2), timedelta(days=3)
ROUNDS_MAX = 60


class Trouble(NamedTuple):
    """What goes wrong at the so-many-th row that is attended to: how, and by which of the partner's codes."""

    turn: int
    how: str
    code: int


class Phase(NamedTuple):
    """What happens until an order is changed and how it is then: all goes well until a step is due (`until`, empty for none); so many rows pass with these troubles, some fallouts
    are resolved, it is suspended or resumed. What people do, they do `soon`, at the moment of the last row, or when the next one is due."""

    rows: int
    troubles: tuple[Trouble, ...] = ()
    resolved: tuple[str, ...] = ()
    suspends: bool = False
    until: str = ""
    soon: bool = False


LEADS = ("", "", "", "activation", "cutover", "appointment", "esim-download", "delivery", "service-change", "charging")
"""The steps that a draw leads to, so that what is seldom met by chance is met often enough."""
CODES = st.integers(0, 9)
TROUBLES = st.builds(Trouble, st.integers(0, 5), st.sampled_from(FAULTS), CODES)


def phases(rows: st.SearchStrategy[int], leads: tuple[str, ...] = LEADS) -> st.SearchStrategy[Phase]:
    """Phases of so many rows, some of which lead to a step."""
    ways = st.lists(st.sampled_from(WAYS), max_size=2).map(tuple)
    return st.builds(Phase, rows, st.lists(TROUBLES, max_size=2).map(tuple), ways, st.booleans(), st.sampled_from(leads), st.booleans())


def met(
    steps: tuple[str, ...],
    hows: tuple[str, ...],
    ways: tuple[tuple[str, ...], ...] = ((),),
    codes: st.SearchStrategy[int] = CODES,
) -> st.SearchStrategy[Phase]:
    """Phases in which all goes well until a step is due, which goes so; then people resolve that in one of these ways."""
    wrong = st.builds(Trouble, st.just(0), st.sampled_from(hows), codes).map(lambda one: (one,))
    return st.builds(Phase, st.integers(1, 2), wrong, st.sampled_from(ways), st.booleans(), st.sampled_from(steps), st.booleans())


SELDOM = (
    met(("cutover",), ("late",)),
    met(("activation",), ("mute", "mute", "refused"), (("fail",), ())),
    met(("appointment", "porting"), ("accepted", "silent")),
    *(met(("porting-cancel",), ("refused",), codes=st.just(codes_of("porting-cancel").index("TOO-LATE"))) for _ in range(3)),
)
"""What hardly comes by chance: a window that is missed, a line that the network refused or of which nobody knows whether it is on, a visit or port that its partner has and has not
answered for, a port that the clearing house is asked to drop."""
PHASES = st.one_of(*(phases(st.integers(1, 9)) for _ in range(9)), *SELDOM)
"""The gates take three rows, and most orders of one line are over after twenty. One strategy that is named twice is drawn as often as one that is named once."""


class Changing(Story):
    """A story whose paper is changed on its way, of campaigns that stand as `campaigns` says, and of `products` in service."""

    campaigns: Campaigns = {}
    products: Mapping[str, ProductState | None] = {}
    bill_dates: Mapping[str, str] = {}

    def __init__(self, *items: Document, **more: Any) -> None:
        self.papers, self.now = [items], MONDAY
        super().__init__(*items, **more)

    def take(self, *decisions: Decision, at: datetime = MONDAY) -> None:
        """Carry decisions through, and keep when."""
        self.now = at
        super().take(*decisions, at=at)

    def _read(self, stream: str) -> Any:
        return self.campaigns.get(stream) or super()._read(stream)

    def drafted(self) -> OrderState:
        """The order before its plan, by the paper in force."""
        state, planned = ORDER.initial(self.stream), False
        for event in self.events:
            planned = planned or isinstance(event, OrderPlanned)
            if isinstance(event, OrderRevised):
                state = as_before_plan(state, event)
            elif not planned:
                state = ORDER.evolve(state, event)
        return state

    soon = False

    def next_at(self) -> datetime:
        """The moment at which people act: now, or when something is due next."""
        if self.soon:
            return self.now
        return max(self.now, min((entry.due_at for entry in self.agenda.values() if entry.kind != "stock"), default=self.now))

    def assessed(self, items: tuple[Document, ...], at: datetime) -> tuple[OrderState, Assessed] | None:
        """What the paper would take; None for one that could not be carried out."""
        drafted = self.drafted()
        before, after = wish(*self.papers[-1]).lines, wish(*items).lines
        in_force = as_it_stands(self.state, drafted.lines)
        wished = changed(drafted, lines=laid_over(in_force, before, after), prices=(), records=self.state.records)
        known = as_known(self.state, in_force, wished.lines)
        wished = changed(wished, lines=said_anew(self.state, wished.lines, known, after))
        judged = changed(wished, lines=without_lost(self.state, in_force, wished.lines))
        named = {stream: self.campaigns.get(stream) for stream in streams_named(judged.lines)}
        told: dict[str, Any] = {"campaigns": named, "tier": "standard", "products": self.products, "known": known}
        if other_product(self.state, wished.lines) or flaw(judged, party_known=True, catalogue=CATALOGUE, market=MARKET, **told):
            return None
        wished = named_anew(self.state, wished, known, self.products, self.bill_dates)
        wished = revouched(self.state, wished, without_lost(self.state, in_force, wished.lines), named, CATALOGUE, MARKET, at)
        return wished, assess(self.state, read_alike(self.state, in_force, wished), wished, at, BOOK)

    def change(self, items: tuple[Document, ...]) -> bool:
        """Change the paper at the moment at which something is due next; whether it was accepted."""
        at = self.next_at()
        found = self.assessed(items, at) if self.state.planned and not self.over else None
        if found is None:
            return False
        told, paper = len(self.events), ChangedPaper("{}", f"paper-{len(self.papers)}", "store", 0)
        self.take(revise_order(self.state, *found, paper, planned_minor(self.state, found[1].plan.items), at, BOOK), at=at)
        if "order.revision-refused" in self.names()[told:]:
            return False
        self.papers.append(items)
        return True

    @property
    def over(self) -> bool:
        """Whether the desk changes the order no more: it is over, or ends."""
        return bool(self.state.closed) or self.states()[""] == "pendingCancellation"

    def suspend_or_resume(self) -> "Changing":
        """Suspend the order, or let it go on; where a number is on its way, or nothing is left, nothing."""
        at = self.next_at()
        with suppress(Refused):
            self.resume(at=at) if self.state.suspended else self.suspend(at=at, until=at + timedelta(days=2))
        return self

    def attend(self, step: str, name: str = "", answer: Answer | None = None, *, at: datetime | None = None, **more: Any) -> None:
        """Attend to a row when it is due, and never before what was attended to last."""
        entry = self.agenda[name, step]
        super().attend(step, name, answer, at=at or max(self.now, MONDAY if entry.kind == "stock" else entry.due_at), **more)

    def pass_by(self, rows: int, troubles: Iterable[Trouble] = ()) -> None:
        """Attend to so many rows that are due, some of which go wrong; an order that is suspended goes on when that is to end."""
        wrong: Mapping[int, Trouble] = {one.turn: one for one in troubles}
        for turn, (name, step) in zip(range(rows), self._due(), strict=False):
            if step == SUSPENSION:
                self.suspend_or_resume()
            elif turn in wrong:
                self._fail(step, name, wrong[turn])
            else:
                self.attend(step, name)

    def _lead_to(self, until: str) -> None:
        """Let all go well until a step is due that is yet to come; where none is, until the order is planned."""
        for name, step in self._due():
            items = self.state.progress.items.values()
            if self.state.planned and (
                step == until or not any({**of.steps, **of.recalls}.get(until) in ("planned", "requested") for of in items)
            ):
                return
            self.suspend_or_resume() if step == SUSPENSION else self.attend(step, name)

    def _fail(self, step: str, name: str, trouble: Trouble) -> None:
        entry = self.agenda[name, step]
        if trouble.how == "late":
            self.attend(step, name, at=max(self.now, entry.due_at) + DAYS_LATER)
            return
        if trouble.how == "mute":
            self._met_silence(step, name)
            return
        self.attend(step, name, self._answer(step, trouble, entry.due_at, query=entry.kind == "query"), in_stock=trouble.how != "no-stock")

    def _met_silence(self, step: str, name: str) -> None:
        """The partner is asked as often as it is asked at all, and never answers; of an order that is suspended it is asked nothing, and the row is put off once."""
        for _ in range(1 if self.state.suspended else STEPS[step].silences_max + 1):
            if (name, step) in self.agenda and self.agenda[name, step].kind != "stock":
                self.attend(step, name, Unknown(max(self.now, self.agenda[name, step].due_at) + LATER))

    def _answer(self, step: str, trouble: Trouble, at: datetime, *, query: bool) -> Answer:
        codes = (*codes_of(step), "never seen before")
        code = codes[trouble.code % len(codes)]
        match trouble.how:
            case "refused":
                return RefusedBy(code)
            case "failed":
                return Failed(code)
            case "silent":
                return Unknown(at + LATER)
            case "accepted":
                return Accepted("REF-1", at + LATER)
            case "never-heard" if query:
                return NeverHeard()
        return Answered()

    def resolve(self, way: str) -> bool:
        """Resolve the first fallout that has the way, or give it the piece of stock that it waits for; whether there was one."""
        for name, step in self._waiting():
            before = len(self.events)
            with suppress(Refused):
                self._stock_comes(name, step) if (name, step) in self.agenda else self._resolve(name, step, way)
            if len(self.events) > before:
                return True
        return False

    def _waiting(self) -> list[tuple[str, str]]:
        """The fallouts that wait for somebody: none of a step that was let go since."""
        items = self.state.progress.items
        return [
            (of, step) for of, step in stuck(self) if not of or {**items[of].steps, **items[of].recalls}.get(step) in ("held", "pending")
        ]

    def _stock_comes(self, name: str, step: str) -> None:
        if self.agenda[name, step].kind == "stock" and not self.state.suspended:
            self.attend(step, name, at=self.next_at())

    def _resolve(self, name: str, step: str, way: str) -> None:
        at = self.next_at()
        match way:
            case "correct":
                self.correct(step, name, {}, at=at)
            case "replace":
                self.take(desk.replaced(STEPS[step], self.work(name, step), BOOK, note="", at=at), at=at)
            case "force":
                self.force(step, name, at=at)
            case "fail" if name:
                self.give_up(step, name, at=at)
            case "approve" | "decline":
                self.decide(step, name, approve=way == "approve", at=at)

    def _fail_unbegun(self) -> None:
        """Fail an item of which nothing was done yet, because it waits for others."""
        waits = [name for name, state in self.states().items() if state == "acknowledged" and name and self.state.items[name].relies_on]
        if waits and not self.state.closed:
            self.take(rules.fail_item(self.state, waits[-1], reason="NP-INACT", note="", at=self.next_at(), book=BOOK), at=self.next_at())

    def go(self, phase: Phase) -> "Changing":
        """Let a phase pass."""
        self.soon = phase.soon
        if phase.until:
            self._lead_to(phase.until)
        self.pass_by(phase.rows, phase.troubles)
        for way in phase.resolved:
            if not self.resolve(way) and way == "fail":
                self._fail_unbegun()
        return self.suspend_or_resume() if phase.suspends else self

    def mended(self) -> "Changing":
        """Let everything go on to its end: partners do as they are asked, and people resolve what they did not."""
        self.soon = False
        if self.state.suspended:
            self.suspend_or_resume()
        for _ in range(ROUNDS_MAX):
            self.run()
            if not (self.resolve("approve") or self.resolve("correct") or self.resolve("force")):
                return self
        raise AssertionError(f"people never come to an end with {stuck(self)}")
