"""What invoices, credit notes, balances and books must say, to the penny, worked out again from events alone, in the order of the log.

They are told as `o2c events find` or `o2c orders timeline ID -o jsonl` prints them; tests/agreeing.py holds what comes of them against the engine, of which
nothing is imported here, and nothing taken that it concluded. Days are London's; shares are half-up.

A service is charged from the day it was activated, an eSIM downloaded, or its download said to be done. An account joins the first cycle day (1, 8, 15, 22)
after its first activation and is billed at 06:00 on that day of every month: one-time charges, part periods by the days of the period, the next period in
advance; VAT 20 % on the net; 14 days to pay, a direct debit on a bank's day at least ten of them later. A price that is not once a month is charged whole for
each of its own periods in the first run on or after it begins. A rise holds for services that began before it was announced: it parts a month by days, any
other period costs what holds as it begins. Usage of the month before costs its price, rounded once. Of what was billed of a service that ended, the days from
its end on are credited, but for what notes took off; of one that was complete, those until then that are on no bill are charged. Money above what is open of an
invoice is a credit, which the next bill takes; so is the deposit of an order that completed (in part), that of any other is owed; paid back is first what is
owed. What is billed for days is earned by days, what was served before the bill on its day.
Of what is open of an invoice as much is written off as is told; its tax is relieved by its share, and what comes all the same is open again.
What prepaid usage took off the balance is taken as it is told; it is earned then, and what is left of a top-up when it expires. Nothing of it is billed.
A discount holds for its time from the charge, from the first bill day after that, or from a day: an exclusive one alone, of best-of ones the largest, stackable
ones on what is left, by priority and name. It is a line below nothing over the days of the line that it lowers, each day its share of the price, half-up a line.
"""

from calendar import monthrange
from collections import Counter, defaultdict, namedtuple
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

LONDON, NEVER, Json = ZoneInfo("Europe/London"), datetime.max.replace(tzinfo=ZoneInfo("Europe/London")), Mapping[str, Any]
IN_2026 = ("01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28")
BANK_HOLIDAYS = {*(f"2026-{day}" for day in IN_2026), "2027-01-01", "2027-03-26", "2027-03-29"}
"""Those of England and Wales (gov.uk/bank-holidays) around the time of the papers."""
ENDS = ("completed", "partially-completed", "failed", "rejected", "cancelled")
BECOMES = {f"order.{end}": "customer-credit" if "completed" in end else "owed-to-customers" for end in ENDS}
"""What becomes of the deposit of an order by its end."""


def banking(day: date) -> bool:
    return day.weekday() < 5 and str(day) not in BANK_HOLIDAYS


def due_on(run: date, method: str) -> date:
    days = [run + timedelta(n) for n in range(1, 99) if method != "direct-debit" or banking(run + timedelta(n))]
    return next(day for day in days[9:] if day >= run + timedelta(14))


def months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def share(minor: int, above: int, below: int) -> int:
    return (2 * abs(minor) * above + below) // (2 * below) * (1 if minor >= 0 else -1)


def period_of(terms: Json) -> tuple[int, int]:
    """The period of a recurring price as (months, days)."""
    months, days = {"day": (0, 1), "week": (0, 7), "month": (1, 0), "year": (12, 0)}[terms.get("period_unit", "month")]
    return months * terms.get("period_length", 1), days * terms.get("period_length", 1)


class Line(namedtuple("Line", ("key", "kind", "start", "end", "net"))):
    """A line of an invoice: ORDER/ITEM, kind, days from and to (exclusive), net in minor units; below zero what is taken off one."""

    def by(self, day: date) -> int:
        """What is due of it for its days before one."""
        return share(self.net, min(max((day - self.start).days, 0), (self.end - self.start).days), (self.end - self.start).days)


def line_of(told: Json, net: int, kind: str = "") -> Line:
    return Line(f"{told['order']}/{told['item']}", kind, date.fromisoformat(told["from_day"]), date.fromisoformat(told["to_day"]), net)


def cut(x: Json, rest: Fraction) -> Fraction:
    return min(rest, rest * Fraction(x["percent"]) / 100 if x["percent"] else Fraction(x["amount_minor"]))


def cuts(mine: list[Json], rest: Fraction) -> Iterator[tuple[str, Fraction]]:
    """What discounts that hold take off a price, by name, in their order."""
    best = max((x for x in mine if x["combines"] == "best-of"), key=lambda x: cut(x, rest), default=None)
    for x in [x for x in mine if x["combines"] == "exclusive"][:1] or [x for x in mine if x["combines"] == "stackable" or x is best]:
        yield x["name"], cut(x, rest)
        rest -= cut(x, rest)


class Charge:
    """A service that is charged: its first day, when its account knew of it and when it ended, how far it was billed (a day, or turns of its own period)."""

    def __init__(self, key: str, told: Json, account: str) -> None:
        self.key, self.told, self.account, self.period = key, told, account, period_of(told.get("terms", {}))
        self.starts, self.known, self.ended, self.billed, self.turn, self.served = date.max, NEVER, NEVER, date.min, 0, False

    def begins(self, turn: int) -> date:
        return months_on(self.starts, self.period[0] * turn) + timedelta(self.period[1] * turn)

    def holds(self, discount: Json, day: date, run: date) -> bool:
        """Whether a discount holds on a day, of an account that is billed on the day of the month of a run."""
        starts, (months, days) = self.starts, period_of({"period_unit": discount["lasts_unit"], "period_length": discount["lasts_length"]})
        if discount["starts"] == "bill":
            starts = next(one for n in range(1, 32) if (one := self.starts + timedelta(n)).day == run.day)
        elif discount["starts"] == "day":
            starts = max(starts, date.fromisoformat(discount["from_day"]))
        return starts <= day and (not discount["lasts_length"] or day < months_on(starts, months) + timedelta(days))

    def less(self, line: Line, price: int, whole: int, run: date) -> Iterator[Line]:
        """A line, and what discounts take off it, over the days on which each holds: its share of the price of all the days (none: charged once) a day."""
        yield line
        mine = [x for x in self.told.get("terms", {}).get("discounts", ()) if (x["of"] == "one-time") == (not whole)]
        mine, rest = sorted(mine, key=lambda x: (x["priority"], x["name"])), line.net
        days = [line.start + timedelta(n) for n in range(max((line.end - line.start).days, 1))] if mine else []
        off = {day: dict(cuts([x for x in mine if not whole or self.holds(x, day, run)], Fraction(price))) for day in days}
        for name in (x["name"] for x in mine):
            on = [day for day in days if off[day].get(name)]
            exact = sum((off[day][name] for day in on), Fraction(0)) / (whole or 1)
            if minor := min(share(1, *exact.as_integer_ratio()), rest):
                yield Line(self.key, "discount", on[0], on[-1] + timedelta(bool(whole)), -minor)
                rest -= minor

    def lines(self, run: date, rises: Iterable[Json]) -> Iterator[Line]:
        """Its lines in a run; what came before the run is charged by the first run that sees it, of what ended since up to its end."""
        mine = [x for x in rises if (x["offering"], period_of(x)) == (self.told["offering"], self.period)]
        risen = sorted((date.fromisoformat(x["from_day"]), x["rise_minor"]) for x in mine if x["announced_on"] > str(self.starts))
        over = max(self.ended.date(), self.starts) if self.ended < datetime.combine(run, time(6), LONDON) else date.max
        since, self.billed = max(self.billed, self.starts), months_on(run, 1)
        once, monthly = self.told["one_time_minor"], self.told["recurring_minor"]
        if since == self.starts and once:
            yield from self.less(Line(self.key, "one-time", since, since, once), once, 0, run)
        cycle = monthly and self.period == (1, 0)
        days = [day for n in range(-1, 40) if (day := months_on(run, -n)) > since] if cycle else []
        for start, end in pairwise(sorted({since, *days})):
            whole, parts = months_on(end, -1), {start, end, over, *(day for day, _ in risen)}
            for one, other in pairwise(sorted(day for day in parts if start <= day <= min(end, over))):
                price = monthly + sum(rise for day, rise in risen if day <= one)
                kind, days_of_whole = "period" if (one, other) == (whole, end) else "part-period", (end - whole).days
                line = Line(self.key, kind, one, other, share(price, (other - one).days, days_of_whole))
                yield from self.less(line, price, days_of_whole, run)
        while monthly and not cycle and (start := self.begins(self.turn)) <= run and start < over:
            self.turn += 1
            price = monthly + sum(rise for day, rise in risen if day <= start)
            line = Line(self.key, "period", start, self.begins(self.turn), price)
            part = line if line.end <= over else Line(self.key, "part-period", start, over, line.by(over))
            yield from self.less(part, price, (line.end - start).days, run)


class Bill:
    """An invoice as it must be, what notes took off it, by the place of a line and whether it was not served, and its tax of that."""

    def __init__(self, lines: list[Line], net: int, tax: int) -> None:
        self.lines, self.net, self.tax, self.taken, self.taxed, self.void = lines, net, tax, Counter[tuple[int, bool]](), 0, False

    def unserved(self, charges: Mapping[str, Charge]) -> dict[int, int]:
        """What is still to be credited of services that have ended, by line: what stays of one is its share of the days before the end; a discount goes with
        the line that it lowered, and takes no more off than that gives back."""
        due, left = dict[int, int](), 0
        for place, line in enumerate(self.lines if not self.void else (), 1):
            ended, sign, credited = charges[line.key].ended.date() if line.key in charges else date.max, 1 if line.net >= 0 else -1, 0
            if line.start < line.end and ended < line.end and line.kind != "usage":
                rest = line.net - line.by(ended) - self.taken[place, True], line.net - self.taken[place, True] - self.taken[place, False]
                credited = sign * max(min(sign * rest[0], sign * rest[1]), 0)
            due[place] = credited if line.kind != "discount" else max(credited, -left)
            left = due[place] + (left if line.kind == "discount" else 0)
        return {place: net for place, net in due.items() if net}


class Account:
    """A billing account: its charges, the day of its next run, bills and what is open of them, deposits by order, and what was posted, by day and account of
    the chart; `stand` is the sum of that."""

    def __init__(self) -> None:
        self.charges, self.run, self.used, self.bills = dict[str, Charge](), date.max, defaultdict[str, list[Line]](list), dict[str, Bill]()
        self.open, self.deposits, self.stand, self.given_up, self.relieved = (Counter[str]() for _ in range(5))
        self.posted, self.served, self.top_ups = Counter[tuple[date, str]](), list[tuple[date, Line]](), Counter[datetime]()

    def runs(self, until: datetime, rises: list[Json]) -> Iterator[tuple[date, list[Line]]]:
        """The bill runs up to a time that were not looked at yet, each with the lines that it must make."""
        if self.run == date.max and self.charges:
            first = min(self.charges.values(), key=lambda charge: charge.known).starts
            self.run = next(day for n in range(1, 32) if (day := first + timedelta(n)).day in (1, 8, 15, 22))
        while (at := datetime.combine(self.run, time(6), LONDON)) <= until:
            run, self.run = self.run, months_on(self.run, 1)
            due = (each for each in self.charges.values() if each.starts < run and each.known < at and (at <= each.ended or each.served))
            yield run, sorted([*(line for each in due for line in each.lines(run, rises)), *self.used.pop(str(run), ())])

    def post(self, day: date, debit: str, credit: str, minor: int) -> None:
        """Move an amount from the credit of one account of the chart to the debit of another."""
        for chart, moved in ((debit, minor), (credit, -minor)):
            self.posted[day, chart] += moved
            self.stand[chart] += moved

    def bill(self, day: date, net: int, tax: int, lines: Iterable[Line]) -> None:
        """Post what is billed, or below zero what is taken off: what is served by days is deferred."""
        served = [line for line in lines if line.start < line.end]
        deferred = sum(line.net for line in served)
        for chart, minor in (("deferred-revenue", deferred), ("revenue", net - deferred), ("tax", tax)):
            self.post(day, "receivable", chart, minor)
        self.served += [(day, line) for line in served]

    def lower(self, day: date, number: str, minor: int) -> None:
        """Lower what is open of a bill, what was written off and comes all the same included; what is above that is a credit."""
        if (back := min(minor - max(self.open[number], 0), self.given_up[number])) > 0:
            tax = share(self.relieved[number], back, self.given_up[number])
            self.post(day, "receivable", "write-off", back - tax)
            self.post(day, "receivable", "tax-relief", tax)
            self.open[number], self.given_up[number] = self.open[number] + back, self.given_up[number] - back
            self.relieved[number] -= tax
        lowered = min(minor, max(self.open[number], 0))
        self.open[number] -= lowered
        self.post(day, "receivable", "customer-credit", minor - lowered)

    def take_off(self, day: date, number: str, lines: list[Json], *, unserved: bool) -> None:
        """Post a note or a void, by the net of its lines: the tax of all that was taken so far is its share of the bill's."""
        bill, net = self.bills[number], sum(line["net_minor"] for line in lines)
        bill.taken.update({(line["line"], unserved): line["net_minor"] for line in lines})
        tax = share(bill.tax, bill.taken.total(), bill.net) - bill.taxed
        bill.taxed += tax
        self.bill(day, -net, -tax, (line_of(line, -line["net_minor"]) for line in lines))
        self.lower(day, number, net + tax)


class Oracle:
    """All accounts, as events tell of them; `differing` are invoices as they must be and as they are, `wrong` the notes that are not as they must be."""

    def __init__(self) -> None:
        self.accounts, self.items, self.rises = defaultdict[str, Account](Account), dict[str, Charge](), list[Json]()
        self.payers, self.ends, self.wrong, self.until = dict[str, str](), dict[str, str](), list[str](), NEVER.replace(year=1)
        self.differing = dict[str, list[Any]]()

    def take(self, event: Json) -> None:
        """Go on by an event. Whatever an order says of its item or account is found under `ORDER/ITEM` and ORDER."""
        kind, _, key = event["stream"].partition("-")
        data, at = event["data"], datetime.fromisoformat(event["occurred_at"]).astimezone(LONDON)
        self.until = max(self.until, at) if event["actor"] == "engine" else self.until
        if of := getattr(self, f"of_{kind}", None):
            of(self.accounts[key] if kind in ("account", "quota") else key, event["type"], data, at)

    def of_order(self, order: str, name: str, data: Json, at: datetime) -> None:
        self.payers |= {order: data["account"]} if data.get("account") else {}
        charge, account = self.items.get(f"{order}/{data.get('item')}"), self.accounts.get(self.payers.get(order, ""))
        if name == "order.planned":
            for x in data["items"]:
                self.items[key] = Charge(key := f"{order}/{x['item']}", x, x.get("account") or data["account"])
        elif name == "charging.started" and charge:
            charge.known, self.accounts[charge.account].charges[charge.key] = at, charge
        elif charge and (name in ("service.activated", "esim.downloaded") or (name, data.get("step")) == ("step.forced", "esim-download")):
            charge.starts = at.date()
        elif name in ("item.failed", "item.cancelled") and charge:
            charge.ended = min(charge.ended, at)
        elif name == "deposit.received":
            account = self.accounts[self.payers[order]]
            account.deposits[order] += data["amount_minor"]
            account.post(at.date(), "cash", "deposit", data["amount_minor"])
        self.ends |= {order: BECOMES[name]} if name in BECOMES else {}
        if account and order in self.ends:
            account.post(at.date(), "deposit", self.ends[order], account.deposits.pop(order, 0))

    def of_account(self, account: Account, name: str, data: Json, at: datetime) -> None:
        if name == "account.usage-rated":
            days = {"from_day": str(months_on(date.fromisoformat(data["run_on"]), -1)), "to_day": data["run_on"]}
            exact = ((line, (100 * Fraction(line["amount"])).as_integer_ratio()) for line in data["lines"] if not line.get("prepaid"))
            lines = (line_of({**line, **days}, share(1, *ratio), "usage") for line, ratio in exact)
            account.used[data["run_on"]] = [line for line in lines if line.net]
        elif name == "account.charge-withdrawn" and (charge := self.items.get(f"{data['order']}/{data['item']}")):
            charge.ended, charge.served = min(charge.ended, at), data.get("served", False)
        elif name == "account.refund-reserved":
            account.post(at.date(), "customer-credit", "owed-to-customers", data["of_credit_minor"])
        elif name == "account.money-returned":
            owed = min(data["amount_minor"], -account.stand["owed-to-customers"])
            account.post(at.date(), "owed-to-customers", "cash", owed)
            account.post(at.date(), "customer-credit", "cash", data["amount_minor"] - owed)

    def of_quota(self, account: Account, name: str, data: Json, at: datetime) -> None:
        """Prepaid money is owed until it pays for usage or expires; of top-ups, that which expires first pays first."""
        if name == "prepaid.topped-up":
            account.top_ups[datetime.fromisoformat(data["expires_at"]) if data["expires_at"] else NEVER] += data["amount_minor"]
            account.post(at.date(), "cash", "prepaid", data["amount_minor"])
        elif name == "quota.committed":
            left = data["charged_minor"]
            for expires in sorted(x for x in account.top_ups if x > at):
                account.top_ups[expires] -= (part := min(account.top_ups[expires], left))
                left -= part  # what remains is more than there was
            account.post(at.date(), "prepaid", "tax", data["tax_minor"])
            account.post(at.date(), "prepaid", "revenue", data["charged_minor"] - data["tax_minor"] - left)
        elif name == "prepaid.expired":
            for expires in [x for x in account.top_ups if x <= at]:
                account.post(at.date(), "prepaid", "revenue", account.top_ups.pop(expires))

    def of_catalogue(self, _: str, name: str, data: Json, at: datetime) -> None:
        self.rises += [data] if name == "catalogue.price-rise-announced" else []

    def of_invoice(self, number: str, name: str, data: Json, at: datetime) -> None:
        if name == "invoice.issued":
            self.issued(number, data, at)
        account = self.accounts[self.payers.get(number, "")]
        if name in ("credit-note.issued", "invoice.voided") and number in account.bills:
            unserved = data["reason"] == "not-served" and name == "credit-note.issued"
            lines = {line["line"]: line["net_minor"] for line in data["lines"]}
            if unserved and lines.items() - (must := account.bills[number].unserved(account.charges)).items():
                self.wrong.append(f"note of {number}: must be {must}, is {lines}")
            account.take_off(at.date(), number, data["lines"], unserved=unserved)
            account.bills[number].void |= name == "invoice.voided"
        elif name == "invoice.written-off":
            account.post(at.date(), "write-off", "receivable", minor := min(data["amount_minor"], account.open[number]))
            account.given_up[number], account.open[number] = minor, account.open[number] - minor
        elif name == "invoice.tax-relieved":
            bill, up = account.bills[number], account.given_up[number]
            account.relieved[number] = share(bill.tax - bill.taxed, up, bill.net + bill.tax - bill.taken.total() - bill.taxed)
            account.post(at.date(), "tax-relief", "write-off", account.relieved[number])
        elif name in ("payment.received", "payment.part-received"):
            account.post(at.date(), "cash", "receivable", data["amount_minor"])
            account.lower(at.date(), number, data["amount_minor"])

    def issued(self, number: str, data: Json, at: datetime) -> None:
        """Hold an invoice against what it must be, and post it as it must be, with what credit there is taken off."""
        told = [line_of(line, line["net_minor"], line["kind"]) for line in data["lines"]]
        account = self.accounts[self.payers.setdefault(number, data["account"])]
        self.look(account, data["account"], at, data["method"])
        must = self.differing.setdefault(number, [None])
        must.append((*(data[x] for x in ("issued_on", "due_on", "net_minor", "total_minor")), sorted(told)))
        if must[0] is not None:
            *_, net, total, lines = must[0]
            account.bills[number] = Bill(told if sorted(told) == lines else lines, net, total - net)
            account.bill(at.date(), net, total - net, lines)
            used = min(-account.stand["customer-credit"], total)
            account.post(at.date(), "customer-credit", "receivable", used)
            account.open[number] = total - used
        if must[0] == must[-1]:
            del self.differing[number]

    def look(self, account: Account, name: str, at: datetime, method: str = "") -> None:
        """Work out the invoices of an account up to a time."""
        for run, lines in account.runs(at, self.rises):
            net = sum(line.net for line in lines)
            if lines:
                self.differing[f"{name}-{run:%Y%m%d}"] = [(str(run), str(due_on(run, method)), net, net + share(net, 20, 100), lines)]

    def differences(self) -> list[str]:
        """Where invoices and notes are not what they must be, by the engine's last act."""
        for name, account in self.accounts.items():
            self.look(account, name, self.until)
            due = {number: bill.unserved(account.charges) for number, bill in account.bills.items()}
            self.wrong += [f"note of {number}: must be {left}, is None" for number, left in due.items() if left]
        return self.wrong + [f"invoice {number}: must be {must}, is {(*told, None)[0]}" for number, (must, *told) in self.differing.items()]
