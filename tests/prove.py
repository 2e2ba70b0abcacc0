"""The main job on a folder of papers, and what it claims with its figures: `scripts/prove FOLDER [--orders N] [--faults FILE] [--desks N]`.

With faults of the partners as data it proves instead what must hold when they are in trouble and people work the queue (tests/show.py).

What must come of the papers is worked out by tests/flaws.py and tests/oracle.py, which import nothing of the engine.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, nullcontext
from datetime import UTC, datetime
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from o2c import plan
from o2c.checks.diagnose import run_checks
from o2c.checks.server import ABOUT_SERVER
from o2c.desk.partners import plan_faults
from o2c.engine.app import Context, Engine
from o2c.engine.runner import Runner
from o2c.files import intake, loading
from o2c.files.fault_plan import read_fault_plan
from o2c.files.lines import lines_of
from o2c.kernel.refusal import Refused
from o2c.partners.faults import Faults
from o2c.partners.registry import PARTNERS, simulated_partners
from o2c.partners.rules import faults_of
from o2c.simulation.office import staffed
from o2c.store.embedded import ServerUnavailable, acquire
from o2c.views.reading import time_of
from o2c.views.status import show_status
from o2c.views.timeline import order_timeline
from projections.engine.operations import ALL, catch_up, rebuild
from tests import billed, cash, fates, flaws, limits, lost, person, ports, promised, show
from tests.agreeing import BANK_HOLIDAYS, disagreements
from tests.bench.watch import Spent, spent
from tests.book import Entry, booked
from tests.fates import Claim
from tests.oracle import LONDON

SEED = 7
SIMS_LATER_AT = datetime(2026, 2, 2, tzinfo=UTC)
UNTIL = datetime(2026, 4, 15, tzinfo=UTC)
DRAWN_ORDERS = 500
SIMS_FREE = """WITH moved AS (
        SELECT body ->> 'kind' AS kind, type, sum(CASE type WHEN 'sim.taken' THEN -1 ELSE 1 END) OVER (PARTITION BY body ->> 'kind' ORDER BY position) AS free
        FROM o2c.event WHERE type IN ('sim.received', 'sim.restocked', 'sim.taken') AND occurred_at < %(until)s),
    waited AS (SELECT split_part(body ->> 'awaits', '/', 2) AS kind, count(DISTINCT (stream, body ->> 'item')) AS lines
        FROM o2c.event WHERE type = 'sim.fell-out' AND body ->> 'awaits' <> '' AND occurred_at < %(until)s GROUP BY 1)
    SELECT kind, count(*) FILTER (WHERE type <> 'sim.taken') AS had, count(*) FILTER (WHERE type = 'sim.taken') AS taken,
        coalesce(min(free) FILTER (WHERE type = 'sim.taken'), count(*)) AS fewest, coalesce(min(lines), 0) AS waited
    FROM moved LEFT JOIN waited USING (kind) GROUP BY kind ORDER BY kind"""
"""By kind the SIMs that were there and that were taken before a time, the fewest that were ever free, and the lines that waited for one. Parameter: `until`."""
REFUSED_EXIT, FAILED_EXIT = 2, 5
Result = TypeVar("Result")


class Wish(NamedTuple):
    """How the job is to be run.

    With `desks` simulated agents work the queue, and at `work_at` a person works its biggest group; `least` is how many orders must be in that
    group, and in one outage.
    """

    orders: int | None = None
    faults: Path | None = None
    desks: int = 0
    work_at: datetime | None = None
    least: int = 0
    against_clean: bool = False


class Job(NamedTuple):
    """The job that was run: its orders' file, its papers as judged independently, and what the intake said of them.

    `book` is what partners wrote down, `worked` what a person did, `took` what it took from the intake on, and `clean` what the same papers take
    where nothing is wrong and nobody works (None: not tried).
    """

    app: Engine
    orders: Path
    papers: flaws.Papers
    counts: intake.Counts
    catalogue: Path
    wish: Wish
    book: list[Entry]
    worked: person.Worked | None
    took: Spent
    clean: Spent | None


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def timed(what: str, work: Callable[[], Result]) -> Result:
    start = time.monotonic()
    result = work()
    tell(f"        {what} ({time.monotonic() - start:.1f} s)")
    return result


def paper(folder: Path, name: str) -> Path:
    """A file of the folder, packed or not."""
    packed = folder / f"{name}.gz"
    return packed if packed.exists() else folder / name


def run_job(app: Engine, folder: Path, home: Path, wish: Wish, clean: Spent | None = None) -> Job:
    app.create_clock(kind="simulated", seed=SEED)
    planned = planned_faults(app, wish.faults) if wish.faults else {}
    book: list[Entry] = []
    runner = Runner(app, booked(simulated_partners(SEED, planned), book))
    chosen = home / "orders.tmf622.jsonl"
    chosen.write_bytes(b"\n".join(islice(lines_of(paper(folder, chosen.name)), wish.orders)) + b"\n")
    timed("catalogue taken in", lambda: loading.load_catalogue(app, paper(folder, "catalogue.tmf620.json")))
    timed("customers taken in", lambda: loading.load_customers(app, paper(folder, "customers.tmf632.jsonl")))
    for what, name, at in (("sims", "sims-1.csv", None), ("numbers", "numbers.csv", None), ("sims", "sims-2.csv", SIMS_LATER_AT)):
        timed(f"{name} taken in or announced", partial(loading.load_stock, app, runner, what, paper(folder, name), at))
    began = spent(app)
    counts = timed("orders taken in", intake.Intake(app, chosen, home / "quarantine").run)
    worked = None
    if wish.work_at:
        driven(app, runner, wish, wish.work_at)
        worked = timed("the biggest group worked by a person", lambda: person.worked_biggest(app.dsn, str(home)))
    driven(app, runner, wish, UNTIL)
    timed("projections caught up", lambda: catch_up(app.dsn))
    took = Spent(*(after - before for after, before in zip(spent(app), began, strict=True)))
    return Job(app, chosen, judged(folder, chosen), counts, paper(folder, "catalogue.tmf620.json"), wish, book, worked, took, clean)


def driven(app: Engine, runner: Runner, wish: Wish, until: datetime) -> None:
    """Let time pass, with agents at the desks where there are any."""
    desks = f" with {wish.desks} desks" if wish.desks else ""
    with staffed(app, wish.desks) if wish.desks else nullcontext() as office:
        timed(f"run until {until:%Y-%m-%dT%H:%MZ}{desks}", lambda: runner.run(until, office))


def spent_clean(folder: Path, orders: int | None) -> Spent:
    """What the same papers take where nothing is wrong and nobody works, in a store and a process of their own."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="o2c-prove-")))
        home.chmod(0o755)
        app = stack.enter_context(closing(Engine(stack.enter_context(acquire(home / "server")).dsn, plan.KINDS)))
        return run_job(app, folder, home, Wish(orders)).took


def planned_faults(app: Engine, file: Path) -> dict[str, Faults]:
    """The faults that a file plans, which are kept in the store as well."""
    rows = read_fault_plan(file)
    plan_faults(app, Context("prove"), rows)
    return {name: Faults(told) for name, told in faults_of(rows, PARTNERS).items()}


def judged(folder: Path, orders: Path) -> flaws.Papers:
    catalogue = json.loads(b"".join(lines_of(paper(folder, "catalogue.tmf620.json"))))
    customers = map(json.loads, lines_of(paper(folder, "customers.tmf632.jsonl")))
    return flaws.read(lines_of(orders), flaws.market(catalogue, customers))


def every_line(job: Job) -> Iterator[Claim]:
    papers, counts = job.papers, job.counts
    must = intake.Counts(papers.lines, len(papers.fates), papers.same, papers.changed.total(), 0)
    figures = f"{must.lines} lines = {must.captured} orders + {must.duplicates} the same again + {must.resubmitted} changed + 0 refused"
    yield Claim("every line is accounted for", must == counts, figures if must == counts else f"{figures}; the intake says {counts}")


def ingested_again(job: Job) -> Iterator[Claim]:
    sql = "SELECT count(*) AS n, count(*) FILTER (WHERE type = 'intake.closed') AS closed FROM o2c.event"
    [before] = job.app.reads.rows(sql)
    counts = intake.Intake(job.app, job.orders, job.orders.parent / "quarantine").run()
    [after] = job.app.reads.rows(sql)
    appended = {key: after[key] - before[key] for key in before}
    good = appended == {"n": 1, "closed": 1} and counts.duplicates == job.papers.lines
    yield Claim("the same file again appends its closing record only", good, f"{appended['n']} event, {counts.duplicates} duplicates")


def stock_ran_out(job: Job) -> Iterator[Claim]:
    """Of each kind of SIM before the second delivery: nobody gets what is not there, and nobody waits while the first one lasts."""
    rows = job.app.reads.rows(SIMS_FREE, until=SIMS_LATER_AT)
    wrong = [row for row in rows if row["fewest"] < 0 or (row["waited"] and row["fewest"])]
    figures = ", ".join(f"{row['kind']}: {row['taken']} of {row['had']} taken, {row['waited']} waited" for row in rows)
    yield Claim(f"lines waited for a SIM before {SIMS_LATER_AT:%d %B} only where all were taken", bool(rows) and not wrong, figures)


def stock_waited_for(job: Job) -> Iterator[Claim]:
    sql = """SELECT external_id, f.item, reason, f.closed_at, f.state, i.state AS item_state FROM projection.fallout f
        JOIN projection.orders USING (order_id) JOIN projection.items i ON i.order_id = f.order_id AND i.item = f.item
        WHERE reason IN ('INV-SIM', 'INV-NUM') ORDER BY external_id, f.item"""
    waited = job.app.reads.rows(sql)
    ended = [row for row in waited if row["item_state"] in ("failed", "cancelled")]
    served = [row for row in waited if row not in ended and row["state"] == "closed" and row["closed_at"] >= SIMS_LATER_AT]
    left = [row for row in waited if row not in ended and row not in served]
    orders = len({row["external_id"] for row in waited})
    figures = f"{len(waited)} items of {orders} orders waited, {len(served)} served, {len(ended)} ended otherwise"
    yield Claim(f"who waited for stock was served after {SIMS_LATER_AT:%d %B}", not left, figures + (f", {len(left)} not" if left else ""))


def invoices_agree(job: Job) -> Iterator[Claim]:
    """The oracle sees what `o2c orders timeline` tells, some hundred orders at a time, those of one account together."""
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    for number, orders in enumerate(_drawn(job.app)):
        told = [json.loads(json.dumps(event)) for order in orders for event in order_timeline(job.app, order)]
        wrong += disagreements(told)
        seen["invoices"] += len({event["stream"] for event in told if event["type"] == "invoice.issued"})
        seen["orders"] += len(orders)
        if number == 0:
            yield Claim(f"the oracle agrees on a draw of {len(orders)} orders", not wrong, f"{seen['invoices']} invoices to the penny")
    figures = f"{seen['orders']} orders, {seen['invoices']} invoices" + (f"; {len(wrong)} differ: {wrong[0][:400]}" if wrong else "")
    yield Claim("the oracle agrees on every invoice", not wrong and seen["invoices"] > 0, figures)


def books_agree(job: Job) -> Iterator[Claim]:
    yield from cash.claims(job.app, _drawn(job.app))


def billed_by_period(job: Job) -> Iterator[Claim]:
    """Plans against the price list, charges against plans, invoice lines against charges."""
    rows = job.app.reads.rows
    plans, started, accounts = rows(billed.PLANS), [row["key"] for row in rows(billed.STARTED)], rows(billed.ACCOUNTS)
    lines = [row["line"] for row in rows(billed.LINES)]
    wrong = list(billed.wrong(json.loads(b"".join(lines_of(job.catalogue))), plans, started, accounts, lines))
    periods = Counter(
        f"every {price.months} months {price.days} days" for row in plans for price in billed.planned_prices(row["item"]) if any(price[1:])
    )
    figures = f"{len(plans)} planned items, {len(started)} charged, {len(lines)} invoice lines; recurring prices: {dict(periods)}"
    figures += f"; {len(wrong)} wrong: {wrong[0][:400]}" if wrong else ""
    yield Claim("every captured price is billed by its period", not wrong and bool(lines), figures)


def _drawn(app: Engine) -> Iterator[list[str]]:
    """Order ids, DRAWN_ORDERS or a few more at a time; ids are hashes, so their order is a draw of its own."""
    sql = """SELECT substr(stream, 7) AS order_id, min(substr(stream, 7)) OVER (PARTITION BY state->>'account') AS first FROM o2c.head
        WHERE starts_with(stream, 'order-') ORDER BY first, order_id"""
    drawn: list[str] = []
    for _, rows in groupby(app.reads.rows(sql), key=lambda row: row["first"]):
        drawn += [row["order_id"] for row in rows]
        if len(drawn) >= DRAWN_ORDERS:
            yield drawn
            drawn = []
    if drawn:
        yield drawn


def debits_on_bank_days(job: Job) -> Iterator[Claim]:
    """Every answer of the provider to a debit, money or return, by the London date on which it was asked."""
    sql = """SELECT e.type, e.occurred_at FROM o2c.event e WHERE e.type IN ('payment.received', 'payment.fell-out') AND e.actor = 'engine'
        AND (SELECT r.body->>'method' FROM o2c.event r WHERE r.stream = e.stream AND r.type = 'payment.requested' AND r.version < e.version
        ORDER BY r.version DESC LIMIT 1) = 'direct-debit'"""
    asked = [(row["type"], row["occurred_at"].astimezone(LONDON).date()) for row in job.app.reads.rows(sql)]
    wrong = sorted(day for _, day in asked if day.weekday() >= 5 or str(day) in BANK_HOLIDAYS)
    came = sum(kind == "payment.received" for kind, _ in asked)
    figures = f"{len(asked)} debits presented, {came} paid, {len(wrong)} on a non-bank day" + (f", first {wrong[0]}" if wrong else "")
    yield Claim("0 debits on a non-bank day", not wrong and bool(asked), figures)


def sums(job: Job) -> Iterator[Claim]:
    status = show_status(job.app)
    [log] = job.app.reads.rows(
        "SELECT coalesce(sum((body->>'total_minor')::bigint), 0)::bigint AS invoiced_minor,"
        " coalesce(sum((body->>'amount_minor')::bigint), 0)::bigint AS paid_minor FROM o2c.event"
        " WHERE type IN ('invoice.issued', 'payment.received', 'payment.part-received')"
    )
    orders = status["orders"]
    [approved] = job.app.reads.rows(
        "SELECT count(*) AS n FROM o2c.event WHERE type = 'duplicate.settled' AND body->>'decision' = 'approve'"
    )
    captured = job.counts.captured + approved["n"]
    figures = f"{sum(orders.values())} orders {orders}, items {status['items']}; {approved['n']} of them came of changed papers that a person approved"
    yield Claim("orders by state make up what was captured", sum(orders.values()) == captured, figures)
    money = status["money"].get("GBP", {})
    money = {name: money.get(name) for name in log}
    yield Claim("the money of the invoices is the money of the log", money == log, f"{status['invoices']}, {log}")


def rebuilt(job: Job) -> Iterator[Claim]:
    for projection in ALL:
        found = rebuild(job.app.dsn, projection)
        differing, rows = (found.differing, found.rows) if found else (0, 0)
        yield Claim(
            f"projection {projection.name} equals a rebuild", found is not None and not differing, f"{rows} rows, {differing} differ"
        )


def diagnosed(job: Job) -> Iterator[Claim]:
    catch_up(job.app.dsn)
    for check in run_checks(job.app):
        # Whether a throwaway server archives its WAL, or where its disk is, says nothing of the job.
        if check.state == "could not check" and check.name in ABOUT_SERVER:
            continue
        yield Claim(
            check.name, check.state == "ok", check.detail if check.state != "could not check" else f"could not check: {check.detail}"
        )


def in_trouble(job: Job) -> Iterator[Claim]:
    """What the log and the partners' books say of a run with trouble in it; the log as `o2c events find` prints it."""
    records = timed("the log as `o2c events find` prints it", lambda: show.found(job.app.dsn, job.orders.parent))
    yield from show.claims(job.app, records, job.book, job.worked, least=job.wish.least)


def fast_enough(job: Job) -> Iterator[Claim]:
    """Against a clean run of the same papers just before, where one was wanted."""
    if job.clean:
        figures = f"{job.papers.lines / job.took.wall_s:.1f} lines a second, {job.papers.lines / job.clean.wall_s:.1f} in a clean run"
        figures += (
            f"; {job.took.cpu_s:.0f} s of the processors, {job.clean.cpu_s:.0f} in a clean run; load average {os.getloadavg()[0]:.1f}"
        )
        yield Claim("at least half as fast as a clean run", job.took.wall_s <= 2 * job.clean.wall_s, figures)


Part = Callable[[Job], Iterator[Claim]]
MONEY: tuple[Part, ...] = (sums, debits_on_bank_days, invoices_agree, books_agree)
CLAIMS: tuple[Part, ...] = (
    every_line,
    lambda job: lost.nothing_lost(lines_of(job.orders), lost.log_of(job.app)),
    lambda job: fates.claims(job.app, job.papers),
    stock_ran_out,
    stock_waited_for,
    lambda job: limits.claims(job.app),
    lambda job: ports.claims(job.app.reads.rows(ports.EVENTS_OF_PORTS)),
    lambda job: promised.claims(job.app),
    *MONEY,
    billed_by_period,
    ingested_again,
    diagnosed,
    rebuilt,
)
UNDER_FAULTS: tuple[Part, ...] = (every_line, in_trouble, fast_enough, *MONEY, diagnosed, rebuilt)
"""What is claimed of a run whose partners are in trouble: what comes of an order may differ then, and what an invoice says may not."""


def prove(job: Job, parts: tuple[Part, ...]) -> bool:
    """Tell every claim; whether all hold."""
    all_good = True
    for part in parts:
        for claim in part(job):
            tell(f"{'ok    ' if claim.good else 'FAILED'}  {claim.name}: {claim.figures}")
            all_good = all_good and claim.good
    return all_good


def apart(work: Callable[..., Result], *arguments: object) -> Result:
    """Do it in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as one:
        return one.apply(work, arguments)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/prove", description="Run the main job on a folder of papers and prove what it claims.")
    parser.add_argument(
        "folder",
        type=Path,
        help="holds catalogue.tmf620.json, customers.tmf632.jsonl, sims-1.csv, sims-2.csv, numbers.csv, orders.tmf622.jsonl",
    )
    parser.add_argument("--orders", type=int, help="only the first so many lines")
    parser.add_argument("--faults", type=Path, help="faults and outages of the partners, as for `o2c init --faults`")
    parser.add_argument("--desks", type=int, default=0, help="simulated agents who work the queue, as for `o2c run --desks`")
    parser.add_argument("--work-at", type=time_of, help="when a person works the biggest group of the queue: 2026-01-15T08:00:00Z")
    parser.add_argument("--least", type=int, default=0, help="how many orders must be in that group, and in one outage")
    parser.add_argument("--against-clean", action="store_true", help="run the same papers without trouble first, for the speed")
    chosen = parser.parse_args()
    wish = Wish(**{name: value for name, value in vars(chosen).items() if name != "folder"})
    start = time.monotonic()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="o2c-prove-")))
        # The embedded server of root runs as another user, who must reach its data.
        home.chmod(0o755)
        try:
            clean = apart(spent_clean, chosen.folder, wish.orders) if wish.against_clean else None
            dsn = os.environ.get("O2C_DSN") or stack.enter_context(acquire(home / "server")).dsn
            app = stack.enter_context(closing(Engine(dsn, plan.KINDS)))
            good = prove(run_job(app, chosen.folder, home, wish, clean), UNDER_FAULTS if wish.faults or wish.desks else CLAIMS)
        except (Refused, ServerUnavailable) as error:
            sys.stderr.write(f"prove: {error}\n")
            return REFUSED_EXIT
    tell(f"{'all claims hold' if good else 'NOT all claims hold'} ({time.monotonic() - start:.0f} s)")
    return 0 if good else FAILED_EXIT


if __name__ == "__main__":
    sys.exit(main())
