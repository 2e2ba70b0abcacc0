"""What invoices, credit notes, balances and books must say, to the penny, worked out again from events alone, in the order of the log.

They are told as `o2c events find` or `o2c orders timeline ID -o jsonl` prints them. Nothing of the engine is imported, and nothing that it concluded is taken.
tests/agreeing.py holds this against what the engine says.

A service is charged from the London date it was activated on, one with an eSIM from that of its download, or from that on which people said that this was
done by other means. An account joins the first cycle day (1, 8, 15, 22) strictly after its first activation and is billed at 06:00 on that day of every month:
one-time charges, part periods by the actual days of the period and the next full period in advance, half-up a line; VAT 20 % once on the net; 14 days to pay.
A price that is not once a month is charged whole for each of its own periods, counted from the first day, in the first run on or after the period begins.
A rise holds for services that began before it was announced: a month in which it begins is parted by days, any other period costs what holds as it begins.
Usage is charged for the month before the run, each price what its exact amount comes to. A direct debit is due on a banking day, ten of them after it was
issued at the earliest. Of what was billed in advance of a service that has ended since, the days from its end on are credited, but for what notes took off; of one
that was complete, the days until then that are on no bill are charged.
Money that comes for an invoice above what is open is a credit; a bill takes what credit there is; the deposit of an order that completed (in part) is a credit,
that of one which ended otherwise is owed; paid back is what is owed first. An invoice that is
written off is so with all that is open; its tax is relieved by its share, and what comes all the same is open again. A line over days of service is earned by days, the day itself included, half-up over
all that were served; what was served before the bill is earned on its day.
What prepaid usage took off the balance is taken as it is told; it is earned then, and what is left of a top-up when it expires. Nothing of it is billed.
A discount holds for its time from the charge, from the first bill day after that, or from a day: an exclusive one alone, of best-of ones the largest, stackable
ones on what is left, by priority and name. It is a line below nothing over the days of the line that it lowers, each day its share of the price, half-up a line.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from tests.oracle_days import DAY, LENGTHS, LONDON, NEVER, Json, due_on, months_on, period_of, share

BECOMES = dict.fromkeys(("order.completed", "order.partially-completed"), "customer-credit")
BECOMES |= dict.fromkeys(("order.failed", "order.rejected", "order.cancelled"), "owed-to-customers")
"""What becomes of the deposit of an order by its end."""


class Line(NamedTuple):
    """A line of an invoice: ORDER/ITEM, kind, days from and to (exclusive), net; what is taken off one is below zero."""

    key: str
    kind: str
    start: date
    end: date
    net: int

    def by(self, day: date) -> int:
        """What is due of it for its days before one."""
        return share(self.net, min(max((day - self.start).days, 0), (self.end - self.start).days), (self.end - self.start).days)


def line_of(told: Json, net: int, kind: str) -> Line:
    return Line(f"{told['order']}/{told['item']}", kind, date.fromisoformat(told["from_day"]), date.fromisoformat(told["to_day"]), net)


def cut_of(discount: Json, rest: Fraction) -> Fraction:
    return min(rest, rest * Fraction(discount["percent"]) / 100 if discount["percent"] else Fraction(discount["amount_minor"]))


def cuts(discounts: Iterable[Json], price: int) -> Iterator[tuple[str, Fraction]]:
    """What discounts that hold take off a price, by name, in their order."""
    mine, rest = sorted(discounts, key=lambda x: (x["priority"], x["name"])), Fraction(price)
    best = max((x for x in mine if x["combines"] == "best-of"), key=lambda x: cut_of(x, Fraction(price)), default=None)
    for x in [x for x in mine if x["combines"] == "exclusive"][:1] or [x for x in mine if x["combines"] == "stackable" or x is best]:
        yield x["name"], (cut := cut_of(x, rest))
        rest -= cut


@dataclass
class Charge:
    """A service that is charged: its first day, when the account knew of it and when it ended, how far it was billed (a day, or turns of its own period)."""

    key: str
    told: Json
    account: str
    starts: date = date.max
    known: datetime = NEVER
    ended: datetime = NEVER
    served: bool = False
    billed: date | None = None
    turn: int = 0

    def price(self, day: date, rises: Iterable[Json]) -> int:
        mine = [x for x in rises if x["offering"] == self.told["offering"] and period_of(x) == self.period]
        return self.told["recurring_minor"] + sum(
            x["rise_minor"] for x in mine if str(self.starts) < x["announced_on"] and x["from_day"] <= str(day)
        )

    @property
    def period(self) -> tuple[int, int]:
        return period_of(self.told.get("terms", {"period_unit": "month", "period_length": 1}))

    def begins(self, turn: int) -> date:
        return months_on(self.starts, self.period[0] * turn) + timedelta(self.period[1] * turn)

    def holds(self, discount: Json, day: date, run: date) -> bool:
        """Whether a discount holds on a day, of an account that is billed on the day of the month of a run."""
        starts, (months, days) = self.starts, (part * discount["lasts_length"] for part in LENGTHS[discount["lasts_unit"]])
        if discount["starts"] == "bill":
            starts = next(one for n in range(1, 32) if (one := self.starts + timedelta(n)).day == run.day)
        elif discount["starts"] == "day":
            starts = max(starts, date.fromisoformat(discount["from_day"]))
        return starts <= day and (not discount["lasts_length"] or day < months_on(starts, months) + timedelta(days))

    def lines(self, run: date, rises: list[Json]) -> Iterator[Line]:
        """Its lines in a run, each with what its discounts take off it."""
        for line, price, whole in self.whole_lines(run, rises):
            yield line
            discounts = [x for x in self.told.get("terms", {}).get("discounts", ()) if (x["of"] == "one-time") == (line.kind == "one-time")]
            off, rest = dict[str, list[tuple[date, Fraction]]](), line.net
            for n in range(max((line.end - line.start).days, 1) if discounts else 0):
                day = line.start + timedelta(n)
                for name, cut in cuts((x for x in discounts if whole == 0 or self.holds(x, day, run)), price):
                    off.setdefault(name, []).extend([(day, cut / (whole or 1))] if cut else [])
            for name in [x["name"] for x in sorted(discounts, key=lambda x: (x["priority"], x["name"]))]:
                exact = sum((cut for _, cut in off.get(name, ())), Fraction(0))
                if minor := min(share(1, exact.numerator, exact.denominator), rest):
                    ends = off[name][-1][0] + (DAY if whole else timedelta())
                    yield Line(self.key, "discount", off[name][0][0], ends, -minor)
                    rest -= minor

    def whole_lines(self, run: date, rises: list[Json]) -> Iterator[tuple[Line, int, int]]:
        """Its lines in a run without discounts, each with the price of the whole period and its days (none of what is charged once).

        What came before the run is charged by the first run that sees it, of what ended since up to its end."""
        first, monthly, ceased = self.billed or self.starts, self.period == (1, 0), max(self.ended.date(), self.starts)
        ceased = ceased if self.ended < datetime.combine(run, time(6), LONDON) else date.max
        if not self.billed and self.told["one_time_minor"]:
            yield Line(self.key, "one-time", first, first, self.told["one_time_minor"]), self.told["one_time_minor"], 0
        self.billed, days = months_on(run, 1), [run, months_on(run, 1)]
        while self.told["recurring_minor"] and not monthly and (start := self.begins(self.turn)) <= run and start < ceased:
            self.turn += 1
            whole = Line(self.key, "period", start, self.begins(self.turn), self.price(start, rises))
            line = whole if whole.end <= ceased else Line(self.key, "part-period", start, ceased, whole.by(ceased))
            yield line, whole.net, (whole.end - start).days
        while (day := months_on(days[0], -1)) > first:
            days.insert(0, day)
        for start, end in pairwise(sorted({first, *days})) if self.told["recurring_minor"] and monthly else ():
            whole, risen = months_on(end, -1), {date.fromisoformat(x["from_day"]) for x in rises}
            parts = {start, end, ceased, *(x for x in risen if self.rises(x, rises))}
            for one, other in pairwise(sorted(day for day in parts if start <= day <= min(end, ceased))):
                net = share(self.price(one, rises), (other - one).days, (end - whole).days)
                kind = "period" if (one, other) == (whole, end) else "part-period"
                yield Line(self.key, kind, one, other, net), self.price(one, rises), (end - whole).days

    def rises(self, day: date, rises: list[Json]) -> bool:
        return self.price(day, rises) != self.price(day - DAY, rises)


@dataclass
class Bill:
    """An invoice as it must be, what notes took off it, by the place of a line and whether it was not served, and its tax of that."""

    lines: list[Line]
    net: int
    tax: int
    taken: Counter[tuple[int, bool]] = field(default_factory=Counter)
    taxed: int = 0
    void: bool = False

    def unserved(self, charges: Mapping[str, Charge]) -> dict[int, int]:
        """What is still to be credited of services that have ended, by line: what stays of one is its share of the days before the end. A discount goes
        with the line that it lowered, and takes no more off than that gives back."""
        due, left = dict[int, int](), 0
        for place, line in enumerate(self.lines if not self.void else (), 1):
            credited = 0
            if (
                line.start < line.end
                and line.kind != "usage"
                and line.key in charges
                and (day := charges[line.key].ended.date()) < line.end
            ):
                sign = 1 if line.net >= 0 else -1
                rest = sign * (line.net - line.by(day) - self.taken[place, True])
                credited = sign * max(min(rest, sign * (line.net - self.taken[place, True] - self.taken[place, False])), 0)
            due[place] = credited if line.kind != "discount" else max(credited, -left)
            left = due[place] + (left if line.kind == "discount" else 0)
        return {place: net for place, net in due.items() if net}


@dataclass
class Account:
    """A billing account: its charges, bills and what is open of them, deposits by order, and what was posted, by day and account of the chart."""

    charges: dict[str, Charge] = field(default_factory=dict)
    run: date | None = None
    used: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    bills: dict[str, Bill] = field(default_factory=dict)
    open: Counter[str] = field(default_factory=Counter)
    given_up: Counter[str] = field(default_factory=Counter)
    relieved: Counter[str] = field(default_factory=Counter)
    deposits: Counter[str] = field(default_factory=Counter)
    posted: Counter[tuple[date, str]] = field(default_factory=Counter)
    stand: Counter[str] = field(default_factory=Counter)
    top_ups: list[list[Any]] = field(default_factory=list)
    served: list[tuple[date, Line]] = field(default_factory=list)

    def runs(self, until: datetime, rises: list[Json]) -> Iterator[tuple[date, list[Line]]]:
        """The bill runs up to a time that were not looked at yet, each with the lines that it must make."""
        if not self.run and self.charges:
            first = min(self.charges.values(), key=lambda charge: charge.known).starts
            self.run = next(day for n in range(1, 32) if (day := first + timedelta(n)).day in (1, 8, 15, 22))
        while self.run and (at := datetime.combine(self.run, time(6), LONDON)) <= until:
            run, self.run = self.run, months_on(self.run, 1)
            due = (each for each in self.charges.values() if each.starts < run and each.known < at and (at <= each.ended or each.served))
            yield run, sorted([*(line for each in due for line in each.lines(run, rises)), *self.used.pop(str(run), ())])

    def post(self, day: date, debit: str, credit: str, minor: int) -> None:
        """Move an amount from the credit of one account of the chart to the debit of another."""
        for chart, moved in ((debit, minor), (credit, -minor)):
            self.posted[day, chart] += moved
            self.stand[chart] += moved

    def pay(self, name: str, data: Json, at: datetime) -> None:
        """Prepaid money is owed until it pays for usage or expires; of top-ups, that which expires first pays first."""
        if name == "prepaid.topped-up":
            self.top_ups.append([datetime.fromisoformat(data["expires_at"]) if data["expires_at"] else NEVER, data["amount_minor"]])
            self.post(at.date(), "cash", "prepaid", data["amount_minor"])
        elif name == "quota.committed":
            charged, tax = data["charged_minor"], data["tax_minor"]
            for top_up in sorted((each for each in self.top_ups if each[0] > at), key=lambda each: each[0]):
                top_up[1] -= (part := min(top_up[1], charged))
                charged -= part
            self.post(at.date(), "prepaid", "nowhere", charged)  # more than there was
            self.post(at.date(), "prepaid", "tax", tax)
            self.post(at.date(), "prepaid", "revenue", data["charged_minor"] - tax - charged)
        elif name == "prepaid.expired":
            over = [each for each in self.top_ups if each[0] <= at]
            self.post(at.date(), "prepaid", "revenue", sum(left for _, left in over))
            self.top_ups = [each for each in self.top_ups if each[0] > at]

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
        bill = self.bills[number]
        for line in lines:
            bill.taken[line["line"], unserved] += line["net_minor"]
        net, tax = sum(line["net_minor"] for line in lines), share(bill.tax, bill.taken.total(), bill.net) - bill.taxed
        bill.taxed += tax
        self.bill(day, -net, -tax, (line_of(line, -line["net_minor"], "") for line in lines))
        self.lower(day, number, net + tax)

    def earned(self, day: date) -> int:
        """What is earned by days at the end of one."""
        return sum(line.by(day + DAY) for billed, line in self.served if billed <= day)


class Oracle:
    """All accounts, as events tell of them. `differing` are the invoices as they must be and as they are; `wrong` the notes that are not as they must be."""

    def __init__(self) -> None:
        self.accounts, self.items, self.rises = defaultdict[str, Account](Account), dict[str, Charge](), list[Json]()
        self.payers, self.ends, self.until = dict[str, str](), dict[str, str](), datetime.min.replace(tzinfo=LONDON)
        self.differing, self.wrong = dict[str, list[Any]](), list[str]()

    def take(self, event: Json) -> None:
        kind, _, key = event["stream"].partition("-")
        at, name, data = datetime.fromisoformat(event["occurred_at"]).astimezone(LONDON), event["type"], event["data"]
        self.until = max(self.until, at) if event["actor"] == "engine" else self.until
        if kind == "order":
            self.of_order(key, name, data, at)
        elif kind == "invoice":
            self.of_invoice(key, name, data, at)
        elif name == "catalogue.price-rise-announced":
            self.rises.append(data)
        elif name == "account.usage-rated":
            exact = ((line, Fraction(line["amount"]) * 100) for line in data["lines"] if not line.get("prepaid"))
            days = {"from_day": str(months_on(date.fromisoformat(data["run_on"]), -1)), "to_day": data["run_on"]}
            lines = (line_of({**line, **days}, share(1, x.numerator, x.denominator), "usage") for line, x in exact)
            self.accounts[key].used[data["run_on"]] = [line for line in lines if line.net]
        elif name == "account.charge-withdrawn" and (charge := self.items.get(f"{data['order']}/{data['item']}")):
            charge.ended, charge.served = min(charge.ended, at), data.get("served", False)
        elif kind == "quota":
            self.accounts[key].pay(name, data, at)
        elif name == "account.refund-reserved":
            self.accounts[key].post(at.date(), "customer-credit", "owed-to-customers", data["of_credit_minor"])
        elif name == "account.money-returned":
            owed = min(data["amount_minor"], -self.accounts[key].stand["owed-to-customers"])
            self.accounts[key].post(at.date(), "owed-to-customers", "cash", owed)
            self.accounts[key].post(at.date(), "customer-credit", "cash", data["amount_minor"] - owed)

    def of_order(self, order: str, name: str, data: Json, at: datetime) -> None:
        self.payers |= {order: data["account"]} if data.get("account") else {}
        charge = self.items.get(f"{order}/{data.get('item')}")
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
            self.accounts[self.payers[order]].deposits[order] += data["amount_minor"]
            self.accounts[self.payers[order]].post(at.date(), "cash", "deposit", data["amount_minor"])
        self.ends |= {order: BECOMES[name]} if name in BECOMES else {}
        if order in self.ends and (account := self.accounts.get(self.payers.get(order, ""))):
            account.post(at.date(), "deposit", self.ends[order], account.deposits.pop(order, 0))

    def of_invoice(self, number: str, name: str, data: Json, at: datetime) -> None:
        if name == "invoice.issued":
            self.payers[number] = data["account"]
            self.issued(self.accounts[data["account"]], number, data, at)
        account = self.accounts[self.payers.get(number, "")]
        if name in ("credit-note.issued", "invoice.voided") and number in account.bills:
            unserved = data.get("reason") == "not-served" and name == "credit-note.issued"
            lines = {line["line"]: line["net_minor"] for line in data["lines"]}
            if unserved and lines.items() - (must := account.bills[number].unserved(account.charges)).items():
                self.wrong.append(f"note of {number}: must be {must}, is {lines}")
            account.take_off(at.date(), number, data["lines"], unserved=unserved)
            account.bills[number].void |= name == "invoice.voided"
        elif name == "invoice.written-off":
            account.post(at.date(), "write-off", "receivable", account.open[number])
            account.given_up[number] += account.open.pop(number, 0)
        elif name == "invoice.tax-relieved":
            bill, up = account.bills[number], account.given_up[number]
            account.relieved[number] = share(bill.tax - bill.taxed, up, bill.net + bill.tax - bill.taken.total() - bill.taxed)
            account.post(at.date(), "tax-relief", "write-off", account.relieved[number])
        elif name in ("payment.received", "payment.part-received"):
            account.post(at.date(), "cash", "receivable", data["amount_minor"])
            account.lower(at.date(), number, data["amount_minor"])

    def issued(self, account: Account, number: str, data: Json, at: datetime) -> None:
        """Hold an invoice against what it must be, and post it as it must be, with what credit there is taken off."""
        told = [line_of(line, line["net_minor"], line["kind"]) for line in data["lines"]]
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
            left = {number: bill.unserved(account.charges) for number, bill in account.bills.items()}
            self.wrong += [f"note of {number}: must be {due}, is None" for number, due in left.items() if due]
        return self.wrong + [f"invoice {number}: must be {must}, is {(*told, None)[0]}" for number, (must, *told) in self.differing.items()]


def heard(events: Iterable[Json]) -> Oracle:
    """What events come to that are told in any order, and more than once."""
    oracle = Oracle()
    for event in sorted({event["position"]: event for event in events}.values(), key=lambda event: int(event["position"])):
        oracle.take(event)
    return oracle
