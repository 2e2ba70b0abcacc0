"""Order to cash for a backend service: the trade's verbs in Python, on the same log and through the same rules as the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property, wraps
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeVar, cast
from uuid import uuid4

import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError

from o2c.customers.events import CustomerRegistered
from o2c.customers.rules import register
from o2c.customers.state import CustomerState
from o2c.customers.state import stream_of as customer_stream
from o2c.desk import capture as reception
from o2c.desk import fallout as desk
from o2c.desk import numbers as number_desk
from o2c.desk import payments as payment_desk
from o2c.desk.act import Rule, act
from o2c.desk.capture import TRIES_MAX, Captured, Paper
from o2c.desk.contacts import record_contact
from o2c.desk.orders import Cancelled, cancel_order
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.refusal import Refused
from o2c.kernel.stream import StreamKind, category_of
from o2c.orders.document import parse
from o2c.orders.rollup import ORDER_TRANSITIONS
from o2c.plan import KINDS, PlanBook
from o2c.running.session import opened
from o2c.store.horizon import UNSEEN, holder
from o2c.views import following
from o2c.views.customers import show_customer
from o2c.views.event_types import event_types, stream_categories
from o2c.views.fallouts import list_fallouts
from o2c.views.following import EventRecord, OtherLog, Wanted
from o2c.views.orders import find_order, list_orders, show_order
from o2c.views.reading import caught_up
from o2c.views.shown import CustomerShown, FalloutShown, OrderRow, OrderShown
from projections.engine.operations import catch_up
from projections.engine.seen import START, Mark, last_mark
from projections.engine.tables import session

__all__ = ["Captured", "Context", "EventRecord", "Mark", "OrderToCash", "OtherLog", "Refused", "Written"]

POLL_S = 0.005
P = ParamSpec("P")
T = TypeVar("T")


def _answered(verb: Callable[P, T]) -> Callable[P, T]:
    """A server that does not answer is one kind of refusal, whichever library noticed it."""

    @wraps(verb)
    def asked(*arguments: P.args, **options: P.kwargs) -> T:
        if getattr(arguments[0], "_closed", False):
            raise Refused("this OrderToCash was closed; open another one")
        try:
            return verb(*arguments, **options)
        except (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError) as error:
            raise Refused(
                f"{verb.__name__}: the database did not answer ({type(error).__name__}); what was asked may have been done:"
                " ask again with the same command id",
                kind="unavailable",
            ) from None

    return asked


class OrderToCash:
    """An open store. `dsn` names a PostgreSQL 15 or newer; without it O2C_DSN does, else the embedded server of O2C_HOME is used.

    Use it as a context manager, one for a process, or call `close()`. All verbs may be called from several threads at once; an iterator of
    `follow` belongs to one thread at a time. Not to be carried over a fork.

    What cannot be done raises `Refused`, whose `kind` says what to do: `usage` and `missing` (correct the call), `conflict` (somebody else
    was faster, or a command id was used for something else: read again, decide again), `unavailable` (try again, with the same command id).
    """

    def __init__(self, dsn: str | None = None) -> None:
        self._closed = False
        self._open = ExitStack()
        self._session = self._open.enter_context(opened(dsn))
        self._engine: Engine = self._session.app

    def close(self) -> None:
        """Leave the store. The embedded server stops when its last user has left."""
        self._closed = True
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @cached_property
    def _book(self) -> PlanBook:
        return self._session.book()

    # -- writing

    @_answered
    def capture(self, paper: Paper, context: Context) -> Captured:
        """Take down one TMF622 v4 product order, whatever it lacks, by the rules of an intake from a file.

        The same content again, under whatever command id, is the same order and is answered with where it stands. The paper's own channel
        stands in the log, the context's only where the paper names none. Raises Refused: usage for a paper that cannot be read (nothing is
        stored), conflict when the command id was used for something else, missing when the store has no catalogue yet.
        """
        return reception.capture(self._engine, paper, context)

    @_answered
    def register_customer(self, paper: Paper, context: Context) -> Written:
        """Register a TMF632 Individual or Organization, or bring its papers up to date; nothing happens when it stands so already.

        Raises Refused: usage for a paper that cannot be read or is not of the standard's shape.
        """
        document = reception.document(paper, "the party")

        def rule(state: CustomerState, _: Any) -> Decision:
            try:
                return just(*register(state, document=document))
            except (KeyError, TypeError, AttributeError, IndexError, ValueError):
                raise Refused("the party is not of the standard's shape; nothing was stored, correct it") from None

        return self.act(customer_stream(str(document.get("id", ""))), context, rule, wish=["register", document])

    @_answered
    def record_contact(
        self,
        customer: str,
        context: Context,
        *,
        medium: str,
        topic: str,
        direction: Literal["inbound", "outbound"] = "inbound",
        order: str = "",
        note: str = "",
    ) -> Written:
        """Note down a contact with a customer, about one of its orders if named.

        Raises Refused: missing (no such customer or order), usage (unknown medium or topic), conflict (the order is another customer's).
        """
        own, about = _occurring(context), {"medium": medium, "topic": topic, "direction": direction, "order": order, "note": note}
        return record_contact(self._engine, self._book, customer, own, **cast("Any", about))

    @_answered
    def resolve(
        self,
        fallout: str,
        context: Context,
        *,
        note: str,
        correct: Mapping[str, str] | None = None,
        decide: str | None = None,
        fail: bool = False,
        force: bool = False,
        retry: bool = False,
    ) -> Written:
        """Act on an open fallout in exactly one way: `correct` values and try again, `decide` ("approve" or "decline"), `fail` the item,
        `force` (done by other means), `retry` as it is. The fallout closes by the event that follows.

        Raises Refused: missing (no such fallout), conflict (closed already, or somebody was faster), usage (not one way, or none of this
        step's).
        """
        changes = None if correct is None else dict(correct)
        way = {"changes": changes, "decide": decide, "fail": fail, "force": force, "retry": retry}
        return desk.resolve(self._engine, self._book, fallout, context, note=note, **cast("Any", way))

    @_answered
    def cancel(self, order: str, context: Context, *, note: str, items: Sequence[str] = ()) -> Cancelled:
        """Cancel an order, or some of its items with what relies on them; `refused` says why not when it is too late. See `cancel_order`."""
        return cancel_order(self._engine, self._book, order, context, items=items, note=note)

    @_answered
    def deposit(self, order: str, context: Context, *, amount: str, reference: str, currency: str = "") -> Written:
        """Take down a deposit for an order whose credit gate waits for one, in the market's currency unless said. See `payment_desk.deposit`."""
        return payment_desk.deposit(self._engine, self._book, order, context, amount=amount, currency=currency, reference=reference)

    @_answered
    def record_payment(self, invoice: str, context: Context, *, amount: str, reference: str, arrived_on: date | None = None) -> Written:
        """Take down money that arrived by bank for an invoice; the same reference is the same payment. See `payment_desk.record`."""
        return payment_desk.record(self._engine, self._book, invoice, context, amount=amount, reference=reference, arrived_on=arrived_on)

    @_answered
    def retry_payment(self, invoice: str, context: Context, *, note: str) -> Written:
        """Try an invoice's payment again that fell out. See `payment_desk.retry`."""
        return payment_desk.retry(self._engine, self._book, invoice, context, note=note)

    @_answered
    def reserve_number(self, msisdn: str, order: str, context: Context, *, item: str = "", until: datetime | None = None) -> Written:
        """Keep a number for an item of an order; golden ones are given out in no other way. See `number_desk.reserve`."""
        return number_desk.reserve(self._engine, self._book, msisdn, order, context, item=item, until=until)

    @_answered
    def release_number(self, msisdn: str, context: Context) -> Written:
        """Let a kept number go. See `number_desk.release`."""
        return number_desk.release(self._engine, self._book, msisdn, context)

    @_answered
    def act(self, stream: str, context: Context, *rules: Rule, wish: Any, expected_version: int | None = None) -> Written:
        """Carry rules of your own through on one stream: each gets the state and the time and returns a `Decision`; what follows from it
        (the next steps, the order's end) is written with it, as one command.

        `wish` (plain JSON values) says what was asked and tells a repeat from another wish. Not to be called for what a verb of this class
        does already. Raises Refused: whatever the rules refuse; conflict as `append` does; usage for an event the stream cannot hold.
        """

        def fitting(rule: Rule) -> Rule:
            return lambda state, at: _fitting(stream, rule(state, at))

        _kind_of(stream)
        _version(stream, expected_version)
        checked = map(fitting, rules)
        return act(self._engine, self._book, stream, context, *checked, wish=wish, expected_version=expected_version)

    @_answered
    def append(self, stream: str, events: Sequence[Event], context: Context, *, expected_version: int | None = None) -> Written:
        """Append plain facts, of types in docs/events.md, to a stream that carries no steps (a customer's, the catalogue's).

        `expected_version` is the version you decided on, 0 for a stream that is not there yet; left out, the facts hold at any version.
        You vouch for them: no rule judges them. Orders, accounts, stock and whatever else carries steps move by rules alone (`act`): a bare
        event there would bypass guards and agenda. Raises Refused: usage for such a stream, for an event that it cannot hold, and for one that names
        another customer; missing for a customer who is not registered; conflict when the stream moved on meanwhile or the command id was used
        for something else.
        """
        if _kind_of(stream).carries_steps:
            raise Refused(f"{stream} carries steps and moves by rules, so that guards and agenda hold; use a verb of this class, or act()")
        if not events:
            raise Refused(f"{stream}: no events to append")
        facts = just(*events)
        _storable(facts)
        wish = ["append", *([event.type_name, event.model_dump(mode="json")] for event in events)]
        own = _occurring(context)
        for turn in range(1, TRIES_MAX + 1):
            try:
                return self.act(
                    stream,
                    own,
                    lambda state, at: _of_customer(stream, state, _fitting(stream, facts)),
                    wish=wish,
                    expected_version=expected_version,
                )
            except Refused as refused:
                if refused.kind != "conflict" or expected_version is not None or turn == TRIES_MAX:
                    raise
        raise AssertionError("the last turn returns or raises")

    # -- reading: each first catches up, so that what was written before is seen

    @_answered
    def order(self, name: str, *, at: datetime | None = None, known_at: int | None = None) -> OrderShown:
        """An order by its id or its external id: as it stands, as it stood at a time, as far as was known at a position.

        Raises Refused: missing (no such order, or not yet), usage (a time to come, a position that is not reached).
        """
        caught_up(self._engine)
        return cast("OrderShown", show_order(self._engine, name, at=at, known_at=known_at))

    @_answered
    def orders(self, *, state: str = "", customer: str = "", limit: int | None = None) -> list[OrderRow]:
        """Orders by capture time, of a state or a customer where these are given. Raises Refused (usage) for a state that is none."""
        if state and state not in ORDER_TRANSITIONS:
            raise Refused(f"there is no such state of an order; use one of {', '.join(ORDER_TRANSITIONS)}")
        caught_up(self._engine)
        return cast("list[OrderRow]", list_orders(self._engine, state=state, customer=customer, limit=limit))

    @_answered
    def fallouts(self, *, queue: str = "", reason: str = "", order: str = "") -> list[FalloutShown]:
        """Open fallouts, oldest first; `order` is an order's id or external id. Raises Refused (missing) when there is no such order."""
        caught_up(self._engine)
        order_id = find_order(self._engine, order)[1].order_id if order else ""
        return cast("list[FalloutShown]", list_fallouts(self._engine, queue=queue, reason=reason, order=order_id))

    @_answered
    def customer(self, customer: str) -> CustomerShown:
        """Everything about one customer but what is personal. Raises Refused (missing)."""
        caught_up(self._engine)
        return cast("CustomerShown", show_customer(self._engine, customer))

    @_answered
    def stream(self, name: str) -> list[EventRecord]:
        """The events of one stream, in version order; the last one's `version` is what `append` expects. Empty when there is none."""
        return list(following.found(self._engine.dsn, Wanted(stream=name)))

    @_answered
    def last(self) -> Mark:
        """The last event of the log that readers see now: from here on, `follow` yields what is new."""
        with session(self._engine.dsn) as conn:
            return last_mark(conn)

    @_answered
    def wait(self, position: int, timeout_s: float = 10.0) -> None:
        """Return once readers of the log and the projections have passed a position, such as that of a `Written`.

        Brings the projections there itself; the timeout is for the log. Raises Refused: unavailable when a transaction elsewhere still
        holds back all readers, and names it; conflict when the position lies ahead of this log (it was given by another store).
        """
        deadline = time.monotonic() + timeout_s
        while True:
            reached = self._engine.reads.reached(position)
            if reached.passed:
                break
            if not reached.given:
                raise Refused(f"position {position} lies ahead of this log; ask the store that gave it", kind="conflict")
            if time.monotonic() > deadline:
                raise Refused(f"position {position}: readers are held back by {self._holder()}; end it, or wait longer", kind="unavailable")
            time.sleep(POLL_S)
        catch_up(self._engine.dsn, upto=position)

    def _holder(self) -> str:
        with session(self._engine.dsn) as conn:
            return holder(conn) or UNSEEN

    def follow(
        self,
        after: Mark | None = None,
        *,
        types: Iterable[str] = (),
        order: str | None = None,
        stop: Callable[[], bool] = following.never,
        wait: bool = True,
    ) -> Iterator[EventRecord]:
        """The log from after a mark (None: from its beginning), in position order, each event once, until `stop()` says so.

        `types` are stored names (`order.completed`, or `order.*`), `order` an order's id or external id. Without `wait` it ends with what is
        there now. A server that goes away is waited for. Keep the `mark` of what you have dealt with, after you have dealt with it: whoever
        is killed in between gets that event again. The mark's event is read again first. Raises OtherLog when it is not in this log any
        more; Refused: usage (no such type), missing (no such order), unavailable (the server does not answer to begin with).
        """
        wanted = self._wanted(types, order)
        pages = following.pages(self._engine.dsn, wanted, after or START, stop=stop, wait=wait)
        return (record for page in pages for record in page)

    @_answered
    def _wanted(self, types: Iterable[str], order: str | None) -> Wanted:
        order_id = find_order(self._engine, order)[1].order_id if order else None
        return Wanted(types=following.types_named(types), order=order_id)


def _kind_of(stream: str) -> StreamKind:
    if category_of(stream) not in KINDS:
        raise Refused(f"{stream}: no kind of stream begins so; use one of {', '.join(sorted(KINDS))}")
    return KINDS[category_of(stream)]


def _fitting(stream: str, decision: Decision) -> Decision:
    """Events of types that every reader of the log knows, in streams where they belong."""
    for name, event in (*((stream, event) for event in decision.events), *decision.elsewhere):
        if type(event) not in event_types():
            raise Refused(f"{name}: {type(event).__name__} is no event type of this program; other readers would not know it")
        if category_of(name) not in stream_categories(type(event)):
            raise Refused(f"{name}: {event.type_name} does not belong in such a stream; see docs/events.md")
    return decision


def _version(stream: str, expected: Any) -> None:
    if expected is not None and (type(expected) is not int or expected < 0):
        raise Refused(f"{stream}: an expected version is a whole number from 0; take the last event's `version`")


def _of_customer(stream: str, state: Any, facts: Decision) -> Decision:
    """Facts about a customer stand in that customer's stream, after its papers; other streams are left as they are."""
    if not isinstance(state, CustomerState):
        return facts
    if any(customer_stream(event.customer) != stream for event in facts.events if hasattr(event, "customer")):
        raise Refused(f"{stream}: an event names another customer; append it to that customer's stream")
    if state.papers is None and not isinstance(facts.events[0], CustomerRegistered):
        raise Refused(f"{stream}: this customer is not registered; register it first", kind="missing")
    return facts


def _storable(decision: Decision) -> None:
    for event in decision.events:
        try:
            parse(event.model_dump_json().encode())
        except ValueError as error:
            raise Refused(f"{event.type_name} cannot be stored: {error}") from None


def _occurring(context: Context) -> Context:
    """For what happens as often as it is told: without an id of the caller's every call is one of its own."""
    return context if context.command_id else replace(context, command_id=str(uuid4()))
