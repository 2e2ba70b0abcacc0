"""One order: its plan, and how it stands, stood at a time or stood as far as was known at a position."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.event import Fact
from o2c.kernel.refusal import Refused
from o2c.orders.changing import payer_in
from o2c.orders.promise import Place, forecasts
from o2c.orders.rollup import item_state
from o2c.orders.state import OrderState
from o2c.store.commands import text_array
from o2c.views.fallouts import next_of
from o2c.views.invoices import billing, invoice_streams
from o2c.views.orders import find_order
from o2c.views.progress import deposits_of, promises_of, rejected_because, resubmissions_of, steps_of
from o2c.views.reading import Rows, plain
from o2c.views.shown import OrderShown, PlannedStepShown
from projections import fallout
from projections.catalogue import BY_NAME
from projections.engine.operations import Projection, as_of, horizon_mark
from projections.order_pages import ROWS_OF_ORDER

STREAMS_OF_ORDER = "SELECT DISTINCT stream FROM o2c.event WHERE order_id = %s::uuid"
"""All streams with an event that names an order. Parameter: the order's id."""


def order_plan(app: Engine, name: str) -> list[PlannedStepShown]:
    """The plan of an order: per item its steps, what they wait for, how they stand, and when each was asked for and done."""
    stream, state = find_order(app, name)
    facts = _facts(app, stream)
    dated = {(row["item"], row["step"]): row for row in steps_of(state, facts, _forecasts(app, state, facts), app.book.codes.newest)}
    rows: list[PlannedStepShown] = []
    for item, planned in state.items.items():
        progress = state.progress.items[item]
        for step, waits in planned.waits.items():
            record, dates = state.record(item, step), dated[item, step]
            rows.append(
                {"item": item, "offering": planned.offering, "item_state": item_state(progress), "step": step, "waits": ", ".join(waits),
                 "status": progress.steps[step], "attempt": record.attempt, "reason": record.reason,
                 "asked_at": dates["asked_at"], "done_at": dates["done_at"], "expected_at": dates["expected_at"],
                 "reference": dates["reference"], "what": dates["what"]}
            )  # fmt: skip
    return rows


def _forecasts(app: Engine, state: OrderState, facts: Sequence[Fact]) -> dict[Place, datetime]:
    """As seen from the last thing that happened, which is when promises are judged."""
    return forecasts(state, facts[-1].occurred_at, app.book) if facts else {}


_OF_ORDER = ("external_id", "customer_id", "state", "channel", "captured_at", "priority", "closed_at")

_OF_ITEM = ("item", "offering", "state", "promised_on")

_OF_INVOICE = ("invoice", "legal_number", "state", "currency", "total_minor", "paid_minor", "due_on")


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is shown of an order, before it is picked and put in order."""

    order: Mapping[str, Any]
    account: str
    items: Rows
    open_fallouts: Rows
    invoices: Rows


def show_order(app: Engine, name: str, *, at: datetime | None = None, known_at: int | None = None) -> OrderShown:
    """One order on a page: state and why it was rejected, items, steps with their dates, promises, open fallouts, what came of changed
    papers under its external id, deposits, and the invoices that bill it.

    `at` shows what had happened by that business time, `known_at` what the log told up to that position; both together what was known then
    of that time. Raises Refused: missing (no such order, or not yet), usage (a time to come, a position that is not reached).
    """
    stream, state = find_order(app, name)
    if at is None and known_at is None:
        rows, facts = _now(app, state), _facts(app, stream)
    else:
        position = _reached(app, at, known_at)
        facts = _facts(app, stream, at, position)
        state = _state_of(app, stream, facts)
        rows = _then(app, stream, state, at, known_at, position)
    places = {item: place for place, item in enumerate(state.items)}
    own, codes = {item.item: item.account for item in state.items.values()}, app.book.codes.newest
    billed = billing(app, [row["invoice"] for row in rows.invoices], state.order_id)
    shown = {
        "order": state.order_id,
        "owner": state.owner,
        **_picked(rows.order, _OF_ORDER),
        "version": facts[-1].version,
        "after": state.after,
        "purchase_order": state.purchase_order,
        "suspended_until": state.suspended_until if state.suspended else None,
        "suspended_for": state.suspended_for if state.suspended else "",
        "rejected_because": rejected_because(facts, codes),
        "account": rows.account,
        "items": [
            {**_picked(row, _OF_ITEM), "account": own.get(row["item"], "")}
            for row in sorted(rows.items, key=lambda row: (places.get(row["item"], len(places)), str(row["item"])))
        ],
        "open_fallouts": [{**_without(row, "detail"), "next": next_of(codes, row)} for row in rows.open_fallouts],
        "resubmissions": resubmissions_of(state),
        "deposits": deposits_of(facts),
        "invoices": [
            _picked(row, _OF_INVOICE) for row in sorted(rows.invoices, key=lambda row: str(row["invoice"])) if row["invoice"] in billed
        ],
        "steps": steps_of(state, facts, _forecasts(app, state, facts), codes),
        "promises": promises_of(facts),
    }
    return cast("OrderShown", plain(shown))


def _without(row: Mapping[str, Any], column: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != column}


def _picked(row: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    return {column: row[column] for column in columns}


def _now(app: Engine, state: OrderState) -> _Rows:
    rows = app.reads.rows(ROWS_OF_ORDER, order=state.order_id, accounts=text_array(sorted(_accounts(state))))
    if not rows:
        raise Refused(f"order {state.external_id} is not shown yet: the projections are behind the log; ask again", kind="unavailable")
    [row] = rows
    queue = [{**one, "opened_at": plain(datetime.fromisoformat(one["opened_at"]))} for one in row["fallouts"] or ()]
    return _Rows(row, state.account, row["all_items"] or [], queue, row["invoices"] or [])


def _then(app: Engine, stream: str, state: OrderState, at: datetime | None, known_at: int | None, position: int) -> _Rows:
    """The same, by the projections' own folds over the events of this order and what is billed with it; `state` is the order's own then."""

    def folded(name: str, streams: list[str], wanted: Callable[[dict[str, Any]], bool] = lambda row: True) -> Rows:
        rows = as_of(app.dsn, BY_NAME[name], position, at, streams)
        return [_timed(BY_NAME[name], row) for row in rows if wanted(row)]

    rows = folded("orders", [stream])
    if not rows:
        raise Refused(f"order {state.order_id} was not captured yet {_when(at, known_at)}; see `o2c orders timeline`", kind="missing")
    account = state.account
    streams = [row["stream"] for row in app.reads.rows(STREAMS_OF_ORDER, state.order_id)]
    queue = folded("fallout", streams, lambda row: row["order_id"] == state.order_id and row["state"] == "open")
    shown = [{shown: plain(row[column]) for shown, column in (*fallout.SHOWN.items(), ("detail", "detail"))} for row in queue]
    return _Rows(
        rows[0],
        account,
        folded("items", [stream]),
        sorted(shown, key=lambda row: (row["opened_at"], row["fallout"])),
        folded("invoices", [name for each in _accounts(state) for name in invoice_streams(app, each)]),
    )


def _accounts(state: OrderState) -> set[str]:
    """The accounts to which an order or one of its items is billed: those that pay."""
    return {payer_in(state, account) for account in (state.account, *(item.account for item in state.items.values())) if account}


def _reached(app: Engine, at: datetime | None, known_at: int | None) -> int:
    """The last position to read. Raises Refused for what is not known yet."""
    last = horizon_mark(app.dsn).position
    if known_at is not None and known_at > last:
        raise Refused(f"position {known_at} is not reached: the log ends at {last}; give one up to there")
    if at is not None and at > (now := app.clock().now):
        raise Refused(f"{plain(at)} is still to come: the clock stands at {plain(now)}; give a time up to then")
    return last if known_at is None else known_at


def _when(at: datetime | None, known_at: int | None) -> str:
    told = [f"at {plain(at)}"] if at is not None else []
    return " ".join([*told, f"as far as position {known_at}"] if known_at is not None else told)


def _facts(app: Engine, stream: str, at: datetime | None = None, position: int | None = None) -> list[Fact]:
    """The events of an order: all, or those up to a position that had happened by a time."""
    facts = cast("list[Fact]", list(app.events.get(stream)))
    return [f for f in facts if (position is None or (f.position or 0) <= position) and (at is None or f.occurred_at <= at)]


def _state_of(app: Engine, stream: str, facts: list[Fact]) -> OrderState:
    """The order's own state from some of its events: corrections are personal, and no projection sees them."""
    kind = app.kind(stream)
    state = kind.initial(stream)
    for fact in facts:
        state = kind.evolve(state, fact.event)
    return cast("OrderState", state)


def _timed(projection: Projection, row: Mapping[str, Any]) -> dict[str, Any]:
    """A folded row with its stamps as times, as the table gives them."""
    times = {name for name, kind in projection.columns.items() if kind == "timestamptz"}
    return {name: datetime.fromisoformat(value) if name in times and value else value for name, value in row.items()}
