"""Twelve months of cash, and what is claimed of them: `scripts/prove --year [FOLDER] [--orders N] [--months N]`.

The orders are generated, or so many of a folder of papers, evenly over its days. What every invoice, note, balance and posting must be, tests/oracle.py works out of what
`o2c events find` prints, which is read as it comes and not kept.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from o2c import plan
from o2c.checks.assurance import check_assurance
from o2c.engine.app import Engine
from o2c.engine.runner import Runner
from o2c.files import intake, loading
from o2c.files.lines import lines_of
from o2c.partners.registry import simulated_partners
from o2c.simulation.launch import write_launch
from o2c.simulation.launch_data import FIBRE, LINE
from o2c.store.embedded import acquire
from o2c.views.ledger import lines_between, trial_balance
from o2c.views.reading import caught_up
from tests import person, year_controls, year_network
from tests.agreeing import differences, standing, sums, with_earned, wrong_papers
from tests.book import Entry, booked
from tests.campaigns import Campaigns
from tests.cash import BALANCES, OPEN
from tests.fates import Claim
from tests.oracle import LONDON, VAT, Oracle
from tests.oracle_deposits import DepositOracle
from tests.planned_debts import Plans
from tests.year_amendments import LAST
from tests.year_controls import events_in
from tests.year_deeds import Defaulting, Year
from tests.year_papers import campaigns, handsets, of_the_year, orders_of_the_year
from tests.year_same import content

SEED, WARNING_DAYS = 7, 7
FIRST = date(2026, 1, 1)
SIMS_LATER_AT = datetime(2026, 2, 2, 8, tzinfo=LONDON)
STAGES = ("due", "reminder", "final-notice", "soft-bar", "hard-bar", "terminated", "agency")
KINDS = (
    "account.instalments-agreed", "account.instalment-billed", "account.instalments-settled", "voucher.reserved", "voucher.redeemed", "voucher.released",
    "account.usage-rated", "account.credit-received", "account.credit-used", "account.money-returned", "refund.completed", "credit-note.issued",
    "invoice.voided", "invoice.written-off", "payment.received", "account.deposit-kept", "account.deposit-freed",
    "payment.charged-back", "payment.moved", "prepaid.topped-up", "quota.committed", "prepaid.expired", "collections.plan-agreed",
    "product.changed", "product.suspended", "product.resumed", "product.terminated", "account.deposit-retained",
    "order.revised", "step.renewed", "account.pack-added", "prepaid.returned",
)  # fmt: skip
RARE = (
    "payment.part-received", "account.refund-wanted", "account.refund-released", "refund.reported-paid", "invoice.tax-relieved", "invoice.write-off-reversed",
    "payment.chargeback-reversed", "account.late-usage-reported", "collections.plan-part-kept", "collections.plan-kept", "collections.plan-broken",
)  # fmt: skip
AMENDED_SHARE = 0.1
PLANNED = "SELECT count(*) AS n FROM o2c.event WHERE type = 'order.planned' AND actor = 'engine' AND occurred_at < %s AND NOT body -> 'items' @? '$[*].product ? (@ != \"\")'"
ACCOUNTS_MANY = 200
"""The ways in which money moves of which a year that proves anything has at least one, and those of a year of many accounts."""
FIND = ("events", "find", "-o", "jsonl")
BASE = {"voice": 60, "sms": 1, "roaming": 1_000_000}
"""How many base units, in which records are, a unit of the prices has."""
LEFT = """WITH taken AS MATERIALIZED (SELECT body ->> 'account' AS account, version, type, (body ->> 'through')::bigint AS through,
        coalesce(body ->> 'run_on', body ->> 'before')::timestamp AT TIME ZONE 'Europe/London' AS before
        FROM o2c.event WHERE type IN ('account.usage-rated', 'account.usage-waived')),
    fate AS (SELECT DISTINCT ON (r.id) r.id, t.type FROM o2c.usage_record r JOIN taken t USING (account)
        WHERE r.id <= t.through AND r.started_at < t.before ORDER BY r.id, t.version)
    SELECT kind, count(*) AS n, sum(quantity) AS quantity FROM o2c.usage_record LEFT JOIN fate USING (id)
    WHERE type IS DISTINCT FROM 'account.usage-rated' GROUP BY 1"""
"""The records of usage that are on no bill, by kind: those of nobody, those that came after the last run, and those of which nobody is charged as they came too
late, which the first act that takes them says: what is billed of the account later has them no more."""
LOST = """SELECT count(*) AS n FROM o2c.usage_record r WHERE waits_for = 'not-charged' AND EXISTS (
    SELECT FROM (SELECT body #>> '{standing,holds,msisdn}' AS held, occurred_at AS since,
            lead(occurred_at) OVER (PARTITION BY stream ORDER BY version) AS until
        FROM o2c.event WHERE type IN ('product.started', 'product.changed', 'product.terminated')) p
    WHERE p.held = r.party AND r.started_at > p.since + interval '1 day' AND r.started_at < coalesce(p.until, 'infinity'))"""
"""The records in suspense that were made while a product in service held the number, as if nobody were charged for it."""
Json = Mapping[str, Any]


@dataclass
class Told:
    """What the events of the year say beside what the oracle works out: papers by series, stages, warnings and bars, what was rated, how days were closed."""

    events: int = 0
    businesses: set[str] = field(default_factory=set)
    billed: set[str] = field(default_factory=set)
    serials: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    kinds: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    warned: dict[str, date] = field(default_factory=dict)
    bars: int = 0
    unwarned: list[str] = field(default_factory=list)
    rated: Counter[str] = field(default_factory=Counter)
    quantities: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    closed: dict[str, dict[str, int]] = field(default_factory=dict)
    unit_prices: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    mispriced: list[str] = field(default_factory=list)
    charges: dict[str, bool] = field(default_factory=dict)

    def take(self, event: Json) -> None:
        name, data = event["type"], event["data"]
        self.events, self.kinds[name] = self.events + 1, self.kinds[name] + 1
        self.billed |= {data["customer"]} if name == "invoice.issued" else set()
        if data.get("serial"):
            self.serials[data["series"]].append(data["serial"])
        elif name == "customer.registered":
            self.businesses |= {data["customer"]} if data["kind"] == "organisation" else set()
        elif name == "account.charge-started":
            self.charges[f"{data['order']}/{data['item']}"] = bool(data["product"])
        elif name == "collections.stage-entered":
            self.stages[data["stage"]] += 1
        elif name == "collections.warned":
            self.warned[data["notice"]] = date.fromisoformat(data["told_on"])
        elif name == "collections.bar-requested" and data["level"]:
            day, warned = _day(event), [self.warned.get(notice) for notice in data["notices"]]
            self.bars += 1
            if not any(told and told + timedelta(WARNING_DAYS) <= day for told in warned):
                self.unwarned.append(f"{event['stream']} on {day}")
        elif name == "account.usage-rated":
            self.rated["unpriced"] += data["unpriced"]
            for line in data["lines"]:
                charged = Fraction(line["quantity"]) - Fraction(line["included"]) - Fraction(line["not_chargeable"])
                if Fraction(line["amount"]) != charged * self.unit_prices[line["offering"], line["price"]]:
                    self.mispriced.append(f"{event['stream']} {line}")
                self.rated[line["usage"]] += line["records"]
                self.quantities[line["usage"]] += Fraction(line["quantity"])
        elif name == "catalogue.offering-published":
            usage = [price["usage"] for price in data["prices"] if price["usage"]]
            self.unit_prices |= {(data["offering"], each["name"]): Fraction(each["model"]["unit_amount"]) for each in usage}
        elif name == "ledger.closed":
            self.closed[data["day"]] = {row["ledger_account"]: row["balance_minor"] for row in data["totals"]}


def _day(event: Json) -> date:
    return datetime.fromisoformat(event["occurred_at"]).astimezone(LONDON).date()


def lived(app: Engine, home: Path, folder: Path | None, orders: int, months: int) -> Year:
    """A store in which a year has passed: papers taken in, and people doing what they do."""
    app.create_clock(kind="simulated", seed=SEED)
    provider = simulated_partners(SEED, {})
    book, network = list[Entry](), year_network.Network(provider["network"])
    provider = {**provider, "payment-provider": Defaulting(provider["payment-provider"], SEED), "network": network}
    runner = Runner(app, booked(provider, book))
    rising: tuple[str, ...] = (LINE.id, FIBRE.id)
    if folder is None:
        folder = home / "papers"
        write_launch(folder, count=orders, seed=SEED)
    else:
        rising = ("mobile-line", "broadband-fibre")
    lines = list(lines_of(paper(folder, "orders.tmf622.jsonl")))
    orders_of = orders_of_the_year(lines[:: max(len(lines) // orders, 1)][:orders], SEED)
    catalogue, papers = home / "catalogue.json", home / "orders.jsonl"
    catalogue.write_text(json.dumps(of_the_year(json.loads(b"".join(lines_of(paper(folder, "catalogue.tmf620.json")))))), encoding="utf-8")
    papers.write_bytes(b"\n".join(orders_of) + b"\n")
    loading.load_catalogue(app, catalogue)
    loading.load_customers(app, paper(folder, "customers.tmf632.jsonl"))
    for what, name, at in (("sims", "sims-1.csv", None), ("numbers", "numbers.csv", None), ("sims", "sims-2.csv", SIMS_LATER_AT)):
        loading.load_stock(app, runner, what, paper(folder, name), at)
    for stock, when in zip(handsets(home, orders), (None, SIMS_LATER_AT), strict=True):
        loading.load_stock(app, runner, "devices", stock, when)
    campaigns(app, orders)
    intake.Intake(app, papers, home / "quarantine").run()
    year = Year(app, runner, home, SEED, FIRST, rising, book, network.books)
    year.live(months)
    return year


def paper(folder: Path, name: str) -> Path:
    """A file of the folder, packed or not."""
    return packed if (packed := folder / f"{name}.gz").exists() else folder / name


def printed(app: Engine, home: Path) -> Path:
    """The whole log as `o2c events find` prints it, in its order."""
    file = home / "events.jsonl"
    environment = {**os.environ, "O2C_DSN": app.dsn, "O2C_HOME": str(home)}
    with file.open("wb") as out:
        subprocess.run([sys.executable, "-c", person.PROGRAM, *FIND], env=environment, stdout=out, check=True)
    return file


def claims(app: Engine, year: Year, file: Path) -> Iterator[Claim]:
    """One by one, each with its figures."""
    caught_up(app)
    oracle, told, campaigns = DepositOracle(), Told(), Campaigns()
    plans = Plans(oracle)
    for event in events_in(file):
        for each in (oracle, told, campaigns, plans):
            each.take(event)
    wrong = wrong_papers(oracle)
    accounts = [account for account in oracle.accounts.values() if any(account.posted.values())]
    bills = [bill for account in oracle.accounts.values() for bill in account.bills.values()]
    papers = f"{told.kinds['invoice.issued']} invoices with {sum(len(bill.lines) for bill in bills)} lines, {told.kinds['credit-note.issued']} notes"
    papers += f", {told.kinds['invoice.voided']} voids of {len(accounts)} accounts out of {told.events} events{_first(wrong)}"
    yield Claim("every invoice and note is the oracle's", bool(bills) and not wrong, papers)
    yield postings_agree(app, oracle)
    yield balances_agree(app, oracle)
    yield closings_agree(oracle, told)
    last = trial_balance(app)
    differing = [row for row in last["compared"] if row["difference_minor"]]
    figures = f"{len(last['accounts'])} accounts sum to zero, {len(last['compared'])} compared, {len(differing)} differ"
    yield Claim("the trial balance is what the projections say", last["balanced"] and not differing, figures)
    leaks = check_assurance(app)
    yield Claim("nothing leaks from order to bill", not leaks, f"{len(leaks)} leaks{_first([str(leak.row()) for leak in leaks])}")
    holes = gaps(told.serials)
    papers = ", ".join(f"{series} 1 to {max(found)}" for series, found in sorted(told.serials.items()))
    yield Claim("every series is without a gap", bool(told.serials) and not holes, f"{papers}{_first(holes)}")
    warned = f"{told.bars} bars, {told.kinds['collections.warned']} warnings{_first(told.unwarned)}"
    yield Claim("no bar without a warning that was given before", told.bars > 0 and not told.unwarned, warned)
    yield usage_agrees(app, year, told)
    uses = {name: told.kinds[f"voucher.{name}"] for name in ("issued", "reserved", "redeemed", "released")}
    yield Claim(
        "every voucher was its campaign's to give", uses["redeemed"] > 0 and not campaigns.wrong, f"{uses}{_first(campaigns.wrong)}"
    )
    yield from money_of_every_kind(oracle, told, plans)
    of_kinds = {kind: told.kinds[kind] for kind in (*KINDS, *(RARE if len(accounts) > ACCOUNTS_MANY else ()))}
    yield from year_network.claims(app, year.book, year.network)
    [planned] = app.reads.rows(PLANNED, LAST)
    share = len(year.amended) / max(planned["n"], 1)
    figures = f"{len(year.amended)} of {planned['n']} planned orders ({100 * share:.0f} %), {told.kinds['order.revised']} times, {told.kinds['order.revision-refused']} past; refused {dict(year.why)}"
    yield Claim("orders are changed in flight", share >= AMENDED_SHARE, figures)
    yield Claim("money moved in every way", all(of_kinds.values()), str(of_kinds))
    yield Claim("collections ran all stages", all(told.stages[stage] for stage in STAGES), str(dict(told.stages)))
    yield from controls(oracle, told, file)


def money_of_every_kind(oracle: Oracle, told: Told, plans: Plans) -> Iterator[Claim]:
    """That there was something of each, and it was as it must be: the rates of tax, plans of debts, what changed of products in service, prepaid usage."""
    lines = [line for account in oracle.accounts.values() for bill in account.bills.values() for line in bill.lines]
    nets = {group: sum(line.net for line in lines if line.group == group) for group in VAT}
    nets = {group: net for group, net in nets.items() if group != "late-payment" or told.billed & told.businesses}
    yield Claim("bills have every rate of tax", all(nets.values()), f"net by group {nets}, {len(told.billed & told.businesses)} businesses")
    agreed = {name: told.kinds[f"collections.plan-{name}"] for name in ("agreed", "part-kept", "kept", "broken")}
    yield Claim(
        "every plan is of the whole debt, kept or broken as it was paid",
        agreed["agreed"] > 0 and not plans.wrong,
        f"{agreed}{_first(plans.wrong)}",
    )
    changed = {key for key, started in told.charges.items() if started}
    of_changed = [line for line in lines if line.key in changed]
    figures = (
        f"{len(changed)} charges began or went on otherwise, {len(of_changed)} lines of bills, net {sum(line.net for line in of_changed)}"
    )
    yield Claim("what changed of products in service is billed", bool(of_changed), figures)
    paid = {
        name: sum(each.posted[day, chart] for each in oracle.accounts.values() for day, chart in each.posted if chart == name)
        for name in ("prepaid",)
    }
    figures = f"{told.kinds['prepaid.topped-up']} top-ups, {told.kinds['quota.committed']} sessions, {told.kinds['prepaid.expired']} expired, left {-paid['prepaid']}"
    yield Claim("prepaid money stands until it is used or expires", told.kinds["quota.committed"] > 0 and paid["prepaid"] <= 0, figures)


def postings_agree(app: Engine, oracle: Oracle) -> Claim:
    """Day by day, by account and account of the chart, what days earned included: a month of the export at a time."""
    lines, wrong, last = 0, list[str](), date.fromisoformat(trial_balance(app)["on"])
    since = date(2000, 1, 1)
    while since <= last:
        until = (
            min(last, date(since.year + since.month // 12, since.month % 12 + 1, 1) - timedelta(1))
            if since >= FIRST
            else FIRST - timedelta(1)
        )
        posted: dict[str, Counter[tuple[date, str]]] = defaultdict(Counter)
        for row in lines_between(app, since, until):
            lines += 1
            posted[row["account"]][row["day"], row["ledger_account"]] += row["debit_minor"] - row["credit_minor"]
        wrong += differences({name: with_earned(account, since, until) for name, account in oracle.accounts.items()}, posted)
        since = until + timedelta(1)
    return Claim("every posting is the oracle's", lines > 0 and not wrong, f"{lines} lines of the export{_first(wrong)}")


def balances_agree(app: Engine, oracle: Oracle) -> Claim:
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for row in (*app.reads.rows(BALANCES), *app.reads.rows(OPEN)):
        told[row.pop("account")].update(row)
    known = len(told)
    must = {name: standing(account) for name, account in oracle.accounts.items()}
    wrong = [
        f"{name}: must be {must.get(name)}, is {dict(told[name])}"
        for name in sorted(must.keys() | told.keys())
        if not _same(must.get(name, {}), told[name])
    ]
    whole: Counter[str] = Counter()
    for each in must.values():
        whole.update(each)
    return Claim("every balance is the oracle's", bool(must) and not wrong, f"{known} accounts, in all {dict(whole)}{_first(wrong)}")


def _same(must: Json, told: Json) -> bool:
    return all(must.get(name, 0) == told.get(name, 0) for name in must.keys() | told.keys())


def closings_agree(oracle: Oracle, told: Told) -> Claim:
    """How the accounts of the chart stood at the end of every day that was closed."""
    wrong = []
    for day, totals in told.closed.items():
        must = sums(oracle.accounts.values(), date.fromisoformat(day))
        wrong += [f"{day}: must be {must}, is {totals}"] if must != totals else []
    return Claim("every closed day is the oracle's", bool(told.closed) and not wrong, f"{len(told.closed)} days closed{_first(wrong)}")


def usage_agrees(app: Engine, year: Year, told: Told) -> Claim:
    """What was used is on a bill once, or on none yet: by kind the records and their quantities."""
    left = {row["kind"]: row for row in app.reads.rows(LEFT)}
    wrong = list(told.mispriced)
    for kind, base in BASE.items():
        made = [record for record in year.used.values() if record["kind"] == kind]
        rest = left.get(kind, {"n": 0, "quantity": 0})
        must = len(made) - rest["n"], Fraction(sum(record["quantity"] for record in made) - rest["quantity"]) / base
        if must != (told.rated[kind], told.quantities[kind]):
            wrong.append(f"{kind}: must be {must}, is {told.rated[kind], told.quantities[kind]}")
    [lost] = app.reads.rows(LOST)
    wrong += [f"{lost['n']} records of numbers in service are in suspense"] if lost["n"] else []
    figures = (
        f"{len(year.used)} records made, {sum(row['n'] for row in left.values())} on no bill yet, billed {dict(told.rated)}{_first(wrong)}"
    )
    return Claim("what was used is billed once, at its price", not wrong and told.rated.total() > 0, figures)


def gaps(serials: Mapping[str, list[int]]) -> list[str]:
    return [
        f"{series} has {len(found)}, up to {max(found)}"
        for series, found in serials.items()
        if sorted(found) != list(range(1, len(found) + 1))
    ]


def controls(oracle: Oracle, told: Told, file: Path) -> Iterator[Claim]:
    """The same eyes see a penny, a missing number and a missing warning: in the events of accounts, and in what was counted."""
    # Who is no business owes no interest.
    found = {way: seen for way, seen in year_controls.found(oracle, file).items() if way != "late payment" or told.billed & told.businesses}
    yield Claim("control: a penny more is found", all(found.values()), str(found))
    holes = [series for series, numbers in told.serials.items() if gaps({series: numbers[:-2] + numbers[-1:]})]
    yield Claim("control: a number that is missing is found", len(holes) == len(told.serials), f"{len(holes)} series")
    blind, dear = Told(), Told()
    for event in events_in(file):
        if event["type"] != "collections.warned":
            blind.take(event)
        if event["type"].startswith(("catalogue.", "account.usage-rated")):
            dear.take(year_controls.forged([event], "usage")[0])
    yield Claim("control: a bar without its warning is found", len(blind.unwarned) == told.bars, f"{len(blind.unwarned)} bars")
    dearer = f"{len(dear.mispriced)} lines"
    yield Claim("control: usage at another price is found", len(dear.mispriced) > 0 == len(told.mispriced), dearer)


def _first(wrong: list[str]) -> str:
    return f"; {len(wrong)} differ: {wrong[0][:600]}" if wrong else ""


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/prove --year", description="Let a year of money pass and prove it against an independent oracle."
    )
    parser.add_argument("folder", type=Path, nargs="?", help="papers as for scripts/prove; without it orders are generated")
    parser.add_argument("--orders", type=int, default=1000, help="so many orders")
    parser.add_argument("--months", type=int, default=12, help="so many months from January 2026 on")
    chosen = parser.parse_args()
    start, good = time.monotonic(), True
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="o2c-year-")))
        # The embedded server of root runs as another user, who must reach its data.
        home.chmod(0o755)
        dsn = os.environ.get("O2C_DSN") or stack.enter_context(acquire(home / "server")).dsn
        app = stack.enter_context(closing(Engine(dsn, plan.KINDS)))
        year = lived(app, home, chosen.folder, chosen.orders, chosen.months)
        tell(
            f"        {chosen.orders} orders lived for {chosen.months} months ({time.monotonic() - start:.0f} s): {dict(year.done)}, refused {dict(year.refused)}"
        )
        file = printed(app, home)
        tell(f"        the log as `o2c events find` prints it, {file.stat().st_size / 1e6:.0f} MB ({time.monotonic() - start:.0f} s)")
        tell(f"        the same run has the same events: {content(events_in(file))}")
        for claim in claims(app, year, file):
            tell(f"{'ok    ' if claim.good else 'FAILED'}  {claim.name}: {claim.figures}")
            good = good and claim.good
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    tell(f"{'all claims hold' if good else 'NOT all claims hold'} ({time.monotonic() - start:.0f} s, at most {most} MB)")
    return 0 if good else 5


if __name__ == "__main__":
    sys.exit(main())
