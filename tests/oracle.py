"""What invoices, credit notes, balances and books must say, to the penny, worked out again from events alone, in the order of the log.

They are told as `o2c events find` or `o2c orders timeline ID -o jsonl` prints them; tests/agreeing.py holds what comes of them against the engine, of which
nothing is imported here, and nothing taken that it concluded, but where "told" says so. Days are London's; shares are half-up.

Runs. An account joins the first cycle day (1, 8, 15, 22) after its first service began and is billed at 06:00 on that day of every month: one-time charges,
part periods by the days of the period, the next period in advance, packs of units bought before the day; VAT on the net of each group. A service is charged from the day it was activated, an eSIM downloaded, or its download said to be done. A price that is not once a month is
charged whole for each of its own periods in the first run on or after it begins. A rise holds for services that began before it was announced: it parts a
month by days, any other period costs what holds as it begins. What is charged anew for the same, after a rest or to another payer, is at its price and has its
discounts since it was first. Usage of the month before costs its price, rounded once.
Discounts (a voucher is one) hold for their time from the charge, from the first bill day after that, or from a day: an exclusive one alone, of best-of ones the
largest, stackable ones on what is left, by priority and name: a line below nothing over the days of the line that it lowers, each day its share of the price.
Ends. Of what was billed of a service that ended, the days from its end on are credited, but for what notes took off; of one that was complete, those until then
that are on no bill are charged. While a line is barred by a policy that says so no bill has its days; where the policy gives them back, what was billed of them
before is credited, from the bar on, and billed anew from when it serves.
Money. What comes above what is open of an invoice is a credit, which the next bill takes; money that is on no bill tests/oracle_held.py works out. What is charged
back or moved is open again, but for what is told to come off the credit that it made. What is written off of an invoice is told; its tax is relieved by its
share, and what comes all the same is open again.
Books. What is billed for days is earned by days, what was served before the bill on its day.
Goods are billed apart, on the day of their delivery, with all tax; of what is paid in instalments nothing is open of that bill: each later one has a part,
without tax, the first ones a penny more, and what settles them is billed at once; a note on one gives it up.
"""

from calendar import monthrange
from collections import Counter, defaultdict, namedtuple
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import chain, count, pairwise, takewhile
from zoneinfo import ZoneInfo

Json = Mapping
LONDON, NEVER, iso = ZoneInfo("Europe/London"), datetime.max.replace(tzinfo=ZoneInfo("Europe/London")), date.fromisoformat
VAT = {"standard": 20, "reduced": 5, "zero": 0, "instalment": 0, "late-payment": 0}  # per cent: gov.uk/vat-rates; an instalment had its tax
BEGINS = {False: ("service.activated", "esim.downloaded"), True: ("delivery.delivered",)}  # what begins a service, and goods


def turned(day: date, length: int, unit: str = "month", turn: int = 1) -> date:
    """The day that is some turns of a length on."""
    months, days = {"day": (0, 1), "week": (0, 7), "month": (1, 0), "year": (12, 0)}[unit]
    year, month = divmod(day.year * 12 + day.month - 1 + months * length * turn, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])) + timedelta(days * length * turn)


def following(day: date, *cycle: int) -> date:
    """The first day after one that is such a day of its month."""
    return next(later for n in range(1, 32) if (later := day + timedelta(n)).day in cycle)


def share(minor: int, above: int, below: int) -> int:
    return (2 * abs(minor) * above + below) // (2 * below) * (1 if minor >= 0 else -1)


def shared(minor: int, weights: Sequence[int]) -> list[int]:
    """Parts that sum to the whole: those with the largest remainders, of equal ones the first, are a penny more."""
    parts, whole = [minor * weight // (sum(weights) or 1) for weight in weights], sum(weights) or 1
    more = sorted(range(len(parts)), key=lambda n: (-(minor * weights[n] % whole), n))[: minor - sum(parts)]
    return [part + (n in more) for n, part in enumerate(parts)]


class Line(namedtuple("Line", ("key", "kind", "start", "end", "net", "group"))):
    """A line of an invoice: ORDER/ITEM, kind, days from and to (exclusive), net in minor units, group of tax; below zero what is taken off one."""

    def by(self, day: date) -> int:
        """What is due of it for its days before one; one that has no days is due."""
        days = (self.end - self.start).days
        return share(self.net, min(max((day - self.start).days, 0), days), days) if days else self.net


def place(x: Json) -> str:
    return f"{x.get('order')}/{x.get('item')}"


def nets(lines: Sequence[Line]) -> dict[str, int]:
    """What lines come to by group of tax."""
    return {group: sum(line.net for line in lines if line.group == group) for group in VAT}


def cut(x: Json, rest: Fraction) -> Fraction:
    return min(rest, rest * Fraction(x["percent"]) / 100 if x["percent"] else Fraction(x["amount_minor"]))


def cuts(mine: list[Json], rest: Fraction) -> Iterator[tuple[str, Fraction]]:
    """What discounts that hold take off a price, by name, in their order."""
    best = max((x for x in mine if x["combines"] == "best-of"), key=lambda x: cut(x, rest), default=None)
    for x in [x for x in mine if x["combines"] == "exclusive"][:1] or [x for x in mine if x["combines"] == "stackable" or x is best]:
        yield x["name"], cut(x, rest)
        rest -= cut(x, rest)


class Charge:
    """What is charged: its first day, when its account knew of it and when it ended, up to which day it was billed, and the days on which its line `rests`; of
    goods, once it is agreed to pay them in instalments, those that are `left`, on no bill. Of who withdrew from it `stays` is what of its price that is charged once is
    owed all the same (None: all)."""

    def __init__(self, order: str, told: Json, account: str) -> None:
        waits = {step["step"]: step["waits"] for step in told.get("steps", ())}.get("charging", ())
        self.key, self.account, self.told, self.discounts = f"{order}/{told['item']}", account, told, told["terms"]["discounts"]
        self.once, self.every, self.group = told["one_time_minor"], told["recurring_minor"], told["terms"]["recurring_tax_group"]
        self.goods, self.rests, self.served, self.left = "delivery" in waits and "activation" not in waits, [], False, []
        self.starts, self.known, self.ended, self.settled, self.billed = date.max, NEVER, NEVER, NEVER, date.min
        self.product, self.price_from, self.stays = self.key.replace("/", ":"), date.max, None

    @property
    def since(self) -> date:
        """Since when it is at its price: a charge of the same for a product goes on with that before it."""
        return min(self.price_from, self.starts)

    def follow(self, others: Iterable["Charge"], product: str) -> None:
        """It is of a product that was charged before: for the same offering, it is at the price of then."""
        self.product = product
        begun = [x for x in others if x.product == product and x is not self and x.every and x.starts < date.max]
        for last in sorted(begun, key=lambda x: x.starts)[-1:]:
            self.price_from = last.since if last.told["offering"] == self.told["offering"] else date.max

    def owed(self, line: Line, day: date) -> int:
        """What is owed of a line of its bills when it ended on a day."""
        once = line.kind in ("one-time", "discount") and line.start == line.end
        return line.by(day) if self.stays is None or not once else max(min(self.stays, line.net), 0)

    def withdraw(self, data: Json, at: datetime) -> None:
        """Its customer withdrew from it: it ended on the day, or as of its first where it was not asked to begin; goods are owed until they are back."""
        self.ended = min(self.ended, at if data["served"] else datetime.combine(iso(data["ended_on"]), time(0), LONDON))
        self.stays, self.once = None if self.goods else 0, self.once if self.goods or self.billed > date.min else 0

    def holds(self, x: Json, day: date, run: date) -> bool:
        """Whether a discount holds on a day, of an account that is billed on the day of the month of a run."""
        start = following(self.since, run.day) if x["starts"] == "bill" else max(self.since, iso(x["from_day"] or str(self.since)))
        return start <= day and (not x["lasts_length"] or day < turned(start, x["lasts_length"], x["lasts_unit"]))

    def less(self, line: Line, price: int, whole: int, run: date) -> Iterator[Line]:
        """A line, and what discounts take off it, over the days on which each holds: its share of the price of all the days (none: charged once) a day."""
        yield line
        mine = sorted((x for x in self.discounts if (x["of"] == "one-time") == (not whole)), key=lambda x: (x["priority"], x["name"]))
        rest, days = line.net, [line.start + timedelta(n) for n in range(max((line.end - line.start).days, 1)) if mine]
        off = {day: dict(cuts([x for x in mine if not whole or self.holds(x, day, run)], Fraction(price))) for day in days}
        for name in (x["name"] for x in mine):
            on = [day for day in days if off[day].get(name)]
            exact = sum((off[day][name] for day in on), Fraction(0)) / (whole or 1)
            if minor := min(share(1, *exact.as_integer_ratio()), rest):
                yield line._replace(kind="discount", start=on[0], end=on[-1] + timedelta(bool(whole)), net=-minor)
                rest -= minor

    def at_once(self, day: date, run: date) -> Iterator[Line]:
        return self.less(Line(self.key, "one-time", day, day, self.once, self.told["terms"]["one_time_tax_group"]), self.once, 0, run)

    def lines(self, run: date, rises: Iterable[Json]) -> Iterator[Line]:
        """Its lines in a run; what came before the run is charged by the first run that sees it, of what ended since up to its end."""
        period, since = (self.told["terms"]["period_length"], self.told["terms"]["period_unit"]), max(self.billed, self.starts)
        own = [x for x in rises if (x["offering"], x["period_length"], x["period_unit"]) == (self.told["offering"], *period)]
        risen = [(iso(x["from_day"]), x["rise_minor"]) for x in own if x["announced_on"] > str(self.since)]
        over = max(self.ended.date(), self.starts) if self.ended < datetime.combine(run, time(6), LONDON) else date.max
        if self.billed == date.min and self.once and not self.goods:
            yield from self.at_once(since, run)
        first = turned(following(self.starts, run.day), -1) if (monthly := period == (1, "month")) else self.starts
        for begin, end in takewhile(lambda days: days[0] <= run, pairwise(turned(first, *period, n) for n in count())):
            self.billed = max(self.billed, min(end, *(rest for rest, again in self.rests if again == date.max), date.max))
            edges = {max(begin, since), end, over, *(day for day, _ in risen if monthly), *chain(*self.rests)}
            for one, other in pairwise(sorted(day for day in edges if max(begin, since) <= day <= min(end, over))):
                if self.every and not any(rest <= one < again for rest, again in self.rests):
                    price = self.every + sum(rise for day, rise in risen if day <= (one if monthly else begin))
                    days, of, kind = (other - one).days, (end - begin).days, "period" if (one, other) == (begin, end) else "part-period"
                    yield from self.less(Line(self.key, kind, one, other, share(price, days, of), self.group), price, of, run)

    def bar(self, day: date, policy: str, bills: Iterable["Bill"]) -> None:
        """Its line is barred from a day on, or is not: by the policy its days are charged, on no bill any more, or credited where they were billed in advance."""
        self.rests = [(rest, min(again, day)) for rest, again in self.rests] + [(day, date.max)] * (policy != "charged")
        for bill in bills if policy == "credited" and self.billed > day else ():
            bill.cut.setdefault(self.key, day)
        self.billed = min(self.billed, day) if policy == "credited" else self.billed


class Bill:
    """An invoice as it must be, what notes took off it, by the place of a line and whether it was not served, and its tax of that; what is open of it, what was
    given up, and the tax of that which was relieved; by charge the day from which it is `cut` by a bar."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines, self.nets, self.taken, self.cut = lines, nets(lines), Counter(), {}
        self.taxes = {group: share(net, VAT[group], 100) for group, net in self.nets.items()}
        self.net, self.tax = sum(self.nets.values()), sum(self.taxes.values())
        self.taxed = self.open = self.given_up = self.relieved = 0

    def unserved(self, charges: Mapping[str, Charge]) -> dict[int, Line]:
        """What is still to be credited of services that have ended, by the place of the line: what stays of one is its share of the days before the end; a
        discount goes with the line that it lowered, and takes no more off than that gives back. A line that its discounts made free gives nothing back."""
        due, first, left, free = {}, 0, 0, set()
        for n, line in enumerate(self.lines, 1):
            x, sign = charges.get(line.key), 1 if line.net >= 0 else -1
            over = min(x.ended.date(), self.cut.get(line.key, date.max)) if x else date.max
            kept = x.owed(line, over) if x and line.kind not in ("usage", "pack") else line.net
            rests = line.net - kept - self.taken[n, True], line.net - self.taken[n, True] - self.taken[n, False]
            credited = sign * max(min(sign * rests[0], sign * rests[1]), 0)
            credited = max(credited, -left) if line.kind == "discount" else credited
            first, left = (first, left + credited) if line.kind == "discount" else (n, credited)
            due[n] = line._replace(start=max(line.start, over), net=credited)
            free = free - {*range(first, n + 1)} if left else free | {*range(first, n + 1)}
        return {n: line for n, line in due.items() if line.net and n not in free}


class Account:
    """A billing account: its charges, the day of its next run, bills, and what was posted, by day and account of the chart; `stand` is the sum of that.
    `delivered` are the goods of the last bill of goods, `apart` counts bills beside the runs."""

    def __init__(self) -> None:
        self.charges, self.must, self.bills, self.served, self.delivered, self.run = {}, {}, {}, [], [], date.max
        self.apart, self.used, self.stand, self.posted = 0, defaultdict(list), Counter(), Counter()

    def look(self, until: datetime, rises: list[Json], *, beside: bool) -> None:
        """Work out the bill runs up to a time that were not looked at yet; then what is billed `beside` them: all goods that wait of one day, or else what is
        left of agreements that are settled. A run has a part of an agreement, or all where that was agreed for the end of the lines that were bought with it."""
        begun = [x for x in self.charges.values() if x.every or not x.goods or x.left]
        self.run = following(min(begun, key=lambda x: x.known).starts, 1, 8, 15, 22) if self.run == date.max and begun else self.run
        while (at := datetime.combine(self.run, time(6), LONDON)) <= until:
            run, self.run, lines = self.run, turned(self.run, 1), [x for day in [*self.used] if day <= self.run for x in self.used.pop(day)]
            for x in (x for x in begun if x.starts < run and x.known < at):
                lines += x.lines(run, rises) if at <= x.ended or x.served else ()
                own = [y for y in begun if y.every and (y.told.get("product") or y.key)[:36] == x.key[:36]] or [y for y in begun if y.every]
                all_due = x.told.get("at_end") == "at-once" and max((y.ended for y in own), default=NEVER) < at
                parts = [] if at > x.settled else [x.left.pop(0) for _ in (x.left[:] if all_due else x.left[:1])]
                lines += [Line(x.key, "instalment", run, run, sum(parts), "instalment")] if parts else []
            self.must[f"{run:%Y%m%d}"] = Bill(sorted(lines))
        goods = [x for x in self.charges.values() if beside and x.goods and x.once and x.known <= until <= x.ended]
        self.delivered = goods = [x for x in goods if x.starts == min(x.starts for x in goods)]
        settled = [x for x in self.charges.values() if beside and not goods and x.left and x.settled <= until]
        day = max([*(x.known for x in goods), *(x.settled for x in settled)], default=NEVER).date()
        lines = [line for x in goods for line in x.at_once(x.starts, day)]
        lines += [Line(x.key, "instalment", day, day, sum(x.left), "instalment") for x in settled]
        for x in (*goods, *settled):
            x.once, x.left = 0, []
        self.apart += bool(lines)
        self.must[f"{day:%Y%m%d}-G{self.apart}"] = Bill(sorted(lines))

    def post(self, day: date, debit: str, credits: Mapping[str, int]) -> None:
        """Move amounts from the credit of accounts of the chart to the debit of one."""
        for chart, minor in [*credits.items(), (debit, -sum(credits.values()))]:
            self.posted[day, chart] -= minor
            self.stand[chart] -= minor

    def bill(self, day: date, tax: int, lines: list[Line], owed: str) -> None:
        """Post what is billed, or below zero what is taken off: what is served by days is deferred, and instalments are `owed`."""
        self.post(day, "receivable", {"tax": tax})
        for line in lines:
            chart = owed if line.kind == "instalment" else "deferred-revenue" if line.start < line.end else "revenue"
            self.post(day, "receivable", {chart: line.net})
        self.served += [(day, line) for line in lines if line.start < line.end]

    def issue(self, number: str, bill: Bill, at: datetime) -> None:
        """Post a bill, put what is paid in instalments on them, and take off it what credit there is."""
        self.bill(at.date(), bill.tax, bill.lines, "instalment-receivable")
        goods, self.delivered, spread = self.delivered, [], 0
        each = [nets([line for line in bill.lines if line.key == x.key]) for x in goods]
        taxes = (shared(tax, [net[group] for net in each]) for group, tax in bill.taxes.items())
        for x, net, *tax in zip(goods, each, *taxes, strict=True):
            parts, gross = int(x.told.get("characteristics", {}).get("instalments", 1)), sum(net.values()) + sum(tax)
            if parts > 1 and gross:
                x.known, x.left, spread = at, shared(gross, [1] * parts), spread + gross
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

    def take_off(self, day: date, bill: Bill, off: Mapping[int, Line], *, unserved: bool) -> None:
        """Post a note or a void, by the place of lines: the tax of all that was taken so far is its share of each group's."""
        bill.taken.update({(n, unserved): line.net for n, line in off.items()})
        taken = nets([bill.lines[n - 1]._replace(net=net) for (n, _), net in bill.taken.items()])
        before, bill.taxed = bill.taxed, sum(share(bill.taxes[group], taken[group], bill.nets[group] or 1) for group in VAT)
        self.bill(day, before - bill.taxed, [line._replace(net=-line.net) for line in off.values()], "write-off")
        self.lower(day, bill, sum(line.net for line in off.values()) + bill.taxed - before)


class Oracle:
    """All accounts, as events tell of them; invoices as they are `told`, the notes that must say something, with what they do, and of streams who pays."""

    def __init__(self) -> None:
        self.accounts, self.items, self.rises, self.payers = defaultdict(Account), {}, [], {}
        self.until, self.told, self.notes = NEVER.replace(year=1), {}, []

    def take(self, event: Json) -> None:
        """Go on by an event. Whatever is said of an item is found under `ORDER/ITEM`."""
        kind, _, key = event["stream"].partition("-")
        name, data, at = event["type"], event["data"], datetime.fromisoformat(event["occurred_at"]).astimezone(LONDON)
        self.until = max(self.until, at) if event["actor"] == "engine" else self.until
        self.rises += [data] if name == "catalogue.price-rise-announced" else []
        self.payers |= {key: data["account"]} if data.get("account") else {}
        payer = key if kind in ("account", "collection", "quota") else self.payers.get(key) if kind in ("order", "invoice") else None
        if payer:
            (self.of_invoice if kind == "invoice" else self.of_account)(self.accounts[payer], key, name, data, at)

    def of_account(self, account: Account, key: str, name: str, data: Json, at: datetime) -> None:
        """What is charged to an account: from when, until when, and what was used."""
        charge = self.items.get(item := f"{data.get('order', key)}/{data.get('item')}")
        if name in ("order.planned", "order.revised"):  # a paper that is changed plans anew what is not charged yet
            anew = [Charge(key, told, told.get("account") or data["account"]) for told in data["items"]]
            self.items |= {x.key: x for x in anew if self.items.get(x.key, x).known == NEVER}
        elif name == "order.vouchers-expired":
            for x in (x for item, x in self.items.items() if item.startswith(f"{key}/")):
                x.discounts = [each for each in x.discounts if each["voucher"] not in data["codes"]]
        elif name == "charging.started" and charge:
            charge.known, charge.starts = at, min(charge.starts, at.date())
            self.accounts[charge.account].charges[item] = charge
        elif name == "account.charge-started" and (data.get("product") or data["offering"] == "late-change"):
            charge = charge if charge and charge.every else Charge(data["order"], data, data["account"])
            charge.follow(self.items.values(), data["product"])
            charge.starts, charge.known, account.charges[item], self.items[item] = iso(data["starts_on"]), at, charge, charge
        elif charge and (name in BEGINS[charge.goods] or (name, data.get("step")) == ("step.forced", "esim-download")):
            charge.starts = iso(data.get("delivered_on") or str(at.date()))
        elif name in ("item.failed", "item.cancelled", "account.charge-withdrawn") and charge:
            charge.ended, charge.served = min(charge.ended, at), data.get("served", False)
            if not data.get("one_time_owed", True):
                charge.withdraw(data, at)
        elif name == "account.goods-taken-back" and charge:
            charge.stays = data["kept_minor"]
        elif name in ("account.settlement-asked", "account.instalments-agreed") and charge:
            charge.settled, charge.told = at if "asked" in name else NEVER, {**charge.told, **data}
        elif name in ("collections.barred", "collections.bar-lifted") and data.get("level") != "ended":
            account.look(at, self.rises, beside=False)
            for x in data["lines"]:
                self.items[place(x)].bar(at.date(), data.get("while_barred", "charged"), account.bills.values())
        elif name == "account.usage-rated":
            run = iso(data["run_on"])
            costs = [(x, share(1, *(100 * Fraction(x["amount"])).as_integer_ratio())) for x in data["lines"] if not x.get("prepaid")]
            account.used[run] += [Line(place(x), "usage", turned(run, -1), run, net, x["tax_group"]) for x, net in costs if net]

    def of_invoice(self, account: Account, number: str, name: str, data: Json, at: datetime) -> None:
        """What is billed, taken off, paid, taken back, and given up."""
        bill, day = account.bills.get(number, Bill([])), at.date()
        if name == "invoice.issued":
            told = [Line(place(x), x["kind"], iso(x["from_day"]), iso(x["to_day"]), x["net_minor"], x["tax_group"]) for x in data["lines"]]
            self.told[number] = *(data[x] for x in ("issued_on", "net_minor", "total_minor", "method", "due_on")), sorted(told)
            account.look(at, self.rises, beside="-G" in (run := number.removeprefix(f"{data['account']}-")))
            if must := account.must.get(run):
                account.issue(number, Bill(told if sorted(told) == must.lines else must.lines), at)
        elif name in ("credit-note.issued", "invoice.voided") and bill.lines:
            given, by = {x["line"]: x["net_minor"] for x in data["lines"]}, (data["reason"], data.get("author"))
            unserved = name != "invoice.voided" and (by[0] == "not-served" or by == ("withdrawn", "engine"))
            must = bill.unserved(account.charges) if unserved else dict(enumerate(bill.lines, 1))
            off = {n: must.get(n, bill.lines[n - 1])._replace(net=net) for n, net in given.items()}
            self.notes += [(number, must, off)] if unserved or name == "invoice.voided" else []
            account.take_off(day, bill, off, unserved=unserved)
        elif name == "invoice.written-off":
            bill.given_up, bill.open = (minor := min(data["amount_minor"], bill.open)), bill.open - minor
            account.post(day, "write-off", {"receivable": minor})
        elif name == "invoice.tax-relieved":
            bill.relieved = share(bill.tax - bill.taxed, bill.given_up, bill.net + bill.tax - bill.taken.total() - bill.taxed)
            account.post(day, "tax-relief", {"write-off": bill.relieved})
        elif name in ("payment.charged-back", "payment.moved", "payment.refund-reclaimed"):
            account.post(day, "receivable", {"cash": data["amount_minor"], "customer-credit": -data["of_credit_minor"]})
            bill.open += data["amount_minor"] - data["of_credit_minor"]
        elif name in ("payment.received", "payment.part-received"):
            account.post(day, "cash", {"receivable": data["amount_minor"]})
            account.lower(day, bill, data["amount_minor"])
