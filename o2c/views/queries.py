"""What a person or a program may ask: plain rows from the projections and the log, personal fields left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from o2c.billing.state import invoice_stream
from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.kernel.charges import account_stream
from o2c.kernel.identifiers import order_id
from o2c.kernel.periods import stamp
from o2c.kernel.refusal import Refused
from o2c.numbers.state import stream_of as number_stream
from o2c.orders.document import SOURCE
from o2c.orders.rollup import item_state
from o2c.orders.state import OrderState
from o2c.sim.state import stream_of as sim_stream
from projections.engine.operations import catch_up, refuse_unmade

Rows = list[dict[str, Any]]


def caught_up(app: Engine) -> None:
    """Reading commands first catch up: what was written before is seen. On a standby, what the primary has projected; Refused when it has not."""
    if app.takes_writes:
        catch_up(app.dsn)
    else:
        refuse_unmade(app.dsn)


def plain(value: Any) -> Any:
    """A value as JSON shows it: times as stamps, positions as strings (they pass 2^53 one day)."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def find_order(app: Engine, name: str) -> tuple[str, OrderState]:
    """An order by its id or its external id. Raises Refused (missing)."""
    streams = [f"order-{name}", f"order-{order_id(SOURCE, name)}"]
    for stream in streams:
        loaded = app.load([stream])[stream]
        if loaded.version:
            return stream, cast("OrderState", loaded.state)
    raise Refused(f"no order {name}; see `o2c orders list`", kind="missing")


def timeline(app: Engine, name: str) -> Iterator[dict[str, Any]]:
    """Every event of an order, those of its SIMs, numbers, account and invoices, and contacts about it, in log order."""
    stream, state = find_order(app, name)
    outcomes = [record.outcome for records in state.records.values() for record in records.values()]
    streams = {sim_stream(outcome["iccid"]) for outcome in outcomes if "iccid" in outcome}
    streams |= {number_stream(outcome[key]) for outcome in outcomes for key in ("msisdn", "replaced") if outcome.get(key)}
    accounts = {item.account for item in state.items.values()}
    streams |= {account_stream(account) for account in accounts}
    for account in accounts:
        streams.update(invoice_streams(app, account))
    sql = """SELECT position, stream, version, type, recorded_at, occurred_at, actor, channel, command_id::text, causation::text, body
        FROM o2c.event WHERE stream = %s OR order_id = %s OR (stream = ANY(%s) AND
            (order_id IS NULL OR order_id = %s OR split_part(stream, '-', 1) IN ('account', 'invoice')))
            OR (stream = %s AND type = 'customer.contacted' AND body ->> 'order' = %s) ORDER BY position"""
    contacts = (customer_stream(state.party), state.order_id)
    for row in app.reads.rows(sql, stream, state.order_id, sorted(streams), state.order_id, *contacts):
        body = row.pop("body")
        yield {**plain(row), "position": str(row["position"]), "data": body}


def invoice_streams(app: Engine, account: str) -> list[str]:
    """The streams of an account's invoices: its own id, a dash and the day, while another account's id may begin as this one does."""
    return [name for name in app.reads.streams_like(invoice_stream(f"{account}-")) if len(name) == len(invoice_stream(account)) + 9]


def orders(app: Engine, *, state: str = "", customer: str = "", limit: int | None = None) -> Rows:
    """Orders as they stand, by capture time."""
    sql = """SELECT order_id AS "order", external_id, customer_id AS customer, state, channel, captured_at, items, open_fallouts
        FROM projection.orders WHERE (%s = '' OR state = %s) AND (%s = '' OR customer_id = %s) ORDER BY captured_at, order_id LIMIT %s"""
    return [plain(row) for row in app.reads.rows(sql, state, state, customer, customer, limit)]


FALLOUT_FIELDS = {
    "fallout": "fallout", "order": "order_id",
    **{name: name for name in ("item", "step", "reason", "class", "origin", "waiting_for", "queue", "opened_at", "attempts")},
}  # fmt: skip
"""What is shown of a fallout, and the column it stands in."""
FALLOUT_COLUMNS = ", ".join(f'{column} AS "{shown}"' for shown, column in FALLOUT_FIELDS.items())


def fallouts(app: Engine, *, queue: str = "", reason: str = "", order: str = "", everything: bool = False) -> Rows:
    """Open fallouts (or all), oldest first."""
    sql = f"""SELECT {FALLOUT_COLUMNS}, state, closed_at FROM projection.fallout WHERE (%s OR state = 'open') AND (%s = '' OR queue = %s)
        AND (%s = '' OR reason = %s) AND (%s = '' OR order_id::text = %s) ORDER BY opened_at, fallout"""
    found = [plain(row) for row in app.reads.rows(sql, everything, queue, queue, reason, reason, order, order)]
    return found if everything else [{key: value for key, value in row.items() if key not in ("state", "closed_at")} for row in found]


def fallout(app: Engine, name: str) -> dict[str, Any]:
    """One fallout with everything known of it. Raises Refused (missing)."""
    found = app.reads.rows("SELECT * FROM projection.fallout WHERE fallout::text = %s", name)
    if not found:
        raise Refused(f"no fallout {name}; see `o2c fallout list`", kind="missing")
    row = found[0]
    row.pop("group_key", None)
    return cast("dict[str, Any]", plain({**row, "class": row["class"], "order": row.pop("order_id")}))


def plan_of(app: Engine, name: str) -> Rows:
    """The plan of an order: per item its steps, what they wait for, and how they stand."""
    _, state = find_order(app, name)
    rows = []
    for item, planned in state.items.items():
        progress = state.progress.items[item]
        for step, waits in planned.waits.items():
            record = state.record(item, step)
            rows.append(
                {"item": item, "offering": planned.offering, "item_state": item_state(progress), "step": step, "waits": ", ".join(waits),
                 "status": progress.steps[step], "attempt": record.attempt, "reason": record.reason}
            )  # fmt: skip
    return rows


def cycle_times(app: Engine) -> Rows:
    return [plain(row) for row in app.reads.rows("SELECT * FROM projection.cycle_time")]


def _counts(app: Engine, sql: str) -> dict[str, int]:
    return {row["key"]: row["n"] for row in app.reads.rows(sql)}


def status(app: Engine) -> dict[str, Any]:
    """The whole store in numbers; every one can be recomputed from the log."""
    [log] = app.reads.rows("SELECT count(*) AS events, coalesce(max(position), 0) AS position FROM o2c.event")
    [intake] = app.reads.rows(
        "SELECT coalesce(sum(lines), 0)::bigint AS lines, coalesce(sum(captured), 0)::bigint AS captured, coalesce(sum(duplicates), 0)::bigint"
        " AS duplicates, coalesce(sum(resubmitted), 0)::bigint AS resubmitted, coalesce(sum(refused), 0)::bigint AS refused FROM projection.intakes"
    )
    clock = app.clock()
    by_state = _counts(app, "SELECT state AS key, count(*) AS n FROM projection.fallout GROUP BY 1")
    [invoices] = app.reads.rows(
        "SELECT count(*) AS issued, count(*) FILTER (WHERE state = 'paid') AS paid, count(*) FILTER (WHERE state = 'overdue') AS overdue"
        " FROM projection.invoices"
    )
    money = app.reads.rows(
        "SELECT currency, sum(total_minor)::bigint AS invoiced_minor, sum(paid_minor)::bigint AS paid_minor FROM projection.invoices GROUP BY 1"
    )
    stock = {
        f"{kind}s": _counts(app, f"SELECT state AS key, count(*) AS n FROM projection.stock WHERE kind = '{kind}' GROUP BY 1 ORDER BY 1")
        for kind in ("sim", "number")
    }
    return {
        "events": log["events"],
        "position": str(log["position"]),
        "clock": {"kind": clock.kind, "now": stamp(clock.now)},
        "ingest": intake,
        "orders": _counts(app, "SELECT state AS key, count(*) AS n FROM projection.orders GROUP BY 1 ORDER BY 1"),
        "items": _counts(app, "SELECT state AS key, count(*) AS n FROM projection.items GROUP BY 1 ORDER BY 1"),
        "fallouts": {
            "open": by_state.get("open", 0),
            "closed": by_state.get("closed", 0),
            "by_reason": _counts(app, "SELECT reason AS key, count(*) AS n FROM projection.fallout GROUP BY 1 ORDER BY 1"),
            "open_by_reason": _counts(
                app, "SELECT reason AS key, count(*) AS n FROM projection.fallout WHERE state = 'open' GROUP BY 1 ORDER BY 1"
            ),
        },
        "invoices": invoices,
        "money": {row.pop("currency"): row for row in money},
        "stock": stock,
    }
