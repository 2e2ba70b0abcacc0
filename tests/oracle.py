"""What invoices must say, worked out again from timelines alone (`o2c orders timeline ID -o jsonl | python tests/oracle.py -`).

A service is charged from the London date it was activated on, one with an eSIM from that of its download, or from that on which people said that
this was done by other means. An account joins the first cycle day (1, 8, 15, 22) strictly after its first activation and is billed at 06:00 on
that day of every month: one-time charges, part periods by the actual days of the period and the next full period in advance, half-up a line; VAT
20 % once on the net; 14 days to pay. Of what was billed in advance of a service that has ended since, the days from its end on are
credited. A price that is not once a month is charged whole for each of its own periods, counted from the first day,
in the first run on or after the period begins. Usage is charged for the month before the run, each price what its exact amount comes to. A direct debit is due on a banking day, ten of them after it was issued at the earliest. Nothing
of the engine is imported.
"""

import json
import sys
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


BANK_HOLIDAYS = {
    date.fromisoformat(day)
    for day in (
        *("2025-12-25", "2025-12-26", "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25"),
        *("2026-12-28", "2027-01-01", "2027-03-26", "2027-03-29"),
    )
}
"""Those of England and Wales (gov.uk/bank-holidays) around the time of the papers."""


def banking(day: date) -> bool:
    return day.weekday() < 5 and day not in BANK_HOLIDAYS


def due_on(run: date, method: str) -> date:
    if method != "direct-debit":
        return run + timedelta(14)
    banks = (day for n in range(1, 99) if banking(day := run + timedelta(n)))
    return next(day for count, day in enumerate(banks, 1) if count >= 10 and day >= run + timedelta(14))


def months_on(day: date, months: int) -> date:
    first = date(day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1, 1)
    return min(first + timedelta(day.day - 1), first.replace(day=monthrange(first.year, first.month)[1]))


def half_up(above: int, below: int) -> int:
    return (2 * above + below) // (2 * below)


def length_of(charge: dict[str, Any]) -> tuple[int, int]:
    """The period of a recurring price as (months, days)."""
    terms = charge.get("terms", {"period_unit": "month", "period_length": 1})
    months, days = {"day": (0, 1), "week": (0, 7), "month": (1, 0), "year": (12, 0)}[terms["period_unit"]]
    return months * terms["period_length"], days * terms["period_length"]


def own_lines(charge: dict[str, Any], run: date) -> Iterator[tuple[Any, ...]]:
    (months, days), starts = length_of(charge), charge["starts"]
    while (start := months_on(starts, months * charge.get("turn", 0)) + timedelta(days * charge.get("turn", 0))) <= run:
        charge["turn"] = turn = charge.get("turn", 0) + 1
        end = months_on(starts, months * turn) + timedelta(days * turn)
        yield charge["key"], "period", str(start), str(end), charge["recurring_minor"]


def lines_of(charge: dict[str, Any], run: date) -> Iterator[tuple[Any, ...]]:
    """(item, kind, from, to, net) of one charge in a run; what came before the run is charged by the first run that sees it."""
    key, starts, days = charge["key"], charge["starts"], [run, months_on(run, 1)]
    if charge.setdefault("first_run", run) == run:
        if charge["one_time_minor"]:
            yield key, "one-time", str(starts), str(starts), charge["one_time_minor"]
        while (day := months_on(days[0], -1)) > starts:
            days.insert(0, day)
        days.insert(0, starts)
    if charge["recurring_minor"] and length_of(charge) != (1, 0):
        yield from own_lines(charge, run)
        return
    for start, end in pairwise(days if charge["recurring_minor"] else []):
        whole = months_on(end, -1)
        net = half_up(charge["recurring_minor"] * (end - start).days, (end - whole).days)
        yield key, "period" if start == whole else "part-period", str(start), str(end), net


def usage_lines(told: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The lines that a run's usage makes: the exact amount of each price, rounded once, for the month that ends with the run."""
    run = date.fromisoformat(told["run_on"])
    for line in told["lines"]:
        amount = Fraction(line["amount"]) * 100
        if net := half_up(amount.numerator, amount.denominator):
            yield f"{line['order']}/{line['item']}", "usage", str(months_on(run, -1)), str(run), net


def invoices_of(
    account: str, charges: list[dict[str, Any]], until: datetime, method: dict[str, str], used: dict[Any, list[tuple[Any, ...]]]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    first = min(charges, key=lambda charge: charge["known"])["starts"]
    run = next(day for n in range(1, 32) if (day := first + timedelta(n)).day in (1, 8, 15, 22))
    while (at := datetime.combine(run, time(6), LONDON)) <= until:
        due = [c for c in charges if c["starts"] < run and c["known"] < at and c["ended"] >= at]
        if lines := sorted([*(line for charge in due for line in lines_of(charge, run)), *used.get((account, str(run)), [])]):
            net = sum(line[4] for line in lines)
            number = f"{account}-{run:%Y%m%d}"
            yield number, (str(run), str(due_on(run, method.get(number, ""))), net, net + half_up(net * 20, 100), lines)
        run = months_on(run, 1)


def credits_of(charges: list[dict[str, Any]], issued: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """(invoice, net) of what was billed in advance of services that ended since: what stays of a line is its share of the days before the end."""
    for number, (*_, lines) in issued.items():
        for key, kind, start, end, net in lines:
            ended = next((charge["ended"] for charge in charges if charge["key"] == key), None)
            if (
                kind not in ("period", "part-period")
                or ended is None
                or ended.year == 9999
                or (day := max(ended.date(), date.fromisoformat(start))) >= date.fromisoformat(end)
            ):
                continue
            days = (date.fromisoformat(end) - date.fromisoformat(start)).days
            yield number, net - half_up(net * (day - date.fromisoformat(start)).days, days)


def bills(timelines: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """The invoices as they must be, as they were issued, and where the notes for what was not served are not what they must be; the engine's last
    act is the time up to which none may be missing."""
    items, charges, issued, until = dict[str, Any](), dict[str, Any](), dict[str, Any](), datetime(1, 1, 2, tzinfo=LONDON)
    methods, notes, used = dict[str, str](), dict[str, int](), dict[Any, list[tuple[Any, ...]]]()
    for event in sorted({event["position"]: event for event in timelines}.values(), key=lambda event: int(event["position"])):
        data, at = event["data"], datetime.fromisoformat(event["occurred_at"]).astimezone(LONDON)
        order, until = event["stream"].removeprefix("order-"), max(until, at) if event["actor"] == "engine" else until
        item = items.get(f"{order}/{data.get('item')}", {})
        if event["type"] == "order.planned":
            items |= {
                (key := f"{order}/{x['item']}"): {**x, "key": key, "account": x.get("account") or data["account"]} for x in data["items"]
            }
        elif event["type"] == "charging.started":
            item["known"] = at
            charges.setdefault(item["account"], []).append(item)
        elif event["type"] == "service.activated":
            item |= {"starts": at.date(), "ended": datetime.max.replace(tzinfo=LONDON)}
        elif event["type"] == "esim.downloaded" or (event["type"], data.get("step")) == ("step.forced", "esim-download"):
            item["starts"] = at.date()
        elif event["type"] in ("item.failed", "item.cancelled"):
            item["ended"] = at
        elif event["type"] == "account.usage-rated":
            used[data["account"], data["run_on"]] = list(usage_lines(data))
        elif event["type"] == "credit-note.issued" and data["reason"] == "not-served":
            notes[data["invoice"]] = notes.get(data["invoice"], 0) + data["net_minor"]
        elif event["type"] == "invoice.issued":
            lines = sorted((f"{x['order']}/{x['item']}", x["kind"], x["from_day"], x["to_day"], x["net_minor"]) for x in data["lines"])
            methods[data["number"]] = data["method"]
            issued[data["number"]] = (*(data[name] for name in ("issued_on", "due_on", "net_minor", "total_minor")), lines)
    must = {number: bill for account, known in charges.items() for number, bill in invoices_of(account, known, until, methods, used)}
    due = dict[str, int]()
    for number, net in credits_of([charge for known in charges.values() for charge in known], issued):
        due[number] = due.get(number, 0) + net
    numbers = sorted(number for number in due.keys() | notes.keys() if due.get(number) != notes.get(number))
    return must, issued, [f"notes of {number}: must be {due.get(number)}, are {notes.get(number)}" for number in numbers]


def disagreements(timelines: Iterable[dict[str, Any]]) -> list[str]:
    """Where the invoices issued, and the notes for what was not served, differ from what they must be."""
    must, issued, wrong = bills(timelines)
    numbers = sorted(number for number in must.keys() | issued.keys() if must.get(number) != issued.get(number))
    return wrong + [f"invoice {number}: must be {must.get(number)}, is {issued.get(number)}" for number in numbers]


if __name__ == "__main__":
    text = sys.stdin.read() if sys.argv[1] == "-" else Path(sys.argv[1]).read_text(encoding="utf-8")
    sys.exit("\n".join(disagreements(map(json.loads, filter(None, text.split("\n"))))) or None)
