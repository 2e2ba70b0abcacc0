"""What invoices, credit notes, balances and books must say, to the penny, worked out again from events alone, in the order of the log.

They are told as `o2c events find` or `o2c orders timeline ID -o jsonl` prints them; tests/agreeing.py holds what comes of them against the engine, of which
nothing is imported here, and nothing taken that it concluded, but where "told" says so. Days are London's; shares are half-up. A service is charged from the
day it was activated, an eSIM downloaded, or its download said to be done. An account joins the first cycle day (1, 8, 15, 22) after that and is billed at
06:00 on that day of every month: one-time charges, part periods by the days of the period, the next period in advance; VAT 20 % on the net; 14 days to pay, a
direct debit on a bank's day at least ten of them later. A price that is not once a month is charged whole for each of its own periods in the first run on or
after it begins. A rise holds for services that began before it was announced: it parts a month by days, any other period costs what holds as it begins. Usage
of the month before costs its price, rounded once. Of what was billed of a service that ended, the days from its end on are credited, but for what notes took
off; of one that was complete, those until then that are on no bill are charged. While a line is barred by a
policy that says so no bill has its days, and what was billed of them before is credited, from the bar on, and billed anew from when it serves. Money above what is open of an invoice is a credit, which the next bill
takes; so is the deposit of an order that completed (in part), that of any other is owed; paid back is first what is owed, and what is to go back is owed,
until that is given up and what is told of it is a credit again. What is billed for days is earned by days, what was served before the bill on its day. Goods
are billed apart, on the day of their delivery, with all tax; of what is paid in instalments nothing is open of that bill: each later one has a part, without
tax, the first ones a penny more, and what settles them is billed at once; a note on one gives it up. What is written off of an invoice is told; its tax is
relieved by its share, and what comes all the same is open again. What is charged back or moved is open again, but for what is told to come off the credit
that it made. What prepaid usage took off the balance is told; it is earned then, and what is left of a top-up when it expires. A discount (a voucher is one)
holds for its time from the charge, from the first bill day after that, or from a day: an exclusive one alone, of best-of ones the largest, stackable ones on
what is left, by priority and name: a line below nothing over the days of the line that it lowers, each day its share of the price.
"""

from calendar import monthrange
from collections import Counter, defaultdict, namedtuple
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import chain, pairwise
from typing import Any
from zoneinfo import ZoneInfo

LONDON, NEVER, Json = ZoneInfo("Europe/London"), datetime.max.replace(tzinfo=ZoneInfo("Europe/London")), Mapping[str, Any]
IN_2026 = ("01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28")  # England and Wales: gov.uk/bank-holidays
BANK_HOLIDAYS = {*(f"2026-{day}" for day in IN_2026), "2027-01-01", "2027-03-26", "2027-03-29"}
ENDS = ("completed", "partially-completed", "failed", "rejected", "cancelled")
BEGINS = {False: ("service.activated", "esim.downloaded"), True: ("delivery.delivered",)}  # what begins a service, and goods


def due_on(run: date, method: str) -> date:
    days = [run + timedelta(n) for n in range(1, 99)]
    days = [day for day in days if method != "direct-debit" or (day.weekday() < 5 and str(day) not in BANK_HOLIDAYS)]
    return next(day for day in days[9:] if day >= run + timedelta(14))


def turned(day: date, length: int, unit: str = "month", turn: int = 1) -> date:
    """The day that is some turns of a length on."""
    months, days = {"day": (0, 1), "week": (0, 7), "month": (1, 0), "year": (12, 0)}[unit]
    year, month = divmod(day.year * 12 + day.month - 1 + months * length * turn, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])) + timedelta(days * length * turn)


def share(minor: int, above: int, below: int) -> int:
    return (2 * abs(minor) * above + below) // (2 * below) * (1 if minor >= 0 else -1)


def shared(minor: int, weights: Sequence[int]) -> list[int]:
    """Parts that sum to the whole: those with the largest remainders, of equal ones the first, are a penny more."""
    parts, whole = [minor * weight // (sum(weights) or 1) for weight in weights], sum(weights) or 1
    more = sorted(range(len(parts)), key=lambda n: (-(minor * weights[n] % whole), n))[: minor - sum(parts)]
    return [part + (n in more) for n, part in enumerate(parts)]


class Line(namedtuple("Line", ("key", "kind", "start", "end", "net"))):
    """A line of an invoice: ORDER/ITEM, kind, days from and to (exclusive), net in minor units; below zero what is taken off one."""

    def by(self, day: date) -> int:
        """What is due of it for its days before one."""
        return share(self.net, min(max((day - self.start).days, 0), (self.end - self.start).days), (self.end - self.start).days)


def total(lines: Iterable[Line], *kinds: str) -> int:
    return sum(line.net for line in lines if not kinds or line.kind in kinds)


def cut(x: Json, rest: Fraction) -> Fraction:
    return min(rest, rest * Fraction(x["percent"]) / 100 if x["percent"] else Fraction(x["amount_minor"]))


def cuts(mine: list[Json], rest: Fraction) -> Iterator[tuple[str, Fraction]]:
    """What discounts that hold take off a price, by name, in their order."""
    best = max((x for x in mine if x["combines"] == "best-of"), key=lambda x: cut(x, rest), default=None)
    for x in [x for x in mine if x["combines"] == "exclusive"][:1] or [x for x in mine if x["combines"] == "stackable" or x is best]:
        yield x["name"], cut(x, rest)
        rest -= cut(x, rest)


class Charge:
    """What is charged: its first day, when its account knew of it and when it ended, how far it was billed (a day, or turns of its own period); of goods also
    in how many parts they are paid, and of an agreement the parts that are on no bill."""

    def __init__(self, key: str, told: Json, account: str) -> None:
        self.key, self.account, self.once, self.every = key, account, told["one_time_minor"], told["recurring_minor"]
        waits = {step["step"]: step["waits"] for step in told.get("steps", ())}.get("charging", ())
        self.goods, terms = "delivery" in waits and "activation" not in waits, told.get("terms", {})
        self.period, self.discounts = (terms.get("period_length", 1), terms.get("period_unit", "month")), terms.get("discounts", ())
        self.starts, self.known, self.ended, self.billed, self.turn, self.served = date.max, NEVER, NEVER, date.min, 0, False
        self.rests, self.policy = [], "charged"
        self.settled, self.offering, self.left = NEVER, told["offering"], [0] * int(told.get("characteristics", {}).get("instalments", 1))

    def holds(self, x: Json, day: date, run: date) -> bool:
        """Whether a discount holds on a day, of an account that is billed on the day of the month of a run."""
        start = max(self.starts, date.fromisoformat(x["from_day"] or str(self.starts)))
        if x["starts"] == "bill":
            start = next(one for n in range(1, 32) if (one := start + timedelta(n)).day == run.day)
        return start <= day and (not x["lasts_length"] or day < turned(start, x["lasts_length"], x["lasts_unit"]))

    def less(self, line: Line, price: int, whole: int, run: date) -> Iterator[Line]:
        """A line, and what discounts take off it, over the days on which each holds: its share of the price of all the days (none: charged once) a day."""
        yield line
        mine, rest = [x for x in self.discounts if (x["of"] == "one-time") == (not whole)], line.net
        mine.sort(key=lambda x: (x["priority"], x["name"]))
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
        own = [x for x in rises if (x["offering"], x["period_length"], x["period_unit"]) == (self.offering, *self.period)]
        risen = sorted((date.fromisoformat(x["from_day"]), x["rise_minor"]) for x in own if x["announced_on"] > str(self.starts))
        over = max(self.ended.date(), self.starts) if self.ended < datetime.combine(run, time(6), LONDON) else date.max
        since, before, cycle = max(self.billed, self.starts), self.billed, self.period == (1, "month")
        if before == date.min and self.once and not self.goods:
            yield from self.less(Line(self.key, "one-time", since, since, self.once), self.once, 0, run)
        days = [day for n in range(-1, 40) if (day := turned(run, -n)) > since]
        spans = [(start, end, turned(end, -1)) for start, end in pairwise(sorted({since, *days}))] if cycle else []
        while self.turn and turned(self.starts, *self.period, self.turn) > since:
            self.turn -= 1
        while not cycle and (start := turned(self.starts, *self.period, self.turn)) <= run and start < over:
            self.turn += 1
            spans.append((max(start, since), turned(self.starts, *self.period, self.turn), start))
        to = spans[-1][1] if spans else self.billed
        self.billed = to if self.policy == "charged" else max(before, min(to, self.rests[-1][0]))
        for start, end, whole in spans if self.every else ():
            parts = {start, end, over, *(day for day, _ in risen if cycle), *chain(*self.rests)}
            for one, other in pairwise(sorted(day for day in parts if start <= day <= min(end, over))):
                if any(rest <= one < again for rest, again in self.rests):
                    continue
                price, of = self.every + sum(rise for day, rise in risen if day <= one), (end - whole).days
                kind = "period" if (one, other) == (whole, end) else "part-period"
                yield from self.less(Line(self.key, kind, one, other, share(price, (other - one).days, of)), price, of, run)

    def bar(self, day: date, policy: str, bills: Iterable["Bill"]) -> None:
        """Its line is barred from a day on, or is not: by the policy its days are charged, on no bill any more, or credited where they were billed in advance."""
        if policy == self.policy:
            return
        self.rests = [(rest, min(again, day)) for rest, again in self.rests] + ([(day, date.max)] if policy != "charged" else [])
        self.policy = policy
        if policy == "credited" and self.billed > day:
            self.billed = day
            for bill in bills:
                bill.cut[self.key] = min(bill.cut.get(self.key, day), day)


class Bill:
    """An invoice as it must be, what notes took off it, by the place of a line and whether it was not served, and its tax of that; what is open of it, what was
    given up, and the tax of that which was relieved."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines, self.net, self.taxed_net = lines, total(lines), total(lines) - total(lines, "instalment")
        self.tax, self.taken, self.taxed, self.void = share(self.taxed_net, 20, 100), Counter(), 0, False
        self.open, self.given_up, self.relieved, self.cut = 0, 0, 0, {}

    def over(self, key: str, charges: Mapping[str, Charge]) -> date:
        """The day from which what it billed of a charge is not served."""
        return min(charges[key].ended.date(), self.cut.get(key, date.max)) if key in charges else date.max

    def unserved(self, charges: Mapping[str, Charge]) -> dict[int, int]:
        """What is still to be credited of services that have ended, by line: what stays of one is its share of the days before the end; a discount goes with
        the line that it lowered, and takes no more off than that gives back."""
        due, left = {}, 0
        for place, line in enumerate(self.lines if not self.void else (), 1):
            ended, sign = self.over(line.key, charges), 1 if line.net >= 0 else -1
            kept = line.by(ended) if line.start < line.end and ended < line.end and line.kind != "usage" else line.net
            rests = line.net - kept - self.taken[place, True], line.net - self.taken[place, True] - self.taken[place, False]
            credited = sign * max(min(sign * rests[0], sign * rests[1]), 0)
            due[place] = credited if line.kind != "discount" else max(credited, -left)
            left = due[place] + (left if line.kind == "discount" else 0)
        return {place: net for place, net in due.items() if net}


class Account:
    """A billing account: its charges, the day of its next run, bills, deposits by order, and what was posted, by day and account of the chart; `stand` is
    the sum of that. `goods` wait for a bill of their own, `owing` are paid in instalments, `going` is set aside for refunds."""

    def __init__(self) -> None:
        self.charges, self.goods, self.owing, self.used, self.bills, self.run = {}, {}, {}, {}, {}, date.max
        self.deposits, self.stand, self.posted, self.going, self.top_ups = Counter(), Counter(), Counter(), Counter(), Counter()
        self.served, self.delivered, self.apart = [], [], 0

    def runs(self, until: datetime, rises: list[Json]) -> Iterator[tuple[str, date, list[Line]]]:
        """The bill runs up to a time that were not looked at yet, each with the lines that it must make."""
        if self.run == date.max and (begun := [*self.charges.values(), *self.owing.values()]):
            first = min(begun, key=lambda x: x.known).starts
            self.run = next(day for n in range(1, 32) if (day := first + timedelta(n)).day in (1, 8, 15, 22))
        while (at := datetime.combine(self.run, time(6), LONDON)) <= until:
            run, self.run = self.run, turned(self.run, 1)
            due = (each for each in self.charges.values() if each.starts < run and each.known < at and (at <= each.ended or each.served))
            owed = (x for x in self.owing.values() if x.left and x.starts < run and x.known < at <= x.settled)
            parts = [Line(x.key, "instalment", run, run, x.left.pop(0)) for x in owed]
            yield "", run, sorted([*(line for each in due for line in each.lines(run, rises)), *self.used.pop(run, ()), *parts])

    def beside(self, until: datetime) -> tuple[str, date, list[Line]]:
        """What is billed beside the runs up to a time: all goods that wait of one day, or else what is left of agreements that are settled."""
        first = min((x.starts for x in self.goods.values()), default=date.max)
        self.delivered = goods = [self.goods.pop(x.key) for x in [*self.goods.values()] if x.starts == first and x.known <= until]
        ended = [x for x in self.owing.values() if x.left and x.settled <= until and not goods]
        day = max([*(x.known for x in goods), *(x.settled for x in ended)], default=NEVER).date()
        lines = [line for x in goods for line in x.less(Line(x.key, "one-time", first, first, x.once), x.once, 0, day)]
        lines += [Line(x.key, "instalment", day, day, sum(x.left.pop() for _ in [*x.left])) for x in ended]
        self.apart += bool(lines)
        return f"-G{self.apart}", day, sorted(lines)

    def post(self, day: date, debit: str, credits: Mapping[str, int]) -> None:
        """Move amounts from the credit of accounts of the chart to the debit of one."""
        for chart, minor in [*credits.items(), (debit, -sum(credits.values()))]:
            self.posted[day, chart] -= minor
            self.stand[chart] -= minor

    def bill(self, day: date, tax: int, lines: list[Line], owed: str) -> None:
        """Post what is billed, or below zero what is taken off: what is served by days is deferred, and instalments are `owed`."""
        days, parts, now = [x for x in lines if x.start < x.end], total(lines, "instalment"), total(x for x in lines if x.start == x.end)
        self.post(day, "receivable", {"deferred-revenue": total(days), "revenue": now - parts, "tax": tax, owed: parts})
        self.served += [(day, line) for line in days]

    def issue(self, number: str, bill: Bill, at: datetime) -> None:
        """Post a bill, put what is paid in instalments on them, and take off it what credit there is."""
        self.bill(at.date(), bill.tax, bill.lines, "instalment-receivable")
        goods, self.delivered, spread = self.delivered, [], 0
        nets = [total(line for line in bill.lines if line.key == x.key) for x in goods]
        for x, net, tax in zip(goods, nets, shared(bill.tax, nets), strict=True):
            if len(x.left) > 1 and net:
                self.owing[x.key], x.known, x.left = x, at, shared(net + tax, [1] * len(x.left))
                spread += net + tax
        used = min(-self.stand["customer-credit"], bill.net + bill.tax - spread)
        self.post(at.date(), "receivable", {"instalment-receivable": -spread, "customer-credit": -used})
        self.bills[number], bill.open = bill, bill.net + bill.tax - spread - used

    def lower(self, day: date, bill: Bill, minor: int) -> None:
        """Lower what is open of a bill, what was written off and comes all the same included; what is above that is a credit."""
        back = max(min(minor - bill.open, bill.given_up), 0)
        tax = share(bill.relieved, back, bill.given_up or 1)
        lowered = min(minor, bill.open + back)
        bill.open, bill.given_up, bill.relieved = bill.open + back - lowered, bill.given_up - back, bill.relieved - tax
        self.post(day, "receivable", {"write-off": back - tax, "tax-relief": tax, "customer-credit": minor - lowered})

    def take_off(self, day: date, bill: Bill, nets: Mapping[int, int], *, unserved: bool) -> None:
        """Post a note or a void, by the net of lines: the tax of all that was taken so far is its share of the bill's."""
        bill.taken.update({(place, unserved): net for place, net in nets.items()})
        lines = [bill.lines[place - 1]._replace(net=-net) for place, net in nets.items()]
        lines = [line._replace(start=max(line.start, bill.over(line.key, self.charges))) if unserved else line for line in lines]
        taken = sum(net for (place, _), net in bill.taken.items() if bill.lines[place - 1].kind != "instalment")
        tax = share(bill.tax, taken, bill.taxed_net or 1) - bill.taxed
        bill.taxed += tax
        self.bill(day, -tax, lines, "write-off")
        self.lower(day, bill, sum(nets.values()) + tax)


class Oracle:
    """All accounts, as events tell of them, and invoices as they must be (`must`) and are (`told`); `wrong` are the notes that are not as they must be."""

    def __init__(self) -> None:
        self.accounts, self.items, self.rises, self.payers, self.ends = defaultdict(Account), {}, [], {}, {}
        self.wrong, self.until, self.must, self.told = [], NEVER.replace(year=1), {}, {}

    def take(self, event: Json) -> None:
        """Go on by an event. Whatever an order says of its item or account is found under `ORDER/ITEM` and ORDER."""
        kind, _, key = event["stream"].partition("-")
        data, at = event["data"], datetime.fromisoformat(event["occurred_at"]).astimezone(LONDON)
        self.until = max(self.until, at) if event["actor"] == "engine" else self.until
        self.rises += [data] if event["type"] == "catalogue.price-rise-announced" else []
        if of := getattr(self, f"of_{kind}", None):
            of(self.accounts[key] if kind in ("account", "quota") else key, event["type"], data, at)

    def of_order(self, order: str, name: str, data: Json, at: datetime) -> None:
        self.payers |= {order: data["account"]} if data.get("account") else {}
        charge, account = self.items.get(f"{order}/{data.get('item')}"), self.accounts.get(self.payers.get(order, ""))
        if name == "order.planned":
            for x in data["items"]:
                self.items[key] = Charge(key := f"{order}/{x['item']}", x, x.get("account") or data["account"])
        elif name == "order.vouchers-expired":
            for x in (x for key, x in self.items.items() if key.startswith(f"{order}/")):
                x.discounts = [each for each in x.discounts if each["voucher"] not in data["codes"]]
        elif name == "charging.started" and charge:
            charge.known, charge.starts, payer = at, min(charge.starts, at.date()), self.accounts[charge.account]
            payer.goods |= {charge.key: charge} if charge.goods and charge.once else {}
            payer.charges |= {charge.key: charge} if charge.every or not charge.goods else {}
        elif charge and (name in BEGINS[charge.goods] or (name, data.get("step")) == ("step.forced", "esim-download")):
            charge.starts = date.fromisoformat(data.get("delivered_on") or str(at.date()))
        elif name in ("item.failed", "item.cancelled") and charge:
            charge.ended = min(charge.ended, at)
        elif name == "deposit.received" and account is not None:
            account.deposits[order] += data["amount_minor"]
            account.post(at.date(), "cash", {"deposit": data["amount_minor"]})
        self.ends |= {order: "customer-credit" if "completed" in name else "owed-to-customers"} if name[6:] in ENDS else {}
        if account and order in self.ends:
            account.post(at.date(), "deposit", {self.ends[order]: account.deposits.pop(order, 0)})

    def of_account(self, account: Account, name: str, data: Json, at: datetime) -> None:
        charge = self.items.get(f"{data.get('order')}/{data.get('item')}")
        if name == "account.usage-rated":
            run = date.fromisoformat(data["run_on"])
            costs = [(x, share(1, *(100 * Fraction(x["amount"])).as_integer_ratio())) for x in data["lines"] if not x.get("prepaid")]
            account.used[run] = [Line(f"{x['order']}/{x['item']}", "usage", turned(run, -1), run, net) for x, net in costs if net]
        elif name == "account.charge-started" and data.get("product"):
            charge = charge if charge and charge.every else Charge(f"{data['order']}/{data['item']}", data, data["account"])
            charge.starts, charge.known, self.items[charge.key] = date.fromisoformat(data["starts_on"]), at, charge
            account.charges[charge.key] = charge
        elif name == "account.charge-withdrawn" and charge:
            charge.ended, charge.served = min(charge.ended, at), data.get("served", False)
            account.goods.pop(charge.key, None)
        elif name == "account.settlement-asked" and charge:
            charge.settled = at
        elif name == "account.refund-released" and account.going.pop(data["refund"], 0):
            account.post(at.date(), "owed-to-customers", {"customer-credit": data["of_credit_minor"]})
        elif name in ("account.refund-reserved", "account.money-returned"):
            minor, becomes = data["amount_minor"], "cash" if "returned" in name else "owed-to-customers"
            owed = min(minor, account.going.pop(data.get("refund"), 0) or -account.stand["owed-to-customers"] - account.going.total())
            account.going |= Counter({data["refund"]: minor}) if "reserved" in name else {}  # it goes back by nothing else
            account.post(at.date(), becomes, {"owed-to-customers": -owed, "customer-credit": owed - minor})

    def of_collection(self, name: str, event: str, data: Json, at: datetime) -> None:
        """Lines that the network bars, or lets serve; the last look at an account was its last bill."""
        self.look(self.accounts[name], name, at, beside=False)
        for line in data["lines"] if event in ("collections.barred", "collections.bar-lifted") and data.get("level") != "ended" else ():
            charge = self.items[f"{line['order']}/{line['item']}"]
            charge.bar(at.date(), data.get("while_barred", "charged"), self.accounts[name].bills.values())

    def of_quota(self, account: Account, name: str, data: Json, at: datetime) -> None:
        """Prepaid money is owed until it pays for usage or expires; of top-ups, that which expires first pays first."""
        if name == "prepaid.topped-up":
            account.top_ups[datetime.fromisoformat(data["expires_at"]) if data["expires_at"] else NEVER] += data["amount_minor"]
            account.post(at.date(), "cash", {"prepaid": data["amount_minor"]})
        elif name in ("quota.committed", "prepaid.usage-charged"):
            left, tax = data["charged_minor"], data["tax_minor"]
            for expires in sorted(x for x in account.top_ups if x > at):
                account.top_ups[expires] -= (part := min(account.top_ups[expires], left))
                left -= part  # what remains is more than there was
            account.post(at.date(), "prepaid", {"tax": tax, "revenue": data["charged_minor"] - tax - left})
        elif name == "prepaid.expired":
            account.post(at.date(), "prepaid", {"revenue": sum(account.top_ups.pop(x) for x in [*account.top_ups] if x <= at)})

    def of_invoice(self, number: str, name: str, data: Json, at: datetime) -> None:
        account, day = self.accounts[self.payers.setdefault(number, data.get("account", ""))], at.date()
        bill = account.bills.get(number, Bill([]))
        if name == "invoice.issued":
            days = [(date.fromisoformat(x["from_day"]), date.fromisoformat(x["to_day"])) for x in data["lines"]]
            told = [Line(f"{x['order']}/{x['item']}", x["kind"], *of, x["net_minor"]) for x, of in zip(data["lines"], days, strict=True)]
            self.look(account, data["account"], at, data["method"], beside="-G" in number.removeprefix(data["account"]))
            self.told[number] = (*(data[x] for x in ("issued_on", "due_on", "net_minor", "total_minor")), sorted(told))
            if must := self.must.get(number):
                account.issue(number, Bill(told if sorted(told) == must[-1] else must[-1]), at)
        elif name in ("credit-note.issued", "invoice.voided") and bill.lines:
            must = told = {line["line"]: line["net_minor"] for line in data["lines"]}
            if unserved := (name, data["reason"]) == ("credit-note.issued", "not-served"):
                must = bill.unserved(account.charges)
            elif name == "invoice.voided":
                must, bill.void = {n: line.net for n, line in enumerate(bill.lines, 1)}, True
            self.wrong += [f"note of {number}: must be {must}, is {told}"] if told.items() - must.items() else []
            account.take_off(day, bill, told, unserved=unserved)
        elif name == "invoice.written-off":
            bill.given_up, bill.open = (minor := min(data["amount_minor"], bill.open)), bill.open - minor
            account.post(day, "write-off", {"receivable": minor})
        elif name == "invoice.tax-relieved":
            bill.relieved = share(bill.tax - bill.taxed, bill.given_up, bill.net + bill.tax - bill.taken.total() - bill.taxed)
            account.post(day, "tax-relief", {"write-off": bill.relieved})
        elif name in ("payment.charged-back", "payment.moved"):
            account.post(day, "receivable", {"cash": data["amount_minor"], "customer-credit": -data["of_credit_minor"]})
            bill.open += data["amount_minor"] - data["of_credit_minor"]
        elif name in ("payment.received", "payment.part-received"):
            account.post(day, "cash", {"receivable": data["amount_minor"]})
            account.lower(day, bill, data["amount_minor"])

    def look(self, account: Account, name: str, at: datetime, method: str = "", *, beside: bool = True) -> None:
        """Work out the invoices of an account up to a time, with what is billed beside its runs."""
        for apart, run, lines in (*account.runs(at, self.rises), *([account.beside(at)] if beside else [])):
            if bill := Bill(lines) if lines else None:
                self.must[f"{name}-{run:%Y%m%d}{apart}"] = str(run), str(due_on(run, method)), bill.net, bill.net + bill.tax, lines
