"""Groups of fallouts, held against the fallouts themselves after random histories."""

import itertools
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
from hypothesis import strategies as st

from o2c.engine.app import Engine
from o2c.views.fallout_groups import list_groups
from projections.engine.operations import catch_up
from tests.histories import DAY_ONE, Told, append, captured, of_order, order_events, planned, query

ALIKE = ("step", "reason", "partner_code", "offering", "plan_version")
RECORDS = "SELECT f.*, r.waiting FROM projection.fallout f LEFT JOIN projection.fallout_records r USING (fallout)"
_salts = itertools.count()


@st.composite
def fell_out(draw: st.DrawFn, salt: str) -> Told:
    """A step of an order that fell out, for one of a few reasons."""
    number, item, step = draw(st.integers(0, 4)), draw(st.sampled_from(("1", "2", "3"))), draw(st.sampled_from(("sim", "number")))
    told = {"item": item, "fallout": f"{number} {item} {step} {salt}", "reason": draw(st.sampled_from(("INV-SIM", "SYS-BUG")))}
    return of_order(
        number, f"{step}.fell-out", draw(st.integers(500, 9_000)), salt, partner_code=draw(st.sampled_from(("", "E-1"))), **told
    )


@st.composite
def orders_in_trouble(draw: st.DrawFn) -> list[Told]:
    """Orders, most of them planned, some by another plan and in another currency; their fallouts, and what may close some of them."""
    salt = f"-{next(_salts)}"
    begun = [told for number in range(4) for told in (captured(number, 0, salt), planned(number, 1, salt))]
    begun[-1].body["plan_version"], begun[-1].body["currency"] = draw(st.sampled_from(("2025-01", "2026-11"))), "EUR"
    fallouts = draw(st.lists(fell_out(salt), min_size=6, max_size=20))
    return [*begun, *fallouts, *draw(st.lists(order_events(salt), max_size=20))]


@st.composite
def waits(draw: st.DrawFn, history: list[Told]) -> list[Told]:
    """Times in which our clock stood still, for some of the fallouts of a history."""
    told = []
    for fallout in sorted({str(event.body["fallout"]) for event in history if event.type.endswith("fell-out")}):
        for minutes in sorted(draw(st.lists(st.integers(500, 9_400), min_size=1, max_size=3))):
            name = draw(st.sampled_from(("fallout.paused", "fallout.resumed", "fallout.noted")))
            body = {"fallout": fallout, "fell_out_in": "order-1", **({"waits_for": "partner"} if name == "fallout.paused" else {})}
            told.append(Told(f"fallout-{fallout}", name, {**body, "until": None} if name == "fallout.paused" else body, minutes=minutes))
    return told


def hours(row: dict[str, Any], now: datetime) -> float:
    """The hours that our clock ran, in the plainest way: the seconds of the fallout that are in no wait."""
    end = row["closed_at"] or now
    total = max(end - row["opened_at"], timedelta())
    for wait in row["waiting"] or ():
        begun = max(datetime.fromisoformat(wait["from"]), row["opened_at"])
        ended = min(datetime.fromisoformat(wait["to"]), end) if wait["to"] else end
        total -= max(ended - begun, timedelta())
    return max(total, timedelta()) / timedelta(hours=1)


@hypothesis.given(data=st.data())
@hypothesis.settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
    phases=[hypothesis.Phase.generate],
)
def test_groups_partition_the_fallouts(log: str, data: st.DataObject) -> None:
    """Each fallout is counted in one group, with its like and with no other; sums, days and hours are those of its fallouts."""
    history = data.draw(orders_in_trouble())
    append(log, [*history, *data.draw(waits(history))])
    catch_up(log)
    with Engine(log) as app:
        if app.reads.clock() is None:
            app.create_clock(kind="simulated", start=DAY_ONE + timedelta(minutes=9_500))
        now = app.clock().now
        groups = list_groups(app)
        open_ones = list_groups(app, open_only=True)
    rows = query(log, RECORDS)
    by_kind: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_kind[tuple(row[name] for name in ALIKE)].append(row)

    assert sum(group["count"] for group in groups) == len(rows)
    assert len({group["group"] for group in groups}) == len(groups) == len(by_kind)
    assert [group for group in groups if group["open"]] == open_ones
    assert [group["open"] for group in groups] == sorted((group["open"] for group in groups), reverse=True)
    for group in groups:
        alike = by_kind[tuple(group[name] for name in ALIKE)]
        still = [row for row in alike if row["state"] == "open"]
        assert {row["group_id"] for row in alike} == {group["group"]}
        assert (group["count"], group["open"]) == (len(alike), len(still))
        currencies = {row["currency"] for row in still if row["currency"]}
        held = sum(row["revenue_minor"] or 0 for row in still)
        assert (group["revenue_minor"], group["currency"]) == ((held, "".join(currencies)) if len(currencies) < 2 else (None, None))
        assert group["sample"] in {row["fallout"] for row in still or alike}
        assert abs(group["hours_lost"] - sum(hours(row, now) for row in alike)) < 0.01
        assert len(group["trend_7d"]) == 7
        today = [(now.date() - row["opened_at"].astimezone(UTC).date()).days for row in alike]
        assert group["trend_7d"] == [today.count(ago) for ago in range(6, -1, -1)]
