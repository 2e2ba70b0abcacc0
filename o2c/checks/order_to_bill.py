"""What the log says of an order's items on both sides, fulfilment and billing: the evidence that assurance compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from o2c.catalogue.events import PriceRiseAnnounced
from o2c.catalogue.rises import price_on, rises_of
from o2c.checks.compensation_due import Compensating
from o2c.checks.instalments_billed import Instalments
from o2c.kernel.charges import MONTHLY, PriceTerms
from o2c.kernel.periods import Period, local_date, next_cycle_day, previous_month
from o2c.markets import registry
from projections.engine.seen import Seen

ENDS = frozenset({"order.completed", "order.partially-completed", "order.failed", "order.rejected", "order.cancelled"})


class Said(NamedTuple):
    """An event, when it happened, and what of it matters."""

    event: str
    at: str
    body: Mapping[str, Any]


class Billed(NamedTuple):
    """A line of an invoice, with the event that issued it and its place in the log.

    `place` is that on the invoice, from 1; `alone_minor` what the invoice comes to with tax where all of its lines are of this item (else
    0).
    """

    event: str
    at: str
    position: int
    invoice: str
    line: Mapping[str, Any]
    issued_on: str = ""
    place: int = 0
    account: str = ""
    currency: str = ""
    alone_minor: int = 0

    @property
    def served(self) -> bool:
        """Whether it is a recurring price over days of service; one that gives money back is not, nor are usage and discounts."""
        return (
            self.line["kind"] in ("period", "part-period") and self.line["from_day"] < self.line["to_day"] and self.line["net_minor"] >= 0
        )

    @property
    def days(self) -> Period:
        """The days it is for; none where it ends before it begins."""
        first, after = (date.fromisoformat(self.line[name]) for name in ("from_day", "to_day"))
        return Period(first, max(first, after))

    @property
    def bill_day(self) -> int:
        """The day of the month on which its account is billed."""
        return int(self.issued_on[-2:])


class LateLine(NamedTuple):
    """A line of the invoice `bill` that charges for paying another late, with the event that issued it."""

    event: str
    at: str
    bill: str
    account: str
    currency: str
    line: Mapping[str, Any]


class GivenBack(NamedTuple):
    """Prepaid money that the customer of an account asked back, with the event that said so last; what he has yet to get, and by which
    refunds, in minor units."""

    said: Said
    owed_minor: int
    refunds: tuple[str, ...]


class PackLine(NamedTuple):
    """A line of an invoice that bills a pack of units, with the event that issued it."""

    event: str
    at: str
    currency: str
    line: Mapping[str, Any]


@dataclass(slots=True)
class Packs:
    """The packs of an account: what was bought, what its invoices have, and the day of its last bill run."""

    account: str
    bought: list[Said] = field(default_factory=list)
    lines: list[PackLine] = field(default_factory=list)
    run_on: str = ""


class Barred(NamedTuple):
    """Days on which a line is barred by a policy under which they are not charged, up to, not including, another (empty: it is barred
    still)."""

    said: Said
    position: int
    policy: str
    from_day: str
    to_day: str = ""


@dataclass(slots=True)
class Item:
    """An item of an order as fulfilment and as billing have it.

    `planned` has the pinned prices, `currency` and `account`; `charged_from` is the first day of its first charge. `active` says that the
    service is on, `begun` from which day it is the customer's where that is another; `vouched`: a person said that one of the two was done,
    so no event says on which day. Of a `device` it is on when it was `delivered`; `agreement` is that about its instalments. `compensating`
    has what it is owed for days that were missed. `ended` is the first event by which it ended.
    """

    order: str
    item: str
    planned: Said | None = None
    active: Said | None = None
    begun: Said | None = None
    vouched: bool = False
    ended: Said | None = None
    ended_position: int = 0
    step: Said | None = None
    charge: Said | None = None
    charged_from: str = ""
    withdrawn: Said | None = None
    device: Said | None = None
    delivered: Said | None = None
    agreement: Said | None = None
    lines: list[Billed] = field(default_factory=list)
    rises: list[PriceRiseAnnounced] = field(default_factory=list)
    barred: list[Barred] = field(default_factory=list)
    compensating: Compensating = field(default_factory=Compensating)

    def bars(self, said: Said, position: int) -> None:
        """Take down that its line is barred, or serves again; the policy is told with the bar."""
        policy, day = said.body.get("while_barred", "charged"), self.local_day(said)
        known = self.barred[-1] if self.barred and not self.barred[-1].to_day else None
        if policy == (known.policy if known else "charged"):
            return
        if known:
            self.barred[-1] = known._replace(to_day=day)
        if policy != "charged":
            self.barred.append(Barred(said, position, policy, day))

    def billed_to(self, billed: Billed) -> str:
        """The day up to which a line holds: what was billed before a bar whose days are credited, up to that."""
        bars = (bar for bar in self.barred if bar.policy == "credited" and bar.position > billed.position)
        first, after = str(billed.line["from_day"]), str(billed.line["to_day"])
        return min(after, *(max(bar.from_day, first) for bar in bars), after)

    def barred_between(self, from_day: str, to_day: str) -> bool:
        """Whether all of these days are barred ones that are not charged."""
        for bar in self.barred:
            from_day = max(from_day, bar.to_day or to_day) if bar.from_day <= from_day else from_day
        return from_day >= to_day

    @property
    def priced_from(self) -> str:
        """The day from which its discounts hold and rises of its price count."""
        body = self.charge.body if self.charge else {}
        return str(body.get("since") or body.get("starts_on", ""))

    def price_on(self, day: str) -> int:
        """What a period of it costs that begins on a day: as it was charged first, and the rises that were announced since."""
        assert self.charge is not None
        body = self.charge.body
        terms = PriceTerms.model_validate(body.get("terms") or {})
        market = str(body.get("market", "")).partition("@")[0]
        own = rises_of(
            self.rises,
            offering=body.get("offering", ""),
            market=market,
            recurrence=terms.recurrence,
            starts_on=self.priced_from,
        )
        return price_on(body["recurring_minor"], own, date.fromisoformat(day)) if own else int(body["recurring_minor"])

    def whole_days(self, billed: Billed) -> int:
        """How many days the period has that some days billed are a part of: one of the bill cycle, or of its own."""
        assert self.charge is not None
        recurrence = PriceTerms.model_validate(self.charge.body.get("terms") or {}).recurrence
        if recurrence.monthly:
            end = next_cycle_day(billed.days.end - timedelta(days=1), (billed.bill_day,))
            return (end - previous_month(end, billed.bill_day)).days
        first = date.fromisoformat(self.charge.body["starts_on"])
        return recurrence.period(first, max(recurrence.begun(first, billed.days.start) - 1, 0)).days

    @property
    def terms(self) -> Mapping[str, Any]:
        """The pinned prices; nothing where no plan is known."""
        return self.planned.body if self.planned else {}

    @property
    def account(self) -> str:
        """The account it is billed to, as far as anything says so."""
        return str((self.charge.body if self.charge else self.terms).get("account", ""))

    @property
    def currency(self) -> str:
        """The currency of its prices."""
        return str((self.charge.body if self.charge else self.terms).get("currency", ""))

    @property
    def waits_for_download(self) -> bool:
        """Whether the customer has yet to take the profile: until then the service is not charged."""
        steps = {step["step"] for step in self.terms.get("steps", ())}
        return "esim-download" in steps and self.begun is None and not self.vouched

    def ended_on(self) -> str:
        """The day on which it ended, by the clock of the market that its charge follows; empty while it goes on."""
        if self.ended is None:
            return ""
        return self.local_day(self.ended)

    def local_day(self, said: Said) -> str:
        """The day of an event by the clock of the market that its charge follows."""
        market = registry.market(str(self.charge.body.get("market", "")) if self.charge else "")
        return local_date(datetime.fromisoformat(said.at), market.zone if market else "UTC").isoformat()


@dataclass(slots=True)
class Deposit:
    """A deposit of an order: what is kept, what was freed, how the order ended, that its account `retained` it for bills paid in time, and
    by which bill run it was kept though enough of them were, or though that was the last one."""

    order: str
    kept: list[Said] = field(default_factory=list)
    freed: list[Said] = field(default_factory=list)
    ended: Said | None = None
    retained: Said | None = None
    overkept: Said | None = None

    @property
    def left_minor(self) -> int:
        """What is kept of it; below zero where more was given back."""
        return sum(int(said.body["amount_minor"]) for said in self.kept) - sum(int(said.body["amount_minor"]) for said in self.freed)


@dataclass(slots=True)
class Secured:
    """An account that retains deposits: its bills since the first of them, in order, each with whether it is paid and was never late, and
    before which of them none counts for a deposit."""

    deposits: list[tuple[Deposit, int]] = field(default_factory=list)
    bills: dict[str, str] = field(default_factory=dict)
    instalments: bool = False

    def told(self, seen: Seen) -> None:
        """Take down what becomes of a bill."""
        number = seen.stream.removeprefix("invoice-")
        if seen.type == "invoice.issued":
            self.bills[number] = "good" if seen.body["total_minor"] == seen.body.get("credit_used_minor", 0) else "open"
        elif number in self.bills:
            good = seen.type == "payment.received" and self.bills[number] == "open"
            self.bills[number] = "good" if good else "late" if seen.type != "payment.received" else self.bills[number]

    def run(self, said: Said) -> None:
        """A bill run of the account: what should be free by then and is not, is kept too long."""
        for deposit, since in self.deposits:
            assert deposit.retained is not None
            row = 0
            for stands in list(self.bills.values())[since:]:
                row = 0 if stands == "late" else row + (stands == "good")
            enough = row >= deposit.retained.body["good_bills"]
            if deposit.left_minor > 0 and (enough or (said.body.get("final") and not self.instalments)):
                deposit.overkept = deposit.overkept or said


@dataclass(slots=True)
class Closing:
    """An account: what is charged to it (with prices of usage: `metered`; `goods` are over with their own invoice), the end of the last of
    it that was served or could be used, its final bill, and usage that came after that and is on no bill yet (`late`). It is over since
    `over_at`, the last time that something of it ended. Its `instalments` are told beside that."""

    account: str
    currency: str = ""
    running: set[str] = field(default_factory=set)
    metered: set[str] = field(default_factory=set)
    goods: set[str] = field(default_factory=set)
    resting: set[str] = field(default_factory=set)
    ended: Said | None = None
    ended_last: str = ""
    late: Said | None = None
    over_at: str = ""
    instalments: Instalments = field(default_factory=Instalments)

    @property
    def goes_on(self) -> bool:
        """Whether anything is charged or rests, or a bill is still to come: a final one, one with late usage, or with an instalment."""
        to_pay = any(owing.left for owing in self.instalments.owing.values())
        return bool(self.running or self.resting or self.ended or self.late or to_pay)

    def told(self, seen: Seen) -> None:
        """Take an event of the account down."""
        body, key = seen.body, f"{seen.body.get('order')}/{seen.body.get('item')}"
        self.instalments.told(seen)
        match seen.type:
            case "account.charge-started" if body.get("goods"):
                self.currency = body["currency"]
                self.goods.add(key)
            case "account.charge-withdrawn" if key in self.goods:
                pass
            case "account.charge-started":
                self.currency, self.ended = body["currency"], None
                self.running.add(key)
                self.resting.discard(body.get("product", ""))
                if body.get("terms", {}).get("usage_version"):
                    self.metered.add(key)
            case "account.charge-withdrawn":
                self.running.discard(key)
                self.ended_last, self.over_at = key, seen.at
                self.resting |= {body["product"]} if body.get("rests") else set()
                self._over(seen)
            case "account.rest-ended":
                self.resting.discard(body["product"])
                self._over(seen)
            case "account.late-usage-reported":
                self.late = Said(seen.event_id, seen.at, body)
            case "account.billed":
                self.late, self.ended = None, None if body.get("final") else self.ended
                self.over_at = seen.at if self.over_at else ""

    def _over(self, seen: Seen) -> None:
        """Whether the account is to have its final bill now: nothing is charged, and nothing rests that is to be charged again."""
        if not self.running and not self.resting and (seen.body.get("served") or self.metered or seen.type == "account.rest-ended"):
            self.ended = Said(seen.event_id, seen.at, seen.body)


@dataclass(slots=True)
class Held:
    """What an account holds for its customer and goes back by no refund yet, without deposits, in minor units, what moved it last, and the
    refunds that are `wanted` of a second person."""

    minor: int = 0
    last: Said | None = None
    wanted: set[str] = field(default_factory=set)


class Gone(NamedTuple):
    """A number that went to another operator: the item whose product had it, the account that it was charged to, and what said so."""

    order: str
    item: str
    account: str
    currency: str
    said: Said


@dataclass(slots=True)
class Evidence:
    """Items by order and item, deposits by order, accounts, those that retain deposits, the rises of prices that were announced, the
    numbers that went to other operators and whose accounts were on no bill since (`gone`), what was charged for paying late by invoice
    (`lates`), the customers that are `organisations`, and prepaid money that was asked back, packs, and money that is `held`, by
    account."""

    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    deposits: dict[str, Deposit] = field(default_factory=dict)
    secured: dict[str, Secured] = field(default_factory=dict)
    closings: dict[str, Closing] = field(default_factory=dict)
    rises: list[PriceRiseAnnounced] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    lates: dict[str, list[LateLine]] = field(default_factory=dict)
    organisations: set[str] = field(default_factory=set)
    prepaid: dict[str, GivenBack] = field(default_factory=dict)
    packs: dict[str, Packs] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)

    def of(self, order: str, item: str) -> Item:
        """An item, known from here on."""
        return self.items.setdefault((order, item), Item(order, item, rises=self.rises))


def terms_of(body: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a plan or a charge says of prices, to be compared."""
    terms = {**MONTHLY.model_dump(mode="json"), **body.get("terms", {})}
    return body["recurring_minor"], body["one_time_minor"], body["currency"], *sorted(terms.items())


def day_after(day: str, days: int) -> str:
    """The day that is so many days after another, as ISO text."""
    return date.fromordinal(date.fromisoformat(day).toordinal() + days).isoformat()
