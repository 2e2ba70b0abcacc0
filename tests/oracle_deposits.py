"""Until when the deposit of an order that completed (in part) is kept, and what becomes of it, worked out again from events alone, over tests/oracle_late.py.

It is free in the bill run before which three bills in a row were good, of those issued since: a credit, which that bill takes. A bill is good of which nothing
is owed, written off or not, and whose money had come by its due day and stayed: a chargeback that was won never was. One that is open and not yet due, or is
void, neither counts nor ends the row. After the last run nothing is charged any more: all deposits are free in it, and what its bill does not take is owed,
of the last ones first; of that it pays what is owed of all bills, the oldest first. So it is where the last bill is one of goods, or of instalments that are settled;
where none is to come, it is owed at once. What was late and was paid on the day of a run or after it is on one more bill.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from tests.oracle import NEVER, Bill, Json, iso
from tests.oracle_late import LateAccount, LateOracle

GOOD_BILLS, AT_LAST = 3, timedelta(45)
Part = tuple[str, int, str]
RESTS = ("product.suspended", "product.resumed", "product.terminated", "product.changed")


class Judged:
    """A bill as it was paid: by its due day or not. `came` are what is left of each payment, with the day from which it counts."""

    def __init__(self, due_on: date) -> None:
        self.due_on, self.void, self.came, self.back, self.again = due_on, False, list[list[date | int]](), dict[str, date](), date.max

    def paid(self, day: date, minor: int) -> None:
        """Money came; what came again after a chargeback that was won counts from the day of before."""
        self.came.append([min(day, self.again), minor])
        self.again = date.max

    def taken(self, case: str, payment: int, minor: int) -> None:
        """Money of a payment, counted from 1, went again; of a `case` where its payer's bank took it."""
        one = self.came[payment - 1]
        one[1] = max(one[1] - minor, 0)
        self.back |= {case: one[0]} if case else {}

    def good(self, owed: int, on: date) -> bool | None:
        """How it stands on a day when so much is owed of it."""
        if self.void:
            return None
        if owed > 0:
            return False if on > self.due_on or self.back else None
        return not self.back and all(day <= self.due_on for day, minor in self.came if minor)


class SecuredAccount(LateAccount):
    """An account with how its bills were paid, in their order, and before which of them none counts for the deposit of an order that is `kept` on; `parts` are
    to be freed now, and `pays` what they are to pay; products that are `resting`, uncharged, are charged again."""

    def __init__(self) -> None:
        super().__init__()
        self.judged, self.kept, self.parts = dict[str, Judged](), dict[str, int](), list[Part]()
        self.pays, self.looked, self.resting = Counter[str](), NEVER, set[str]()

    def row(self, since: int, on: date) -> int:
        """How many of the last bills are good, of those from a place on."""
        row = 0
        for good in (self.judged[number].good(self.owed(number), on) for number in [*self.judged][since:]):
            row = row if good is None else row + 1 if good else 0
        return row

    def owed(self, number: str) -> int:
        return self.bills[number].open + self.bills[number].given_up if number in self.bills else 0

    @property
    def over(self) -> bool:
        """Whether nothing is charged any more nor rests, to be charged again, and runs have billed all: instalments that are not settled, and what is charged once."""
        services = [x for x in self.charges.values() if x.every or not x.goods]
        to_bill = any(x.ended == NEVER or (x.served and x.once and x.billed == date.min) for x in services)
        late = any(each.over(self.run) for each in self.lates.values())
        return not (self.resting or to_bill or late or any(x.left and x.settled == NEVER for x in self.charges.values()))

    def free(self, at: datetime, rises: list[Json]) -> None:
        """Say which deposits are free at a time, in a bill run or beside the runs."""
        if self.looked == at:
            return
        self.look(at, rises, beside=False)
        run = at.time() == time(6) and f"{at:%Y%m%d}" in self.must
        self.looked, held = at, {order: self.deposits[order] for order in sorted(self.kept)}
        if run and not self.over:
            enough = [order for order, since in sorted(self.kept.items()) if self.row(since, at.date()) >= GOOD_BILLS]
            self.parts = [(order, held[order], "credit") for order in enough]
        elif self.over:
            self.look(at, rises, beside=not run)
            bill, whole = self.must.get(f"{at:%Y%m%d}" + f"-G{self.apart}" * (not run), Bill([])), sum(held.values())
            left = min(whole, max(whole - self.stand["customer-credit"] - bill.net - bill.tax, 0))
            self.parts = list(_split(held, whole - left))
            self.pay(left if run or bill.lines else 0)

    def pay(self, left: int) -> None:
        for number, judged in self.judged.items():
            self.pays[number] += (minor := 0 if judged.void else min(max(self.owed(number), 0), left))
            left -= minor


def _split(held: dict[str, int], used: int) -> Iterator[Part]:
    """Deposits of which so much is a credit, and the rest is owed."""
    for order, minor in held.items():
        part = min(minor, used)
        used -= part
        yield from [each for each in ((order, part, "credit"), (order, minor - part, "owed")) if each[1]]


class DepositOracle(LateOracle):
    """The oracle that knows when a deposit is free as well; `wrong` is where the engine did not."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts, self.wrong = defaultdict(SecuredAccount), list[str]()

    def take(self, event: Json) -> None:
        """A product that rests, uncharged, keeps its account going until it ends or has another payer."""
        kind, _, product = event["stream"].partition("-")
        if kind == "product" and event["type"] in RESTS:
            payer = event["data"].get("standing", {}).get("account")
            for name in {x.account for x in self.items.values() if x.product == product}:
                account = self.accounts[name]
                rests = event["data"].get("charged") is False or (product in account.resting and payer == name)
                # Where it ended while it rested, a last bill is to come.
                account.settled = account.settled and (rests or product not in account.resting)
                account.resting = account.resting | {product} if rests else account.resting - {product}
        super().take(event)

    def of_account(self, account: SecuredAccount, key: str, name: str, data: Json, at: datetime) -> None:
        """A bill run that is over leaves no deposit that is free."""
        super().of_account(account, key, name, data, at)
        if name == "account.billed":
            if account.kept:
                account.free(at, self.rises)
            self._differ(f"{key}, run of {data['run_on']}", account.parts, [])
            account.parts = []

    def of_balance(self, account: SecuredAccount, key: str, name: str, data: Json, at: datetime) -> None:
        """What is told of a deposit that is kept on is what was worked out; posted is that."""
        if name == "account.deposit-retained":
            account.kept.setdefault(data["order"], len(account.judged))
            self._differ(f"{key}, kept on", (account.deposits[data["order"]], GOOD_BILLS), (data["amount_minor"], data["good_bills"]))
        elif name == "account.deposit-freed" and data["order"] in account.kept:
            account.free(at, self.rises)
            must = account.parts.pop(0) if account.parts else None
            self._differ(f"{key}, {at}", must, (data["order"], data["amount_minor"], data["becomes"]))
            data = {**data, **dict(zip(("order", "amount_minor", "becomes"), must or (data["order"], 0, "credit"), strict=True))}
        held = -account.stand["customer-credit"] - account.stand["owed-to-customers"] - account.going.total()
        if name == "account.money-returned" and data["method"] == "set-off" and not account.pays.total():
            account.pay(held)  # what is left as the account ended pays for its bills first
        elif name == "account.credit-return-settled":
            owed = sum(map(account.owed, account.judged)) - account.pays.total()
            self._differ(f"{key} left as it ended", 0, held or bool(data["refunds"]) * owed)
        super().of_balance(account, key, name, data, at)
        if name == "account.deposit-freed" and not account.deposits[data["order"]]:
            account.kept.pop(data["order"], None)

    def of_invoice(self, account: SecuredAccount, number: str, name: str, data: Json, at: datetime) -> None:
        """How a bill is paid: what came above it pays nothing of it."""
        before = account.owed(number)
        super().of_invoice(account, number, name, data, at)
        if name == "invoice.issued":
            account.judged[number] = Judged(iso(data["due_on"]))
        judged = account.judged.get(number)
        if judged is None:
            return
        if name in ("payment.charged-back", "payment.moved"):
            judged.taken(data["case"] if name.endswith("back") else "", data["payment"], data["amount_minor"])
        elif name == "payment.chargeback-reversed":
            judged.again = judged.back.pop(data["case"])
        elif name in ("payment.received", "payment.part-received"):
            judged.paid(iso(data.get("arrived_on") or str(at.date())), max(before - account.owed(number), 0))
            if data["method"] == "set-off":
                self._differ(f"set off against {number}", account.pays.pop(number, 0), data["amount_minor"])
        judged.void = judged.void or name == "invoice.voided"

    def overkept(self) -> Iterator[str]:
        """Where it told otherwise than it must, and what is kept of accounts that are over for long."""
        yield from self.wrong
        for name, account in self.accounts.items():
            ended = max((x.ended for x in account.charges.values() if x.ended != NEVER), default=NEVER)
            if account.kept and account.over and ended < self.until - AT_LAST:
                yield f"deposits of {name}: must be free, are {account.kept}"
            if account.pays.total():
                yield f"set off of {name}: must be {account.pays}, is None"

    def _differ(self, what: str, must: object, told: object) -> None:
        self.wrong += [f"deposit of {what}: must be {must}, is {told}"] if must != told else []
