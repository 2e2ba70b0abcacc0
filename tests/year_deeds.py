"""What people do with money in a year: customers who pay late, twice, in part or never, agents who credit, void, hold and settle, switches that send usage.

Everything is a hash of the seed and of what it is for, so that the same orders have the same year: never of a position, which is another in every store.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from o2c.desk import collections, instalments, invoices, limits, payments, refunds, taking_back
from o2c.desk.catalogue import announce_rise
from o2c.desk.ledger import close_ledger
from o2c.desk.orders import cancel_order
from o2c.engine.app import Context, Engine
from o2c.engine.runner import Runner
from o2c.files.usage import load_usage
from o2c.kernel.chance import draw
from o2c.kernel.partner import Accepted, Answer, Partner, RefusedBy, Request
from o2c.kernel.refusal import Refused
from o2c.views.collections import list_collections
from o2c.views.reading import caught_up
from tests.book import Entry
from tests.network import Books
from tests.world import Document
from tests.year_amendments import looks, with_orders
from tests.year_fallout import with_fallouts
from tests.year_products import parts_of, with_packs, with_prepaid, with_products

ANN, BOB, SWITCH = Context("ann"), Context("bob"), Context("msc-1")
DEFAULTERS, HEAVY, LIMITED = 0.08, 0.1, 0.15
"""The shares of accounts that stop paying, of lines that use a great deal, and of accounts that choose a limit of their bill."""
REFUNDS_REFUSED, PLANS_PAID = 0.3, 0.7
NEVER_PAYS_FROM = date(2026, 2, 10)
UNKNOWN_NUMBER = "+447700989999"
REFUSALS = {"card": "DECLINED", "direct-debit": "RETURNED", "pay-by-link": "EXPIRED"}
NUMBERS = """SELECT substr(stream, 8) AS number, min(occurred_at) AS since FROM o2c.event
    WHERE type IN ('number.taken', 'number.brought-in') GROUP BY stream ORDER BY stream"""
OPEN_ORDERS = "SELECT order_id::text AS order_id FROM projection.orders WHERE state NOT IN ('completed', 'failed', 'cancelled', 'rejected', 'partial') ORDER BY 1"
BILLS = """SELECT invoice, account, issued_on, state, total_minor - credit_used_minor - lowered_minor - paid_minor + above_minor AS open_minor, paid_minor, credited_minor,
    total_minor FROM projection.invoices WHERE issued_on::date > %s OR state = 'overdue' ORDER BY invoice"""
NOTICED = "SELECT body ->> 'account' AS account, body ->> 'notice' AS notice FROM o2c.event WHERE type = 'account.limit-noticed' AND body ->> 'percent' = '100' AND occurred_at > %s ORDER BY position"
DEPOSITS = """SELECT substr(f.stream, 7) AS order_id, (f.body ->> 'deposit_minor')::int AS minor FROM o2c.event f WHERE f.type = 'credit.fell-out'
    AND f.body ? 'deposit_minor' AND NOT EXISTS (SELECT FROM o2c.event d WHERE d.stream = f.stream AND d.type = 'deposit.received') ORDER BY 1"""
WANTED_NOTES = """SELECT w.body ->> 'note' AS note, substr(w.stream, 9) AS invoice FROM o2c.event w WHERE w.type = 'credit-note.requested' AND NOT EXISTS (
    SELECT FROM o2c.event n WHERE n.stream = w.stream AND n.type = 'credit-note.issued' AND n.body ->> 'note' = w.body ->> 'note') ORDER BY w.position"""
CREDITS = "SELECT account, credit_minor, owed_minor FROM projection.balances WHERE credit_minor > 0 OR owed_minor > 0 ORDER BY 1"
AGREED = """SELECT a.body ->> 'account' AS account, a.body ->> 'order' AS order_id, a.body ->> 'item' AS item FROM o2c.event a
    WHERE a.type = 'account.instalments-agreed' ORDER BY a.position"""
PAID = """SELECT substr(p.stream, 9) AS invoice, substr(p.stream, 9) || '/' || p.version AS payment FROM o2c.event p WHERE p.type = 'payment.received' AND p.actor = 'engine'
    AND p.occurred_at > %s ORDER BY p.position"""
CHARGED_BACK = """SELECT substr(b.stream, 9) AS invoice, b.body ->> 'case' AS named FROM o2c.event b WHERE b.type = 'payment.charged-back' AND NOT EXISTS (
    SELECT FROM o2c.event w WHERE w.stream = b.stream AND w.type = 'payment.chargeback-reversed') ORDER BY b.position"""
WRITTEN_OFF = "SELECT invoice, written_off_minor FROM projection.invoices WHERE written_off_minor > 0 ORDER BY invoice"
OPEN_BILLS = """SELECT invoice, total_minor - credit_used_minor - lowered_minor - paid_minor + above_minor AS open_minor FROM projection.invoices
    WHERE invoice = ANY(%s) ORDER BY invoice"""
OVERDUE = "SELECT invoice FROM projection.invoices WHERE state = 'overdue' ORDER BY invoice"
REFUNDS = """SELECT w.body ->> 'account' AS account, w.body ->> 'refund' AS refund FROM o2c.event w WHERE w.type = 'account.refund-wanted' AND NOT EXISTS (
    SELECT FROM o2c.event n WHERE n.stream = w.stream AND n.type = 'account.refund-reserved' AND n.body ->> 'refund' = w.body ->> 'refund') ORDER BY w.position"""
REFUSED_REFUNDS = """SELECT DISTINCT o.body ->> 'account' AS account, o.body ->> 'refund' AS refund FROM o2c.event o JOIN o2c.event f USING (stream)
    WHERE o.type = 'refund.opened' AND f.type = 'refund.fell-out' AND NOT EXISTS (
        SELECT FROM o2c.event d WHERE d.stream = o.stream AND d.type IN ('refund.completed', 'refund.given-up')) ORDER BY 1, 2"""
GIVEN_UP_REFUNDS = """SELECT substr(g.stream, 8) AS refund FROM o2c.event g WHERE g.type = 'refund.given-up' AND NOT EXISTS (
    SELECT FROM o2c.event p WHERE p.stream = g.stream AND p.type = 'refund.reported-paid') ORDER BY g.position"""
CHARGED = "SELECT DISTINCT body ->> 'account' AS account FROM o2c.event WHERE type = 'account.charge-started' ORDER BY 1"


def at_noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def defaults(seed: int, account: str) -> bool:
    """Whether an account stops paying."""
    return draw(seed, account, 1, "defaults") < DEFAULTERS


@dataclass(frozen=True, slots=True)
class Defaulting:
    """The payment provider, whose customers' banks refuse those who stop paying."""

    provider: Partner
    seed: int

    def submit(self, request: Request) -> Answer:
        return self._refusal(request) or self.provider.submit(request)

    def query(self, request: Request) -> Answer:
        return self._refusal(request) or self.provider.query(request)

    def _refusal(self, request: Request) -> Answer | None:
        if "number" not in request.body:
            # Money that goes back: some accounts are closed.
            return RefusedBy("CLOSED") if draw(self.seed, str(request.body["refund"]), 1, "closed") < REFUNDS_REFUSED else None
        account, issued = str(request.body["number"]).rsplit("-20", 1)[0], date.fromisoformat(request.body["issued_on"])
        if issued < NEVER_PAYS_FROM or not defaults(self.seed, account):
            return None
        code = REFUSALS.get(request.body["method"])
        return RefusedBy(code) if code else Accepted("WAITS", request.at + timedelta(days=30))


@dataclass
class Year:
    """The deeds of a year, counted by kind; what the engine refuses, because somebody was faster, is counted apart."""

    app: Engine
    runner: Runner
    folder: Path
    seed: int
    first: date
    rising: tuple[str, ...]
    book: list[Entry]
    network: Books
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    used: dict[tuple[str, str], Document] = field(default_factory=dict)
    amended: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    sequence: int = 0
    by: Context = ANN

    @property
    def now(self) -> datetime:
        """The time that it is."""
        return self.app.clock().now

    def live(self, months: int) -> None:
        """Let the months pass, and let people do what they do on their days."""
        for number in range(months):
            month = self.first.replace(
                year=self.first.year + (self.first.month - 1 + number) // 12, month=(self.first.month - 1 + number) % 12 + 1
            )
            for day, deeds in (
                (3, self.close),
                (6, self.people),
                (7, self.switch),
                (14, self.people),
                (21, self.switch),
                (27, self.people),
            ):
                for at in looks(self.now, at_noon(month.replace(day=day))):
                    self.runner.run(at)
                    with_orders(self, at)
                self.runner.run(at_noon(month.replace(day=day)))
                self.see()
                deeds(month.replace(day=day))

    def see(self) -> None:
        """Wait until readers see all that was written, whatever else the server does, and have the projections say it: so people see the same in every run."""
        self.app.settled()
        caught_up(self.app)

    def try_to(self, kind: str, deed: Callable[..., Any], *arguments: Any, **more: Any) -> None:
        try:
            deed(self.app, ANN, *arguments, **more)
            self.done[kind] += 1
        except Refused:
            self.refused[kind] += 1

    def chance(self, key: str, day: date | datetime, what: str) -> float:
        return draw(self.seed, f"{key}/{day}", 1, what)

    def close(self, day: date) -> None:
        """Close the books of the month before, and announce a rise of prices now and then."""
        if day > self.first + timedelta(28):
            self.try_to("books closed", close_ledger, day.replace(day=1) - timedelta(1))
        if (day.month - self.first.month) % 5 == 1:
            for place, offering in enumerate(self.rising):
                self.try_to("rises announced", announce_rise, offering, amount=f"1.{50 + place}", from_day=day + timedelta(40 + place))

    def people(self, day: date) -> None:
        for row in self.app.reads.rows(OPEN_ORDERS):
            if self.chance(row["order_id"], day, "cancels") < 0.04:
                self.try_to("orders cancelled", cancel_order, row["order_id"], note="changed his mind")
        for row in self.app.reads.rows(DEPOSITS):
            self.try_to("deposits", payments.deposit, row["order_id"], amount=_pounds(row["minor"]), reference=f"DEP-{day}", sure=True)
        for row in self.app.reads.rows(WANTED_NOTES):
            # Refused where another note took the line meanwhile.
            self.try_to("notes approved by a second person", _approve, row["invoice"], row["note"])
        for row in self.app.reads.rows(BILLS, day - timedelta(60)):
            self.with_bill(row, day)
        self.with_payments(day)
        for row in self.app.reads.rows(CREDITS):
            if row["owed_minor"] or self.chance(row["account"], day, "refund") < 0.1:
                amount = _pounds(row["owed_minor"] or -(-row["credit_minor"] // 2))
                if self.chance(row["account"], day, "by hand") < 0.5:
                    self.try_to("paid back", payments.refund, row["account"], amount=amount, reference=f"BACK-{day}")
                else:
                    self.try_to("refunds", refunds.request_refund, row["account"], amount=amount)
        for row in self.app.reads.rows(REFUNDS):
            self.try_to("refunds approved by a second person", _approve_refund, row["account"], row["refund"])
        for row in self.app.reads.rows(REFUSED_REFUNDS):
            self.try_to("refunds given up", refunds.give_up_refund, row["account"], row["refund"], reason="the account is closed")
        for row in self.app.reads.rows(GIVEN_UP_REFUNDS):
            if self.chance(row["refund"], day, "went all the same") < 0.03:
                account = row["refund"].rpartition("-R")[0]
                self.try_to("refunds paid after all", refunds.paid_after_all, account, row["refund"], reference=f"RFD-{row['refund']}")
        for row in self.app.reads.rows(AGREED):
            if self.chance(row["order_id"], day, "settles") < 0.02:
                self.try_to("agreements settled", instalments.settle, row["account"], row["order_id"], row["item"])
        self.with_debts(day)
        with_fallouts(self)
        with_products(self, day)
        with_packs(self, day)
        for row in self.app.reads.rows(CHARGED):
            if draw(self.seed, row["account"], 1, "limited") < LIMITED and self.chance(row["account"], day, "limit") < 0.3:
                self.try_to("limits set", limits.set_limit, row["account"], amount=f"{3 + day.month % 5}.00")

    def with_payments(self, day: date) -> None:
        """Some payers' banks take back what they paid, and some of these are answered and won; some payments were meant for another's bill."""
        others = [row["invoice"] for row in self.app.reads.rows(OVERDUE)]
        for row in self.app.reads.rows(PAID, at_noon(day) - timedelta(20)):
            luck = self.chance(row["payment"], day, "taken back")
            if luck < 0.015:
                self.try_to("charged back", taking_back.charge_back, row["invoice"], case=f"CB-{row['payment']}")
            elif luck < 0.02:
                self.try_to("charged back in part", taking_back.charge_back, row["invoice"], case=f"CB-{row['payment']}", amount="1.23")
            elif luck > 0.97 and others:
                to = others[int(luck * 10_000) % len(others)]
                self.try_to(
                    "moved", taking_back.move_payment, row["invoice"], to=to, reason="meant for another", key=f"MV-{row['payment']}"
                )
        for row in self.app.reads.rows(WRITTEN_OFF):
            if (luck := self.chance(row["invoice"], day, "recovered")) < 0.08:
                amount = _pounds(row["written_off_minor"] if luck < 0.04 else row["written_off_minor"] // 3 or 1)
                self.try_to("recovered", payments.record, row["invoice"], amount=amount, reference=f"LATE-{row['invoice']}-{day}")
        for row in self.app.reads.rows(CHARGED_BACK):
            if self.chance(row["named"], day, "won") < 0.15:
                self.try_to("won back", taking_back.win_back, row["invoice"], case=row["named"])

    def with_bill(self, bill: Mapping[str, Any], day: date) -> None:
        """What a customer or an agent does with a bill on a day, if anything."""
        number, open_minor, luck = bill["invoice"], bill["open_minor"], self.chance(bill["invoice"], day, "bill")
        pay = {"reference": f"TFR-{number}-{day}"}
        if bill["state"] == "void":
            return None
        if bill["state"] == "overdue" and open_minor > 0 and not defaults(self.seed, bill["account"]):
            for limit, kind, amount in (
                (0.5, "paid late", open_minor),
                (0.7, "paid in part", open_minor // 3 or 1),
                (0.8, "paid too much", open_minor + 500),
            ):
                if luck < limit:
                    return self.try_to(kind, payments.record, number, amount=_pounds(amount), sure=True, **pay)
        if luck > 0.99:
            self.try_to("paid twice", payments.record, number, amount=_pounds(bill["total_minor"]), sure=True, **pay)
        elif luck > 0.97:
            self.try_to("notes over a line", invoices.issue_credit_note, number, reason="goodwill", lines={"1": "1.07"})
        elif luck > 0.965:
            self.try_to("notes over the whole", invoices.issue_credit_note, number, reason="billed-in-error")
        elif luck > 0.955 and open_minor > 0:
            self.try_to("voided", invoices.void_invoice, number, reason="billed-in-error")
        elif luck > 0.94 and open_minor > 1:
            self.try_to("disputes opened", collections.open_dispute, number, amount=_pounds(open_minor // 2))
        elif luck > 0.92:
            for_whom = "customer" if luck > 0.93 else "operator"
            self.try_to("disputes settled", collections.settle_dispute, number, outcome=for_whom)
        return None

    def with_debts(self, day: date) -> None:
        """Promises, plans by which a debt is paid in parts, and holds that are placed and released again."""
        self.see()
        for row in list_collections(self.app, limit=1000):
            account, luck = row["account"], self.chance(row["account"], day, "debt")
            due_minor = sum(part["amount_minor"] for part in row["plan"] if not part["kept"] and part["due_on"] <= str(day + timedelta(14)))
            if due_minor and luck < PLANS_PAID:
                for bill in self.app.reads.rows(OPEN_BILLS, row["invoices"]):
                    minor, due_minor = min(due_minor, bill["open_minor"]), due_minor - min(due_minor, bill["open_minor"])
                    if minor > 0:
                        pay = {"amount": _pounds(minor), "reference": f"PLAN-{bill['invoice']}-{day}"}
                        self.try_to("parts of plans paid", payments.record, bill["invoice"], **pay, sure=True)
            elif luck > 0.8 and row["open_minor"] > 2:
                days = (day + timedelta(14 * part) for part in range(1, 3 + int(luck * 1000) % 2))
                self.try_to("plans", collections.plan, account, parts_of(row["open_minor"], days))
            elif luck < 0.1:
                half = max(row["open_minor"] // 2, 1)
                self.try_to("promises", collections.promise, account, amount=_pounds(half), by=day + timedelta(9))
            elif luck < 0.2:
                kind, until = ("payment-pending", day + timedelta(4)) if luck < 0.16 else ("vulnerable", None)
                self.try_to("holds", collections.hold, account, kind, until=until)
            elif luck < 0.5:
                self.try_to("holds released", collections.release, account, "vulnerable")

    def switch(self, day: date) -> None:
        """Load what was used since the last file, and that file's last records once more; some customers agree to go beyond a limit."""
        path, now = self.folder / f"usage-{day}.jsonl", at_noon(day)
        records = list(self.records(day))
        again = [record for record in self.used.values() if "source" in record and self.chance(record["key"], day, "again") < 0.01]
        path.write_text("".join(json.dumps(record) + "\n" for record in (*records, *again)), encoding="utf-8")
        self.used |= {(record["source"], record["key"]): record for record in records}
        told = load_usage(self.app, path, context=SWITCH, source="msc-1")
        self.done["usage: records"] += told["records"]
        self.done["usage: sent again"] += told["duplicates"]
        self.done["usage: late"] += told["late"]
        self.done["usage: in suspense"] += sum(told["suspense"].values())
        self.done["usage: gaps"] += len(told["gaps"])
        with_prepaid(self, day)
        for row in self.app.reads.rows(NOTICED, now - timedelta(hours=1)):
            if self.chance(row["account"], day, "agrees") < 0.5:
                self.try_to("limits gone beyond", limits.agree, row["account"], notice=row["notice"])

    def records(self, day: date) -> Iterator[Document]:
        """What was used in the fortnight before a day, in the order of a switch's numbers, some of which never come."""
        for row in (*self.app.reads.rows(NUMBERS), {"number": UNKNOWN_NUMBER, "since": at_noon(self.first)}):
            number = row["number"]
            heavy = draw(self.seed, number, 1, "heavy") < HEAVY
            for turn in range(3):
                luck = self.chance(number, day, f"record {turn}")
                back = timedelta(days=35 if luck < 0.05 else 1 + turn * 4, minutes=int(luck * 1000))
                start = at_noon(day) - back
                if start < row["since"] + timedelta(days=1):
                    continue
                self.sequence += 1 if self.chance(number, day, f"gap {turn}") > 0.01 else 2
                kind, quantity = (("voice", 60 * (1 + int(luck * 50))), ("sms", 20 + int(luck * 20)), ("roaming", int(luck * 9_000_000)))[
                    turn
                ]
                told = {"key": f"{number}-{day}-{turn}", "party": number, "kind": kind, "start": start.isoformat(), "source": "msc-1"}
                yield {
                    **told,
                    "quantity": quantity * (8 if heavy else 1),
                    "sequence": str(self.sequence),
                    "destination": "+442079460123",
                    **({"country": "FR"} if kind == "roaming" else {}),
                }


def _pounds(minor: int) -> str:
    return f"{minor / 100:.2f}"


def _approve(app: Engine, _: Context, invoice: str, note: str) -> None:
    """Bob approves what Ann asked for: nobody approves his own."""
    invoices.approve_credit_note(app, BOB, invoice, note)


def _approve_refund(app: Engine, _: Context, account: str, refund: str) -> None:
    """Bob approves what Ann asked to give back."""
    refunds.approve_refund(app, BOB, account, refund)
