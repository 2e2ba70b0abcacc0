"""Order to cash for a backend service: the trade's verbs in Python, on the same log and through the same rules as the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from types import TracebackType
from typing import Any, Literal, Self, cast

from o2c.checks.conformance import Kept
from o2c.desk import bulk as many
from o2c.desk import customers, fallout, numbers, orders, payments, streams
from o2c.desk import proving as fixes
from o2c.desk.act import Context, Refused, Rule, Written
from o2c.desk.bulk import THRESHOLD_PERCENT, BulkDone, Query
from o2c.desk.capture import HOME, Captured, Paper, capture
from o2c.desk.fallout import Correct, Decide, Fail, FailOrder, Force, Handling, Park, Replace, Resolution, Retry, Skip, Way
from o2c.desk.orders import Cancelled
from o2c.desk.proving import Applied
from o2c.desk.streams import Event
from o2c.entrypoints.answered import answered, occurring
from o2c.entrypoints.python_access import Access
from o2c.entrypoints.python_catalogue import Catalogue
from o2c.entrypoints.python_complaints import Complaints
from o2c.entrypoints.python_conformance import Conformance
from o2c.entrypoints.python_devices import Devices
from o2c.entrypoints.python_hooks import Hooks
from o2c.entrypoints.python_in_flight import InFlight
from o2c.entrypoints.python_instalments import Instalments
from o2c.entrypoints.python_journeys import Journeys
from o2c.entrypoints.python_messages import Messages
from o2c.entrypoints.python_money import Money
from o2c.entrypoints.python_partners import Partners
from o2c.entrypoints.python_products import Products
from o2c.entrypoints.python_quota import Quota
from o2c.entrypoints.python_usage import Usage
from o2c.entrypoints.python_waiting import Waiting
from o2c.running.session import opened
from o2c.views import following, shown
from o2c.views.counterfactual import Counterfactual, counterfactual
from o2c.views.customers import show_customer
from o2c.views.fallout_groups import list_groups
from o2c.views.fallouts import list_fallouts
from o2c.views.following import START, EventRecord, Mark, OtherLog, Wanted
from o2c.views.jobs import show_job
from o2c.views.metrics import explain_metric, list_metrics
from o2c.views.order_page import show_order
from o2c.views.orders import find_order, list_orders
from o2c.views.ports import late_ports
from o2c.views.proving import Proof, prove
from o2c.views.reading import all_seen

__all__ = [
    "Captured", "Context", "Correct", "Decide", "EventRecord", "Fail", "FailOrder", "Force", "Kept", "Mark", "OrderToCash", "OtherLog",
    "Park", "Query", "Refused", "Replace", "Retry", "Skip", "Written",
]  # fmt: skip


class OrderToCash(
    Access,
    Catalogue,
    Complaints,
    Conformance,
    Devices,
    Hooks,
    InFlight,
    Instalments,
    Journeys,
    Messages,
    Money,
    Partners,
    Products,
    Quota,
    Usage,
    Waiting,
):
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
        self._engine = self._session.app

    def close(self) -> None:
        """Leave the store. The embedded server stops when its last user has left."""
        self._closed = True
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # -- writing

    @answered
    def capture(self, paper: Paper, context: Context, *, market: str = HOME, journey: str = "") -> Captured:
        """Take down one TMF622 v4 product order under the rules of a market. See `desk.capture.capture`."""
        return capture(self._engine, context, paper, market=market, journey=journey)

    @answered
    def register_customer(self, paper: Paper, context: Context) -> Written:
        """Register a TMF632 Individual or Organization, or bring its papers up to date; nothing happens when it stands so already.

        Raises Refused: usage for a paper that cannot be read or is not of the standard's shape.
        """
        return customers.register_customer(self._engine, context, paper)

    @answered
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
        about = {"medium": medium, "topic": topic, "direction": direction, "order": order, "note": note}
        return customers.record_contact(self._engine, occurring(context), customer, **cast("Any", about))

    @answered
    def resolve(self, fallout_id: str, context: Context, resolution: Resolution, *, note: str) -> Written:
        """Act on an open fallout: `Correct` values and try again, `Decide` what was referred, `Retry` as it is, `Park` it until its partner
        is up, `Force` (done by other means, once another agrees), `Skip`, `Replace` its SIM, `Fail` the item, `FailOrder`. It closes by the
        event that follows. See `desk.fallout.resolve`.
        """
        return fallout.resolve(self._engine, context, fallout_id, resolution, note=note)

    @answered
    def apply_fix(self, fix: str, context: Context, *, group: str = "", reason: str = "", note: str) -> Applied:
        """Prove a fix (the text of its file) and do exactly what it resolves. See `desk.proving.apply_fix`."""
        return fixes.apply_fix(self._engine, context, fix, group=group, reason=reason, note=note)

    @answered
    def work(self, fallout_id: str, context: Context, handling: Handling, *, note: str = "") -> Written:
        """Handle a fallout without resolving it: claim, assign, release, snooze, wait, ask, resume, escalate, note, link a ticket, say
        whose fault.

        `handling` is one of the values of `o2c.desk.fallout`, such as `Claim(minutes=30)`. See `desk.fallout.work`.
        """
        return fallout.work(self._engine, context, fallout_id, handling, note=note)

    @answered
    def bulk(
        self, query: Query, context: Context, way: Way, *, note: str,
        threshold_percent: int = THRESHOLD_PERCENT, dry_run: bool = False, mark: str = "",
    ) -> BulkDone:  # fmt: skip
        """Do the same about every open fallout that a query finds, as one job; the command id makes it go on. See `desk.bulk.bulk`."""
        settings: dict[str, Any] = {"threshold_percent": threshold_percent, "dry_run": dry_run, "mark": mark}
        return many.bulk(self._engine, context, query, way, note=note, **settings)

    def cancel(self, order: str, context: Context, *, note: str, items: Sequence[str] = (), reason: str = "") -> Cancelled:
        """Cancel an order, or some of its items with what relies on them; `refused` says why not when it is too late. See
        `cancel_order`."""
        return orders.cancel_order(self._engine, context, order, items=items, note=note, reason=reason)

    @answered
    def cancel_port(self, order: str, context: Context, *, note: str, items: Sequence[str] = ()) -> Cancelled:
        """Cancel the port of the number that an item brings, and nothing else; `refused` says why not when it is too late. See
        `desk.orders.cancel_port`."""
        return orders.cancel_port(self._engine, context, order, items=items, note=note)

    @answered
    def deposit(
        self,
        order: str,
        context: Context,
        *,
        amount: str,
        reference: str,
        currency: str = "",
        arrived_on: date | None = None,
        sure: bool = False,
    ) -> Written:
        """Take down a deposit for an order whose credit gate waits for one, in its market's currency unless said.

        Far more than is missing is refused unless you are `sure`. See `desk.payments.deposit`.
        """
        kwargs: Any = {"amount": amount, "reference": reference, "currency": currency, "arrived_on": arrived_on, "sure": sure}
        return payments.deposit(self._engine, context, order, **kwargs)

    @answered
    def record_payment(
        self, invoice: str, context: Context, *, amount: str, reference: str, arrived_on: date | None = None, sure: bool = False
    ) -> Written:
        """Take down money that arrived by bank for an invoice; reference, day and amount make it the same payment. See
        `desk.payments.record`."""
        return payments.record(self._engine, context, invoice, amount=amount, reference=reference, arrived_on=arrived_on, sure=sure)

    @answered
    def refund(self, account: str, context: Context, *, amount: str, reference: str, returned_on: date | None = None) -> Written:
        """Take down that money was paid back to the customer of an account. It moves no money itself. See `desk.payments.refund`."""
        return payments.refund(self._engine, context, account, amount=amount, reference=reference, returned_on=returned_on)

    @answered
    def retry_payment(self, invoice: str, context: Context, *, note: str) -> Written:
        """Try an invoice's payment again that fell out. See `desk.payments.retry`."""
        return payments.retry(self._engine, context, invoice, note=note)

    @answered
    def reserve_number(self, msisdn: str, order: str, context: Context, *, item: str = "", until: datetime | None = None) -> Written:
        """Keep a number for an item of an order; golden ones are given out in no other way. See `desk.numbers.reserve`."""
        return numbers.reserve(self._engine, context, msisdn, order, item=item, until=until)

    @answered
    def release_number(self, msisdn: str, context: Context) -> Written:
        """Let a kept number go. See `desk.numbers.release`."""
        return numbers.release(self._engine, context, msisdn)

    @answered
    def act(self, stream: str, context: Context, *rules: Rule, wish: Any, expected_version: int | None = None) -> Written:
        """Carry rules of your own through on one stream. Not for what a verb of this class does already. See
        `desk.streams.act_by_rules`."""
        return streams.act_by_rules(self._engine, context, stream, rules, wish=wish, expected_version=expected_version)

    @answered
    def append(self, stream: str, events: Sequence[Event], context: Context, *, expected_version: int | None = None) -> Written:
        """Append plain facts to a stream that carries no steps. See `desk.streams.append_facts`."""
        return streams.append_facts(self._engine, context, stream, events, expected_version=expected_version)

    # -- reading: each first catches up, so that what was written before is seen

    @answered
    def order(self, name: str, *, at: datetime | None = None, known_at: int | None = None) -> shown.OrderShown:
        """An order by its id or its external id: as it stands, as it stood at a time, as far as was known at a position.

        Raises Refused: missing (no such order, or not yet), usage (a time to come, a position that is not reached).
        """
        all_seen(self._engine)
        return show_order(self._engine, name, at=at, known_at=known_at)

    @answered
    def orders(self, *, state: str = "", customer: str = "", limit: int | None = None) -> list[shown.OrderRow]:
        """Orders by capture time, of a state or a customer where these are given. Raises Refused (usage) for a state that is none."""
        all_seen(self._engine)
        return list_orders(self._engine, state=state, customer=customer, limit=limit)

    @answered
    def late_ports(self, *, market: str = "", unfinished: bool = False, limit: int | None = None) -> list[shown.LatePortShown]:
        """Ports that missed the day agreed for them, with their days late and the cause; numbers are given in full. See
        `views.ports.late_ports`."""
        all_seen(self._engine)
        return late_ports(self._engine, market=market, unfinished=unfinished, identifiers=True, limit=limit)

    @answered
    def counterfactual(self, policy: str, *, since: datetime) -> Counterfactual:
        """What the orders captured from a time on would have come to under other codes, mappings and retries (the text of a file of codes);
        nothing is written. See `views.counterfactual.counterfactual`."""
        all_seen(self._engine)
        return counterfactual(self._engine, policy, since=since)

    @answered
    def prove_fix(self, fix: str, *, group: str = "", reason: str = "") -> Proof:
        """What a fix (the text of its file) would make of open fallouts, of a group or with a reason code; nothing is written. See
        `views.proving.prove`."""
        all_seen(self._engine)
        return prove(self._engine, fix, group=group, reason=reason)

    @answered
    def fallouts(
        self,
        *,
        queue: str = "",
        reason: str = "",
        order: str = "",
        customer: str = "",
        group: str = "",
        owner: str = "",
        state: str = "",
        age_days: int = 0,
        due_by: datetime | None = None,
        rank_max: int | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> list[shown.FalloutListed]:
        """Open fallouts by rank; `order` is an order's id or external id, `after` the `place` of the row behind which a page begins.

        Raises Refused: missing when there is no such order, usage (see `views.fallouts.list_fallouts`).
        """
        all_seen(self._engine)
        order_id = find_order(self._engine, order)[1].order_id if order else ""
        by: dict[str, Any] = {"queue": queue, "reason": reason, "order": order_id, "customer": customer, "group": group, "owner": owner}
        by |= {"state": state, "age_days": age_days}
        return list_fallouts(self._engine, **by, due_by=due_by, rank_max=rank_max, after=after, limit=limit)

    @answered
    def fallout_groups(
        self, *, queue: str = "", reason: str = "", open_only: bool = False, limit: int | None = None
    ) -> list[shown.FalloutGroupShown]:
        """Groups of like fallouts, those with most open ones first. See `views.fallout_groups.list_groups`."""
        all_seen(self._engine)
        return list_groups(self._engine, queue=queue, reason=reason, open_only=open_only, limit=limit)

    @answered
    def job(self, job: str) -> list[shown.JobItemShown]:
        """What became of each fallout of a job. Raises Refused (missing). See `views.jobs.show_job`."""
        all_seen(self._engine)
        return show_job(self._engine, job)

    @answered
    def figure(self, name: str, *, by: str = "", since: datetime | None = None, until: datetime | None = None) -> shown.FigureShown:
        """One figure with its value and the ids of the events that it is counted from. See `views.metrics.explain_metric`."""
        all_seen(self._engine)
        return explain_metric(self._engine, name, by=by, since=since, until=until)

    @answered
    def metrics(self) -> list[shown.MetricShown]:
        """The figures that `figure` can give, each with its definition."""
        return list_metrics()

    @answered
    def customer(self, customer: str) -> shown.CustomerShown:
        """Everything about one customer but what is personal. Raises Refused (missing)."""
        all_seen(self._engine)
        return show_customer(self._engine, customer)

    @answered
    def stream(self, name: str) -> list[EventRecord]:
        """The events of one stream, in version order; the last one's `version` is what `append` expects. Empty when there is none."""
        return following.show_stream(self._engine, name)

    @answered
    def last(self) -> Mark:
        """The last event of the log that readers see now: from here on, `follow` yields what is new."""
        return following.last_event(self._engine)

    @answered
    def wait(self, position: int, timeout_s: float = 10.0) -> None:
        """Return once readers of the log and the projections have passed a position, such as that of a `Written`.

        Brings the projections there itself; the timeout is for the log. Raises Refused: unavailable when a transaction elsewhere still
        holds back all readers, and names it; conflict when the position lies ahead of this log (it was given by another store).
        """
        following.wait_for(self._engine, position, timeout_s=timeout_s)

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

        `types` are stored names (`order.completed`, or `order.*`), `order` an order's id or external id. Without `wait` it ends with what
        is there now. A server that goes away is waited for. Keep the `mark` of what you have dealt with, after you have dealt with it:
        whoever is killed in between gets that event again. The mark's event is read again first. Raises OtherLog when it is not in this log
        any more; Refused: usage (no such type), missing (no such order), unavailable (the server does not answer to begin with).
        """
        wanted = self._wanted(types, order)
        pages = following.tail_events(self._engine, wanted, after or START, stop=stop, wait=wait)
        return (record for page in pages for record in page)

    @answered
    def _wanted(self, types: Iterable[str], order: str | None) -> Wanted:
        return following.wanted(self._engine, types=types, order=order or "")
