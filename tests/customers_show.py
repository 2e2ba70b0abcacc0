"""Months of people, and what is claimed of how they were treated: `scripts/prove --customers [FOLDER] [--orders N] [--months N] [--faults
FILE] [--desks N]`.

The orders are generated, or so many of a folder of papers, evenly over its days. Nobody is lost on the way, everybody is told, once; each
figure is counted again from what `o2c events find` prints, and the same eyes see an event that is missing.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from o2c import plan
from o2c.checks.conformance import check_conformance
from o2c.desk.accounts import place_account
from o2c.desk.messages import start_messages
from o2c.desk.triggers import set_triggers
from o2c.engine.app import Engine
from o2c.engine.runner import Runner
from o2c.files import intake, loading
from o2c.files.lines import lines_of
from o2c.kernel.chance import draw
from o2c.partners.registry import simulated_partners
from o2c.simulation.months import write_months
from o2c.store.embedded import acquire
from o2c.views.forecasting import forecast_queues
from o2c.views.jeopardy import score_jeopardy
from o2c.views.jeopardy_scored import COHORTS
from o2c.views.journeys import show_journey
from o2c.views.messages import silences
from o2c.views.promised import count_promises, list_promises
from o2c.views.shown import JeopardyScoreShown
from o2c.views.waiting import waiting_times, work_in_progress
from tests import promised, show
from tests.customers_claims import (
    KEY_ACCOUNT,
    complaints_agree,
    key_accounts_agree,
    more_controls,
    ours_agree,
    told_of_a_job,
    triggers_agree,
)
from tests.customers_people import OLGA, TRIGGERS, People, agree_with_businesses, journeys_of, some_of
from tests.fates import Claim
from tests.prove import SIMS_LATER_AT, UNTIL, paper, planned_faults, tell
from tests.recount import ENDS, Record

SEED, DAYS_AFTER, BACK_TESTS_MIN = 7, 45, 20
KEY_ACCOUNTS, PRIORITY, IN_TREES = 0.04, 0.10, 0.5
"""How many of the customers of generated months are key accounts, how many are these or have priority, and how many key accounts have a
cost centre whose group pays."""
COVERED_PERCENT = range(80, 101)
WAITERS = ("us_s", "customer_s", "partner_s", "regulator_s", "channel_s")
Json = dict[str, Any]
OURS = "SELECT stream FROM o2c.event WHERE type = 'order.captured' AND body ->> 'apart' <> ''"
"""The orders of programs and of tests of our own, of which no promise counts. No parameters."""


def lived(app: Engine, home: Path, folder: Path | None, chosen: argparse.Namespace, until: datetime = UNTIL) -> People:
    """A store in which the months have passed: papers taken in, people at work, everybody told; those of a folder `until` a time."""
    app.create_clock(kind="simulated", seed=SEED)
    planned = planned_faults(app, chosen.faults) if chosen.faults else {}
    runner = Runner(app, simulated_partners(SEED, planned))
    trees: list[tuple[str, str]] = []
    if folder is None:
        folder = home / "papers"
        write_months(folder, count=chosen.orders, seed=SEED, months=chosen.months)
        trees = with_key_accounts(folder)
        until = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=30.5 * chosen.months + DAYS_AFTER)
    people = People(app, runner, home, SEED, chosen.desks)
    lines = list(lines_of(paper(folder, "orders.tmf622.jsonl")))
    papers = home / "orders.jsonl"
    papers.write_bytes(b"\n".join(people.choose(some_of(lines, chosen.orders))) + b"\n")
    loading.load_catalogue(app, paper(folder, "catalogue.tmf620.json"))
    loading.load_customers(app, paper(folder, "customers.tmf632.jsonl"))
    for what, name, at in (("sims", "sims-1.csv", None), ("numbers", "numbers.csv", None), ("sims", "sims-2.csv", SIMS_LATER_AT)):
        loading.load_stock(app, runner, what, paper(folder, name), at)
    for customer, account in trees:
        place_account(app, OLGA, customer, f"{account}-GROUP", level="entity", pays="itself")
        place_account(app, OLGA, customer, account, level="cost-centre", parent=f"{account}-GROUP")
    people.businesses |= agree_with_businesses(app, folder)
    set_triggers(app, OLGA, definitions=TRIGGERS)
    start_messages(app, OLGA, sender="orders@example.org", operator="Example Mobile", email="file", letter="file", after="0")
    intake.Intake(app, papers, home / "quarantine").run()
    people.live(until)
    return people


def with_key_accounts(folder: Path) -> list[tuple[str, str]]:
    """Give generated customers tiers in the shares that operators have, and some a group that pays for them: these, each with the account
    that its orders name."""
    file = paper(folder, "customers.tmf632.jsonl")
    parties = [json.loads(line) for line in lines_of(file)]
    trees = []
    for party in parties:
        luck = draw(SEED, party["id"], 1, "tier")
        tier = KEY_ACCOUNT if luck < KEY_ACCOUNTS else "priority" if luck < PRIORITY else "standard"
        party["partyCharacteristic"] = [{**one, "value": tier} if one["name"] == "tier" else one for one in party["partyCharacteristic"]]
        if tier == KEY_ACCOUNT and luck < KEY_ACCOUNTS * IN_TREES:
            trees.append((party["id"], f"BA-{party['id']}"))
    file.write_text("\n".join(json.dumps(party) for party in parties) + "\n", encoding="utf-8")
    return trees


def claims(app: Engine, records: Sequence[Record], home: Path, people: People) -> Iterator[Claim]:
    """One by one, each with its figures."""
    yield journeys_agree(app, records)
    yield nobody_is_known_for_ever(app, home)
    yield from promises_agree(app)
    yield from waiting_agrees(app, records)
    yield told_once(records, home)
    yield told_in_time(records)
    yield told_of_a_job(records, people.jobs)
    yield key_accounts_agree(app, records, people.businesses)
    yield ours_agree(app, records, people.ours)
    yield silences_agree(app, records)
    yield complaints_agree(app, records)
    yield from triggers_agree(app, records)
    yield from jeopardy(app)
    yield from forecasts(app)
    rules = [kept for kept in check_conformance(app) if kept.broken]
    yield Claim(
        "every rule of the life of an order is kept", not rules, f"{len(rules)} broken{_first([str(kept.row()) for kept in rules])}"
    )
    yield from controls(app, records, home)
    yield from more_controls(app, records, people)


def journeys_agree(app: Engine, records: Sequence[Record]) -> Claim:
    """What was tried is what was ordered, recovered, lost and is open; and each journey is where its events say."""
    counted = fates(records)
    told = {row["journey"]: row["state"] for row in journeys_of(app)}
    sums = Counter(told.values())
    figures = f"{len(told)} journeys = " + " + ".join(f"{sums[state]} {state}" for state in ("ordered", "recovered", "lost", "open"))
    good = told == counted and sums.total() == len(counted) and all(sums[state] for state in ("ordered", "recovered", "lost"))
    return Claim(
        "what was tried is ordered, recovered, lost or open",
        good,
        figures if told == counted else f"{figures}; {len(set(told.items()) ^ set(counted.items()))} differ",
    )


def fates(records: Sequence[Record]) -> dict[str, str]:
    """By journey what became of it, from its events alone; those that go on in another one left out."""
    found: dict[str, str] = {}
    for record in records:
        stream = record["stream"].removeprefix("journey-")
        match record["type"]:
            case "journey.started":
                found[stream] = "open"
            case "journey.followed":
                found.pop(stream, None)
            case "journey.ordered":
                found[stream] = "recovered" if record["data"]["recovered"] else "ordered"
            case "journey.lost":
                found[stream] = "lost"
    return found


def nobody_is_known_for_ever(app: Engine, home: Path) -> Claim:
    """What is personal in a journey is gone once its own clock has run out, and there before."""
    now, gone, there = app.clock().now, 0, 0
    wrong: list[str] = []
    for row in journeys_of(app):
        page = show_journey(app, row["journey"], personal=True)
        left = [one for one in (*page["identities"], *page["fields"]) if one["value"] is not None]
        over = datetime.fromisoformat(page["forgotten_at"]) <= now
        gone, there = gone + over, there + (not over)
        wrong += [row["journey"]] if over and left else []
    return Claim(
        "nothing personal of a prospect outlives its clock",
        gone > 0 and not wrong,
        f"{gone} journeys forgotten, {there} not yet{_first(wrong)}",
    )


def promises_agree(app: Engine) -> Iterator[Claim]:
    """Made is kept, broken and open, and as many as the log has; those of what is complete as their days and their customers' wishes say."""
    ours = {row["stream"] for row in app.reads.rows(OURS)}
    items = {place: item for place, item in promised.read(app).items() if place[0] not in ours}
    told = next(row for row in count_promises(app) if row["channel"] == "*")
    made = sum(len(item.days) for item in items.values())
    good = told["made"] == told["kept"] + told["broken"] + told["open"] == made > 0
    figures = f"{told['made']} made = {told['kept']} kept ({told['withdrawn']} withdrawn) + {told['broken']} broken + {told['open']} open; the log has {made}"
    yield Claim("promises are kept, broken or open", good, figures)
    must = Counter((stream.removeprefix("order-"), item, day, "kept" if n in one.let_go or str(one.completed_on) <= day else "broken")
                   for (stream, item), one in items.items() if one.completed_on for n, day in enumerate(one.days))  # fmt: skip
    done = {(stream.removeprefix("order-"), item) for (stream, item), one in items.items() if one.completed_on}
    seen = Counter(
        (row["order"], row["item"], row["promised_on"], row["state"]) for row in list_promises(app) if (row["order"], row["item"]) in done
    )
    yield Claim(
        "each promise of what is complete is judged by its day",
        must == seen,
        f"{must.total()} promises of {len(done)} items; {((must - seen) + (seen - must)).total()} differ",
    )


def waiting_agrees(app: Engine, records: Sequence[Record]) -> Iterator[Claim]:
    """The parts sum to the cycle, the cycle is what the log says, and nothing that is open is out of sight."""
    captured = {record["stream"]: _time(record) for record in records if record["type"] == "order.captured" and not record["data"]["apart"]}
    ended: dict[str, datetime] = {}
    for record in records:
        if record["type"] in ENDS and record["stream"] in captured:
            ended[record["stream"]] = _time(record)
    rows = list(waiting_times(app))
    uneven = [row["order"] for row in rows if sum(row[who] for who in WAITERS) != row["cycle_s"] or row["working_us_s"] > row["us_s"]]
    wrong = []
    for row in rows:
        stream = f"order-{row['order']}"
        # A file is taken in at once, and with it papers of days to come.
        cycle = max(((ended[stream] if row["closed_at"] else app.clock().now) - captured[stream]).total_seconds(), 0)
        wrong += [f"{stream}: {row['cycle_s']} s, must be {cycle}"] if abs(cycle - row["cycle_s"]) >= 1 else []
    sums = {who: round(sum(row[who] for row in rows) / 3_600) for who in (*WAITERS, "working_us_s", "cycle_s")}
    yield Claim(
        "waiting sums to the cycle of each order",
        len(rows) == len(captured) and not uneven and not wrong,
        f"{len(rows)} orders, hours {sums}; {len(uneven)} uneven {uneven[:3]}{_first(wrong)}",
    )
    ageing = work_in_progress(app)
    must = len(captured) - len(ended)
    figures = f"{ageing['open']} open, {ageing['bands']}; of {ageing['count']} complete p50 {_days(ageing['p50_s'])}, p95 {_days(ageing['p95_s'])} days"
    yield Claim("nothing open is out of sight", ageing["open"] == len(ageing["orders"]) == must, figures)


def told_once(records: Sequence[Record], home: Path) -> Claim:
    """No message twice: not decided twice, not sent twice, and as many letters as were sent."""
    keys = Counter(record["data"]["key"] for record in records if record["type"] == "message.scheduled")
    sent = Counter(record["stream"] for record in records if record["type"] == "message.sent")
    again = Counter(record["stream"] for record in records if record["type"] == "message.resend-asked")
    twice = [key for key, times in keys.items() if times > 1] + [stream for stream, times in sent.items() if times > 1 + again[stream]]
    files = sum(1 for file in (home / "outbox").rglob("*") if file.is_file())
    milestones = Counter(record["data"]["milestone"] for record in records if record["type"] == "message.scheduled")
    held = Counter(record["data"]["reason"] for record in records if record["type"] == "message.withheld")
    figures = f"{keys.total()} due, {sent.total()} sent, {files} files, withheld {dict(held)}; {dict(milestones)}"
    return Claim("no message twice", sent.total() > 0 and not twice and files == sent.total(), f"{figures}{_first(twice)}")


def told_in_time(records: Sequence[Record]) -> Claim:
    """Who is told of a delay is told before the day that was promised is over, wherever we knew it by then."""
    known: dict[tuple[str, str], tuple[datetime, date]] = {}
    for record in records:
        if record["type"] == "promise.revised" and record["data"]["promised_on"] > record["data"]["promised_before"]:
            place = record["stream"].removeprefix("order-"), record["data"]["promised_on"]
            known.setdefault(place, (_time(record), date.fromisoformat(record["data"]["promised_before"])))
    told = {
        record["stream"]: record["data"]
        for record in records
        if record["type"] == "message.scheduled" and record["data"]["milestone"] == "delay"
    }
    sent = {record["stream"]: _time(record) for record in records if record["type"] == "message.sent"}
    late: list[str] = []
    counted: Counter[str] = Counter()
    for stream, data in told.items():
        place = data["order"], data["about"]
        if stream in sent and place in known:
            at, day = known[place]
            ends = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
            counted["known in time" if at < ends else "known too late"] += 1
            late += [stream] if at < ends - timedelta(hours=12) and sent[stream] >= ends else []
    figures = f"{len(known)} delays, {len(told)} messages, {dict(counted)}"
    return Claim("who waits longer is told before the day is over", counted["known in time"] > 0 and not late, f"{figures}{_first(late)}")


def silences_agree(app: Engine, records: Sequence[Record]) -> Claim:
    """Everybody who asked where an order is has the silence before it."""
    asked = [record for record in records if record["type"] == "customer.contacted" and record["data"]["topic"] == "where-is-my-order"]
    rows = list(silences(app))
    hours = sorted(row["silence_s"] / 3_600 for row in rows if row["silence_s"] is not None)
    figures = (
        f"{len(asked)} asked, {len(hours)} with the silence before, half of them after {hours[len(hours) // 2]:.0f} h"
        if hours
        else f"{len(asked)} asked"
    )
    return Claim("who asks where it is points at a silence", len(rows) == len(asked) == len(hours) > 0 and hours[0] >= 0, figures)


def jeopardy(app: Engine) -> Iterator[Claim]:
    """How good the levels are on orders held back; whether they beat the age of the order alone is said either way."""
    for row in score_jeopardy(app):
        figures = f"{_rated(row)}, recall {row['recall']}, half known {row['lead_h_p50']} h before; {'better' if row['better'] else 'NOT better'} than by age"
        yield Claim(f"the danger `{row['level']}` is scored on orders held back", row["hit"] <= min(row["predicted"], row["late"]), figures)
    for by in COHORTS:
        rows = score_jeopardy(app, by=by)
        figures = "; ".join(f"{row['cohort']} {row['level']}: {_rated(row)}" for row in rows if row["late"] or row["predicted"])
        yield Claim(f"the danger is scored by {by}", bool(figures), figures)


def _rated(row: JeopardyScoreShown) -> str:
    return f"{row['hit']} of {row['predicted']} foretold were late, {row['late']} late in {row['tested_on']}: precision {row['precision']}, F1 {row['f1']} (by age alone {row['baseline']['f1']})"


def forecasts(app: Engine) -> Iterator[Claim]:
    """By their p90 80 to 100 in a hundred of the forecasts of before came true, of all queues each by itself; and of every queue that was tried often enough 20 in a hundred at most did not.

    Of one that stands still those that fail are known first, and would be nearly all of those decided: so it counts by all that were tried. That they are not merely wide is held in tests/rules/test_forecasting.py.
    """
    rows = forecast_queues(app)
    alone = [row for row in rows if row["queue"] != "*"]
    decided, covered = sum(row["back_tests"] for row in alone), sum(row["covered"] for row in alone)
    often = [row for row in rows if row["back_tests"] + row["undecided"] >= BACK_TESTS_MIN]
    wrong = [
        f"{row['queue']}: {missed} missed"
        for row in often
        if (missed := row["back_tests"] - row["covered"]) * 5 > row["back_tests"] + row["undecided"]
    ]
    told = "; ".join(
        f"{row['queue']} {row['covered']} of {row['back_tests']} and {row['undecided']} undecided ({row['open']} open, {row['closings']} closings, {'enough' if row['enough'] else 'too few'} known)"
        for row in rows
    )
    good = bool(often) and not wrong and decided >= BACK_TESTS_MIN and round(100 * covered / decided) in COVERED_PERCENT
    yield Claim("forecasts of queues are covered by their p90", good, f"{covered} of {decided} of all queues; {told}{_first(wrong)}")


def controls(app: Engine, records: Sequence[Record], home: Path) -> Iterator[Claim]:
    """The same eyes see an event that is missing, and one that is there twice."""
    tries: dict[str, Callable[[Sequence[Record]], Claim]] = {
        "journey.lost": lambda some: journeys_agree(app, some),
        "customer.contacted": lambda some: silences_agree(app, some),
        "validation.fell-out": lambda some: next(triggers_agree(app, some)),
    }
    for name, look in tries.items():
        rest = _without_last(records, name)
        found = len(rest) < len(records) and not look(rest).good
        yield Claim(f"control: a missing {name} is found", found, f"{len(records) - len(rest)} event left out")
    again = [*records, *[record for record in records if record["type"] == "message.scheduled"][:1]]
    yield Claim(
        "control: a message that is due twice is found", not told_once(again, home).good, f"{len(again) - len(records)} event twice"
    )


def _without_last(records: Sequence[Record], name: str) -> list[Record]:
    """The log without the last event of a type; of contacts, without the last that asks where an order is."""
    places = [place for place, record in enumerate(records) if record["type"] == name and record["data"].get("topic", "where-is-my-order") == "where-is-my-order"
              and record["data"].get("severity", 0) <= 3]  # fmt: skip
    return [record for place, record in enumerate(records) if place != places[-1]] if places else list(records)


def _time(record: Record) -> datetime:
    return datetime.fromisoformat(record["occurred_at"])


def _days(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds / 86_400:.1f}"


def _first(wrong: Sequence[str]) -> str:
    return f"; {len(wrong)} differ: {wrong[0][:400]}" if wrong else ""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/prove --customers",
        description="Let months pass in which people try, order, wait and are told, and prove how they were treated.",
    )
    parser.add_argument("folder", type=Path, nargs="?", help="papers as for scripts/prove; without it months are generated")
    parser.add_argument("--orders", type=int, default=500, help="so many orders")
    parser.add_argument("--months", type=int, default=9, help="so many generated months from January 2026 on")
    parser.add_argument("--faults", type=Path, help="faults and outages of the partners, as for `o2c init --faults`")
    parser.add_argument("--desks", type=int, default=0, help="simulated agents who work the queue, as for `o2c run --desks`")
    chosen = parser.parse_args()
    start, good = time.monotonic(), True
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="o2c-customers-")))
        # The embedded server of root runs as another user, who must reach its data.
        home.chmod(0o755)
        dsn = os.environ.get("O2C_DSN") or stack.enter_context(acquire(home / "server")).dsn
        app = stack.enter_context(closing(Engine(dsn, plan.KINDS)))
        people = lived(app, home, chosen.folder, chosen)
        tell(f"        the months passed ({time.monotonic() - start:.0f} s): {dict(people.done)}, refused {dict(people.refused)}")
        records = show.found(app.dsn, home)
        tell(f"        the log as `o2c events find` prints it, {len(records)} events ({time.monotonic() - start:.0f} s)")
        for claim in claims(app, records, home, people):
            tell(f"{'ok    ' if claim.good else 'FAILED'}  {claim.name}: {claim.figures}")
            good = good and claim.good
    tell(f"{'all claims hold' if good else 'NOT all claims hold'} ({time.monotonic() - start:.0f} s)")
    return 0 if good else 5


if __name__ == "__main__":
    sys.exit(main())
