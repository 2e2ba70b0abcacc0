"""What the show of customers claims of what it exercised: jobs over many fallouts, key accounts, tests of our own, complaints and triggers; each with a control that must fail.

The log is what `o2c events find` prints; what the product says of the same is held against it.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from o2c.desk.bulk import BulkDone
from o2c.engine.app import Engine
from o2c.views.care import care_due
from o2c.views.complaints import list_complaints
from o2c.views.metrics import explain_metric
from o2c.views.reading import part_after_part
from o2c.views.triggers import dry_run_triggers, list_firings
from tests.customers_people import ANSWER, ESCALATE, People
from tests.fates import Claim
from tests.recount import Record

KEY_ACCOUNT = "key-account"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


# -- a job over many fallouts


def told_of_a_job(records: Sequence[Record], jobs: Sequence[tuple[BulkDone, BulkDone]]) -> Claim:
    """Whoever's order a job ended is told of that once, and the job that was asked for twice was done once."""
    place = {
        record["data"]["fallout"]: record["stream"]
        for record in records
        if record["data"].get("fallout") and record["type"].endswith(".fell-out")
    }
    of_jobs = {place[fallout] for record in records if record["type"] == "job.started" for fallout in record["data"]["fallouts"]}
    ended = {
        record["stream"].removeprefix("order-") for record in records if record["type"] == "order.failed" and record["stream"] in of_jobs
    }
    told = Counter(
        record["data"]["order"] for record in records if record["type"] == "message.scheduled" and record["data"]["milestone"] == "declined" and record["data"]["order"] in ended
    )  # fmt: skip
    wrong = sorted(order for order in ended if told[order] != 1)
    same = all(first.done == again.done and first.matched == again.matched for first, again in jobs)
    asked, started = len(jobs), sum(record["type"] == "job.started" for record in records)
    figures = f"{started} jobs, each asked for twice, over {len(of_jobs)} orders; {len(ended)} ended by then, {told.total()} messages about that, {len(wrong)} not told once"
    return Claim("of a job over many orders everybody is told once", bool(ended) and not wrong and same and asked == started, figures)


# -- key accounts


def key_accounts_agree(app: Engine, records: Sequence[Record], businesses: Collection[str]) -> Claim:
    """Every order of a key account, by its tier or by an agreement of its own, that was received was spoken of, or counts as missed, as the contacts in the log say; some were missed."""
    rows = list(care_due(app))
    of_key = [row for row in rows if row["tier"] == KEY_ACCOUNT or row["customer"] in businesses]
    captured = {record["stream"]: record["data"] for record in records if record["type"] == "order.captured"}
    tiers = {stream: data["tier"] for stream, data in captured.items()}
    tiers |= {
        record["stream"]: record["data"]["tier"] for record in records if record["type"] == "order.validated" and record["data"]["tier"]
    }
    must = {
        stream.removeprefix("order-") for stream, tier in tiers.items() if tier == KEY_ACCOUNT or captured[stream]["party"] in businesses
    }
    told = {row["order"] for row in of_key if row["milestone"] == "received"}
    sums, of_them, now = Counter(row["state"] for row in rows), Counter(row["state"] for row in of_key), app.clock().now
    spoken = spoken_of(records)
    wrong = [row["order"] for row in rows if row["state"] != state_by_log(row, spoken, now)]
    figures = f"{len(must)} orders of {len({row['customer'] for row in of_key})} key accounts, {len(of_key)} contacts owed to them = {of_them['done']} done + {of_them['missed']} missed + {of_them['open']} open; {len(rows)} in all = {sums['done']} + {sums['missed']} + {sums['open']}; {len(wrong)} otherwise in the log"
    good = (
        told == must
        and bool(must)
        and not wrong
        and bool(of_them["done"] and of_them["missed"])
        and "standard" not in {row["tier"] for row in rows if row["customer"] not in businesses}
    )
    return Claim("every key account is spoken with or counted missed", good, figures)


def spoken_of(records: Sequence[Record]) -> dict[str, list[tuple[str, datetime]]]:
    """By customer, when we spoke with it, and about which order (empty: about none)."""
    found: dict[str, list[tuple[str, datetime]]] = {}
    for record in records:
        if record["type"] == "customer.contacted" and record["data"]["direction"] == "outbound":
            found.setdefault(record["data"]["customer"], []).append((record["data"]["order"], _time(record)))
    return found


def state_by_log(row: Mapping[str, object], spoken: Mapping[str, Sequence[tuple[str, datetime]]], now: datetime) -> str:
    """What became of a contact that is owed, by the contacts in the log."""
    reached_at, due_at = (datetime.fromisoformat(str(row[name])) for name in ("reached_at", "due_at"))
    in_time = (at for order, at in spoken.get(str(row["customer"]), ()) if order in ("", row["order"]) and reached_at <= at < due_at)
    return "done" if next(in_time, None) else "missed" if due_at <= now else "open"


# -- tests of our own


def ours_agree(app: Engine, records: Sequence[Record], ours: set[str]) -> Claim:
    """An order that says by its login that it is a test of our own is told apart, asked about by nobody, and counted in no figure."""
    captured = {record["id"]: record["data"] for record in records if record["type"] == "order.captured"}
    apart = {event for event, data in captured.items() if data["apart"] == "test"}
    of_journeys = {event for event in apart if data_by(captured[event]).startswith("journey-")}
    named = {captured[event]["external_id"] for event in apart - of_journeys}
    told = explain_metric(app, "fallout-rate")
    others = {event for event, data in captured.items() if not data["apart"]}
    figures = f"{len(named)} orders of our own, {len(captured)} captured, {told['denominator']} counted"
    return Claim(
        "what we order ourselves is counted in no figure",
        bool(named) and named <= ours and set(told["events_denominator"] or ()) == others,
        figures,
    )


def data_by(data: Mapping[str, object]) -> str:
    """By what an order was told apart."""
    return str(data["apart_by"])


# -- complaints


@dataclass
class Heard:
    """What the log says of a complaint: when it was raised, from when it may be taken outside, and when it was answered first, given on, resolved and opened outside."""

    raised_at: datetime
    outside_from: datetime | None
    at: dict[str, datetime]

    def wrong(self, now: datetime) -> str:
        """What of its clock was not kept; empty for nothing."""
        answered, given_on = self.at.get("answered"), self.at.get("escalated")
        if answered is None and (given_on or now) > self.raised_at + ESCALATE:
            return "given on after its day" if given_on else "neither answered nor given on by its day"
        if answered is not None and answered > self.raised_at + ANSWER:
            return "answered after its day"
        over, opened = self.at.get("resolved"), self.at.get("opened-outside")
        must = self.outside_from if self.outside_from and self.outside_from <= now and not (over and over < self.outside_from) else None
        return "" if opened == must else f"opened outside at {opened}, must be {must}"


def heard(records: Sequence[Record]) -> dict[str, Heard]:
    """By complaint, what the log says of it."""
    found: dict[str, Heard] = {}
    for record in records:
        kind, _, what = record["type"].partition(".")
        if kind != "complaint":
            continue
        name = record["stream"].removeprefix("complaint-")
        if what == "raised":
            until = record["data"]["outside_from"]
            found[name] = Heard(_time(record), datetime.fromisoformat(until) if until else None, {})
        elif name in found:
            found[name].at.setdefault(what, _time(record))
    return found


def complaints_agree(app: Engine, records: Sequence[Record]) -> Claim:
    """Each complaint was answered the next day or given to somebody who may decide more by its day, and opened outside when its time was over, to the moment; as the product says."""
    now, counted = app.clock().now, heard(records)
    rows = list(part_after_part(partial(list_complaints, app)))
    told = {row["complaint"]: (row["state"] == "resolved", row["outside"]) for row in rows}
    must = {name: ("resolved" in one.at, "opened-outside" in one.at) for name, one in counted.items()}
    wrong = {name: why for name, one in counted.items() if (why := one.wrong(now))}
    sums = Counter(what for one in counted.values() for what in one.at if what != "clock-requested")
    figures = f"{len(counted)} complaints, {dict(sums)}; {len(wrong)} against their clock {sorted(wrong.values())[:1]}, {len(told.items() ^ must.items())} told otherwise"
    good = told == must and not wrong and all(sums[what] for what in ("answered", "escalated", "resolved", "opened-outside"))
    return Claim("every complaint is answered or given on by its day, and its clock is kept", good, figures)


# -- triggers


def triggers_agree(app: Engine, records: Sequence[Record]) -> Iterator[Claim]:
    """What a dry run of each trigger in force matches is what a search of the log finds, and what it set off; once each."""
    found = {
        "stuck": [record["id"] for record in records if record["type"].endswith(".fell-out") and record["data"].get("severity", 9) <= 3],
        "heard": [record["id"] for record in records if record["type"] == "complaint.raised"],
    }
    acted: dict[str, Counter[str]] = {name: Counter() for name in found}
    for record in records:
        if record["type"] in ("trigger.fired", "trigger.withheld"):
            acted[record["data"]["trigger"]][record["data"]["event"]] += 1
    told = Counter(row["trigger"] for row in list_firings(app))
    rows = {row["trigger"]: row for row in dry_run_triggers(app, since=BEGINNING)}
    for name, tried in ((name, rows[name]) for name in found):
        good = tried["matched"] == len(found[name]) == told[name] > 0 and acted[name] == Counter(found[name])
        figures = f"{tried['matched']} matched, {len(found[name])} found, {acted[name].total()} set off"
        yield Claim(f"the trigger `{name}` does what its dry run says, once", good, figures)


# -- the same eyes


def more_controls(app: Engine, records: Sequence[Record], people: People) -> Iterator[Claim]:
    """They see an event that is missing, one that is there twice, and a clock that ran on."""
    looks = {
        "message about a job": (
            _without(records, "message.scheduled", milestone="declined"),
            lambda some: told_of_a_job(some, people.jobs),
        ),
        "contact with a key account": (
            _without(records, "customer.contacted", medium="courtesy"),
            lambda some: key_accounts_agree(app, some, people.businesses),
        ),
        "answer to a complaint": (_without(records, "complaint.answered"), lambda some: complaints_agree(app, some)),
        "opening outside": (_without(records, "complaint.opened-outside"), lambda some: complaints_agree(app, some)),
        "firing": (_without(records, "trigger.fired", trigger="stuck"), lambda some: _of_stuck(app, some)),
        "firing that is there twice": ([*records, *_of(records, "trigger.fired", trigger="stuck")[-1:]], lambda some: _of_stuck(app, some)),
        "message about a job that is there twice": ([*records, *_of_job(records)[-1:]], lambda some: told_of_a_job(some, people.jobs)),
    }
    last = _of(records, "order.captured", apart="test")[-1:]
    told = [{**record, "data": {**record["data"], "apart": ""}} if record in last else record for record in records]
    yield Claim(
        "control: a test of our own that counts as a customer's is found",
        told != list(records) and not ours_agree(app, told, people.ours).good,
        "1 event",
    )
    for name, (some, look) in looks.items():
        yield Claim(f"control: a {name} is found" if "twice" in name else f"control: a missing {name} is found", len(some) != len(records) and not look(some).good, f"{len(some) - len(records)} events")  # fmt: skip


def _of_stuck(app: Engine, records: Sequence[Record]) -> Claim:
    return next(claim for claim in triggers_agree(app, records) if "stuck" in claim.name)


def _of(records: Sequence[Record], name: str, **data: str) -> list[Record]:
    return [record for record in records if record["type"] == name and data.items() <= record["data"].items()]


def _of_job(records: Sequence[Record]) -> list[Record]:
    """What was due of the orders that jobs ended."""
    place = {
        record["data"].get("fallout"): record["stream"].removeprefix("order-") for record in records if record["type"].endswith(".fell-out")
    }
    orders = {place[fallout] for record in records if record["type"] == "job.started" for fallout in record["data"]["fallouts"]}
    return [record for record in _of(records, "message.scheduled", milestone="declined") if record["data"]["order"] in orders]


def _without(records: Sequence[Record], name: str, **data: str) -> list[Record]:
    """The log without the first event of a type that says so; of messages without the first about a job, of answers without the first to what nobody else was given,
    of contacts without the first that is its customer's only one."""
    given_on = {record["stream"] for record in _of(records, "complaint.escalated")}
    alone = {customer for customer, told in spoken_of(records).items() if len(told) == 1}
    chosen = [
        each
        for each in (_of_job(records) if name == "message.scheduled" else _of(records, name, **data))
        if (each["stream"] not in given_on or name != "complaint.answered")
        and (name != "customer.contacted" or each["data"]["customer"] in alone)
    ][:1]
    return [record for record in records if not any(record is one for one in chosen)]


def _time(record: Record) -> datetime:
    return datetime.fromisoformat(record["occurred_at"])
