"""What differs between two orders, or between two moments of one, field by field; and what each waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from statistics import median
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.order_page import show_order
from o2c.views.orders import find_order
from o2c.views.reading import plain
from o2c.views.shown import OrderDiffShown
from o2c.views.waiting import path_of, waiting_times
from projections import waits
from projections.critical_path import WAITERS, waited_s, whole_s

NAMED_BY = (("reason", "fallout"), ("item", "step"), ("invoice",), ("item", "promised_at"), ("item",))
"""The fields by which the rows of a list are told apart, so that a row that moved is still itself: the first of these that a row has."""
_OWN = frozenset(
    {"order", "owner", "external_id", "customer_id", "account", "captured_at", "after", "fallout", "reference", "invoices", "what"}
)
"""What two orders never share, or which follows from what else is told."""
WAITED = ("cycle_s", *(f"{who}_s" for who in WAITERS))


def flat(value: Any, path: str = "", named: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value that says something, with its path: `steps[1 sim].done_at`. Rows of lists go by what names them, else by their number."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key not in named:
                yield from flat(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, part in enumerate(value, 1):
            names = _names(part)
            told = " ".join(str(part[name])[:20] for name in names if part[name]) if names else str(number)
            yield from flat(part, f"{path}[{told}]", names)
    elif value not in (None, ""):
        yield path, value


def _names(row: Any) -> tuple[str, ...]:
    return next((names for names in NAMED_BY if isinstance(row, Mapping) and all(name in row for name in names)), ())


def diff_orders(app: Engine, name: str, other: str = "", *, since: datetime | None = None, until: datetime | None = None) -> OrderDiffShown:
    """What differs between two orders as they stand, or between two moments of one (`since` and `until`; None: when it was captured, and
    now).

    `added` is what only the second has, `removed` what only the first has, `changed` what both have and differs, each by its path. Of two
    orders, times are seconds from the capture of each, and days so many days from it; what they can never share (ids, accounts, invoices)
    is left out. `waiting` tells who each waited for, in seconds; `cohort_median` the same of the completed orders of the same offerings as
    the first (of all, where there are none: `of` says which), each by its median. Raises Refused: missing, usage (both another order and
    moments; neither).
    """
    if bool(other) == (since is not None or until is not None):
        raise Refused(f"order {name} is compared with another order, or with itself at two moments; give either, and not both")
    if other:
        one, two = (_comparable(plain(show_order(app, each))) for each in (name, other))
        waited = [_waited(app, each, None) for each in (name, other)]
    else:
        start = since or _captured_at(app, name)
        one, two = (show_order(app, name, at=at) for at in (start, until))
        waited = [_waited(app, name, at) for at in (start, until)]
    told = {**_between(one, two), "waiting": {"a": waited[0], "b": waited[1]}, "cohort_median": _cohort(app, name)}
    return cast("OrderDiffShown", told)


def _captured_at(app: Engine, name: str) -> datetime:
    return datetime.fromisoformat(show_order(app, name)["captured_at"])


def _between(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    a, b = dict(flat(one)), dict(flat(two))
    return {
        "added": [{"path": path, "value": value} for path, value in b.items() if path not in a],
        "removed": [{"path": path, "value": value} for path, value in a.items() if path not in b],
        "changed": [{"path": path, "a": value, "b": b[path]} for path, value in a.items() if path in b and b[path] != value],
    }


def _comparable(shown: Mapping[str, Any]) -> Any:
    """An order as it is held against another: without what is its own, and with times and days counted from its capture."""
    captured_at = datetime.fromisoformat(shown["captured_at"])
    return _counted({**shown, "promises": _numbered(shown["promises"])}, captured_at)


def _numbered(promised: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Promises by their place: when each was made is not what names it in another order."""
    return [{"of": row["item"], "promised_on": row["promised_on"], "cause": row["cause"]} for row in promised]


def _counted(value: Any, captured_at: datetime, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _counted(part, captured_at, name) for name, part in value.items() if name not in _OWN}
    if isinstance(value, list):
        return [_counted(part, captured_at) for part in value]
    if isinstance(value, str) and key.endswith("_at"):
        return round((datetime.fromisoformat(value) - captured_at).total_seconds(), 3)
    if isinstance(value, str) and key.endswith("_on") and value:
        return (date.fromisoformat(value) - captured_at.date()).days
    return value


def _waited(app: Engine, name: str, at: datetime | None) -> dict[str, Any] | None:
    """Who an order waited for, by a time; None where it was not captured yet."""
    rows = waiting_times(app, order=find_order(app, name)[1].order_id, at=at)
    row = cast("dict[str, Any]", rows[0]) if rows else {}
    return {key: row[key] for key in (*WAITED, "working_us_s", "waits_for", "waits_on")} if row else None


def _cohort(app: Engine, name: str) -> dict[str, Any]:
    order = find_order(app, name)[1].order_id
    rows = app.reads.rows(waits.COHORT, order=order)
    of = "orders of the same offerings" if rows else "all orders"
    rows = rows or app.reads.rows(waits.COMPLETED)
    sums = [_sums(row) for row in rows]
    return {"of": of, "orders": len(sums), **{key: median(each[key] for each in sums) if sums else None for key in WAITED}}


def _sums(row: Mapping[str, Any]) -> dict[str, int]:
    path = path_of(row, row["closed_at"])
    return {"cycle_s": whole_s(row["captured_at"], row["closed_at"]), **{f"{who}_s": seconds for who, seconds in waited_s(path).items()}}
