"""What people do around orders in the months of a show: they try before they order, give up, think better of it, and ask where it is; we write, call and win some back.

Everything is a hash of the seed and of what it is for, so that the same papers have the same months.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from o2c.desk.bulk import BulkDone, Query, bulk
from o2c.desk.capture import capture
from o2c.desk.complaints import answer_complaint, escalate_complaint, open_complaint, resolve_complaint
from o2c.desk.customers import load_agreements, record_contact
from o2c.desk.journeys import note_attempt
from o2c.desk.winning_back import reach_journey
from o2c.engine.app import Context, Engine
from o2c.engine.runner import Runner
from o2c.fallout.rules import FailOrder
from o2c.files.lines import lines_of
from o2c.kernel.chance import draw
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.running.messages import Messenger
from o2c.running.session import Session
from o2c.running.triggers import Watch
from o2c.simulation.office import staffed
from o2c.views.care import care_due
from o2c.views.journeys import list_journeys
from o2c.views.reading import caught_up, part_after_part
from tests.network import Books
from tests.prove import paper
from tests.world import Document
from tests.year_amendments import with_orders
from tests.year_deeds import Year

TRIED, LOST, ROBOTS, OURS = 0.15, 0.08, 0.02, 0.02
"""How many orders people try before they place them, how many, for each order, try and never order, or are programs, and how many orders are tests of our own."""
FAILED, REACHED, CALLED = 0.6, 0.7, 0.8
"""How many of those who try are failed by the channel, how many of these we get in touch with, and how many courtesy contacts are made in time."""
ASKS, COMPLAINS = 0.05, 0.01
"""How many orders under way are asked after on a day, and how many are complained of."""
ANSWERED, SETTLED, SETTLED_LATE = 0.9, 0.7, 0.85
"""How many complaints are answered, how many of all are settled a week later, and how many by then or after somebody else looked at them."""
GOLDEN = 0.618034
"""Its multiples, without the whole, lie evenly: of any few complaints on end some are settled late and some never, which a hash may leave out."""
ANSWER, SETTLE, ESCALATE, SETTLE_LATE = (timedelta(days=days) for days in (1, 7, 14, 30))
"""When we answer a complaint, settle it, give it to somebody who may decide more, and settle it then."""
GIVES_UP_ON, STALE_DAYS = 0, 2
"""The day of the week on which whatever has waited for so many days for its customer is given up, all of a reason in one job."""
WAITS_FOR_CUSTOMER = ("NP-CODE", "DQ-ADDR", "DQ-PHONE", "NP-NOTPORT")
TRIGGERS = """[triggers.stuck]
on = "*.fell-out"
when = [{ compare = "at-most", field = "severity", value = 3 }]
then = { do = "alarm", severity = 2, text = "Something is stuck" }

[triggers.heard]
on = "complaint.raised"
then = { do = "notify", words.en = { subject = "We have your complaint", text = "We look into it and answer within days." } }
"""
"""What acts while the months pass."""
BUSINESS, BUSINESSES_EVERY = b'"category":"business"', 5
"""How a paper of a folder says that a business orders. They are few, and so each fifth of them is taken besides, wherever a choice that is even over all days leaves them out."""
AGREED = """version = "show/1"
[tiers]
standard = {{ contacts = {{}}, until_hour = 18, complete_within_days = 30 }}
priority = {{ contacts = {{ delay = 1, active = 2, declined = 1 }}, until_hour = 18, complete_within_days = 20 }}
key-account = {{ contacts = {{ received = 1, delay = 0, active = 1, cancelled = 1, declined = 1 }}, until_hour = 18, complete_within_days = 15 }}
[agreements.businesses]
customers = {customers}
contacts = {{ received = 1, delay = 0, active = 1, cancelled = 1, declined = 1 }}
until_hour = 18
complete_within_days = 15
"""
"""What is agreed with customers: that of the package, and with businesses, by name, what holds for key accounts."""
WEB, CALL, STORE, KIM, OLGA = (
    Context(name, channel=channel)
    for name, channel in (("web-shop", "web"), ("ivr", "call"), ("dora", "store"), ("kim", "call"), ("olga", "desk"))
)
LOOKS_AT = (9, 16)
"""The hours (UTC) at which we look at what is owed, and people at their orders."""
OPEN = "SELECT order_id, external_id, customer_id FROM projection.orders WHERE state IN ('inProgress', 'pending', 'held') AND customer_id <> '' ORDER BY order_id"


@dataclass
class People:
    """The people of the months, and what they did, counted by kind; what was refused, because something else was faster, is counted apart."""

    app: Engine
    runner: Runner
    home: Path
    seed: int
    desks: int = 0
    papers: dict[int, Document] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    complaints: list[tuple[str, datetime]] = field(default_factory=list)
    plans: list[tuple[datetime, int, str]] = field(default_factory=list)
    journeys: dict[int, str] = field(default_factory=dict)
    ours: set[str] = field(default_factory=set)
    businesses: set[str] = field(default_factory=set)
    jobs: list[tuple[BulkDone, BulkDone]] = field(default_factory=list)

    def choose(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The papers that nobody tried before; the others are kept, and ordered once their people have tried."""
        taken: set[str] = set()
        for number, line in enumerate(lines):
            paper = json.loads(line)
            if self._is_ours(paper):
                self.ours.add(paper["externalId"])
                line = json.dumps(paper).encode()
            tries = self._luck(number, "tries") < TRIED and paper.get("externalId") not in taken and _customer(paper)
            taken.add(paper.get("externalId", ""))
            at = _date(paper)
            if tries and at:
                self.papers[number] = paper
                self._plan_journey(number, at)
            else:
                yield line
            if at and self._luck(number, "is lost") < LOST:
                self._plan(at + timedelta(hours=5), number, "never comes")
            if at and self._luck(number, "robot") < ROBOTS:
                self._plan(at + timedelta(hours=7), number, "robot")

    def _is_ours(self, paper: Document) -> bool:
        """Whether a paper is a test of our own, which then says so by its login; however often it is sent."""
        named = str(paper.get("externalId") or "")
        ours = bool(named) and _date(paper) is not None and draw(self.seed, named, 1, "ours") < OURS
        if ours:
            paper["relatedParty"] = [
                *paper.get("relatedParty", ()),
                {"id": f"probe-{named}@shop.test", "role": "login", "@referredType": "Individual"},
            ]
        return ours

    def live(self, until: datetime) -> None:
        """Let time pass, and let people do what they do at their times."""
        session = Session(self.app, self.home)
        messenger, watch = Messenger(session), Watch(session)
        first = self.app.clock().now.date()
        year = Year(self.app, self.runner, self.home, self.seed, first, (), [], Books(), done=self.done, refused=self.refused)
        with staffed(self.app, self.desks) if self.desks else nullcontext() as office:
            for at in self._looks(until):
                for due in self._due(at):
                    self.runner.run(due[0], office)
                    self._does(*due)
                self.runner.run(at, office)
                caught_up(self.app)
                if at.hour == LOOKS_AT[0]:
                    with_orders(year, at)
                    self._asks(at)
                    self._gives_up(at)
                else:
                    self._we_call(at)
                    watch.fire()
                    messenger.send()
            self.runner.run(until, office)
        watch.fire()
        messenger.send()
        caught_up(self.app)

    def _looks(self, until: datetime) -> Iterator[datetime]:
        day = self.app.clock().now.date()
        while (at := datetime(day.year, day.month, day.day, LOOKS_AT[0], tzinfo=UTC)) < until:
            yield from (at.replace(hour=hour) for hour in LOOKS_AT if self.app.clock().now < at.replace(hour=hour) < until)
            day += timedelta(days=1)

    # -- trying before there is an order

    def _plan_journey(self, number: int, at: datetime) -> None:
        begun = at - timedelta(hours=2 + 40 * self._luck(number, "before"))
        self._plan(begun, number, "tries")
        if self._luck(number, "fails") < FAILED:
            self._plan(begun + timedelta(minutes=20), number, "is failed")
            if self._luck(number, "reached") < REACHED:
                self._plan(begun + timedelta(minutes=95), number, "is reached")
        self._plan(max(at, begun + timedelta(minutes=100)), number, "orders")

    def _plan(self, at: datetime, number: int, what: str) -> None:
        heappush(self.plans, (at, number, what))

    def _due(self, until: datetime) -> Iterator[tuple[datetime, int, str]]:
        while self.plans and self.plans[0][0] <= until:
            yield heappop(self.plans)

    def _does(self, at: datetime, number: int, what: str) -> None:
        login = {"login": f"{'nobody' if what in ('never comes', 'robot') else 'somebody'}-{number}@example.org"}
        paper = self.papers.get(number, {})
        match what:
            case "tries":
                named = {"offerings": _offerings(paper), "fields": _fields(paper), "value": "20.00"}
                written = self._try("baskets", note_attempt, WEB, "basket", "web", **login, **named)
                self.journeys[number] = written.journey if written else ""
            case "is failed":
                if self._luck(number, "rings") < 0.4:
                    self._try(
                        "calls given up",
                        note_attempt,
                        CALL,
                        "abandoned-call",
                        "call",
                        **login,
                        ivr_s=60,
                        hold_s=int(900 * self._luck(number, "hold")),
                    )
                else:
                    self._try(
                        "web attempts failed",
                        note_attempt,
                        WEB,
                        "failed",
                        "web",
                        **login,
                        error="HTTP-504",
                        waited_s=int(120 * self._luck(number, "spun")),
                    )
            case "is reached":
                self._try("outreach", reach_journey, KIM, self.journeys[number], medium="call", outcome="reached")
            case "orders":
                self._try("orders that follow a journey", capture, STORE, paper, journey=self.journeys.get(number, ""))
            case "never comes":
                self._try("web attempts failed", note_attempt, WEB, "failed", "web", **login, error="HTTP-504", waited_s=90)
            case "robot":
                self._try("robots", note_attempt, WEB, "basket", "web", **login, client="PriceBot/2.1")

    # -- while the order is under way

    def _asks(self, at: datetime) -> None:
        """Some ask where their order is, and some complain; most complaints are answered the next day and settled a week later."""
        for row in self.app.reads.rows(OPEN):
            luck = draw(self.seed, f"{row['order_id']}/{at}", 1, "asks")
            if luck < ASKS:
                self._try(
                    "asked where it is",
                    record_contact,
                    CALL,
                    row["customer_id"],
                    medium="call",
                    topic="where-is-my-order",
                    order=row["order_id"],
                )
            elif luck > 1 - COMPLAINS:
                told = {"topic": "delivery", "channel": "call", "order": row["order_id"]}
                if opened := self._try("complaints", open_complaint, CALL, row["customer_id"], **told):
                    self.complaints.append((opened.complaint, at))
        for number, (complaint, since) in enumerate(self.complaints, 1):
            self._hears(complaint, number * GOLDEN % 1, at - since)

    def _hears(self, complaint: str, luck: float, age: timedelta) -> None:
        """What is done about a complaint on its day: it is answered, settled, given to somebody who may decide more, and settled then. Some never are."""
        if age == ANSWER and luck < ANSWERED:
            self._try("complaints answered", answer_complaint, KIM, complaint, channel="mail", remedy="apology")
        if (age == SETTLE and luck < SETTLED) or (age == SETTLE_LATE and SETTLED <= luck < SETTLED_LATE):
            self._try("complaints settled", resolve_complaint, KIM, complaint, remedy="apology", channel="call")
        if age == ESCALATE and luck >= SETTLED:
            self._try("complaints escalated", escalate_complaint, KIM, complaint, team="head-of-care")

    def _gives_up(self, at: datetime) -> None:
        """Once a week what has waited long for its customer is given up, all in one job; and whoever asked for it asks again, as nobody told him that it was done."""
        for reason in WAITS_FOR_CUSTOMER if at.weekday() == GIVES_UP_ON else ():
            by = replace(OLGA, command_id=derived_id("given-up", reason, at.isoformat()))
            told = {"query": Query(reason=reason, age_days=STALE_DAYS), "way": FailOrder(), "note": "nobody answered"}
            both = [self._try("jobs asked for", bulk, by, **told) for _ in range(2)]
            self.jobs += [(both[0], both[1])] if all(both) else []

    def _we_call(self, at: datetime) -> None:
        """Most of the courtesy contacts that are owed are made; the others nobody thinks of."""
        for owed in care_due(self.app, state="open", since=at - timedelta(days=7)):
            if draw(self.seed, f"{owed['order']}/{owed['milestone']}", 1, "calls") < CALLED:
                self._try(
                    "courtesy contacts",
                    record_contact,
                    KIM,
                    owed["customer"],
                    medium="courtesy",
                    topic="other",
                    direction="outbound",
                    order=owed["order"],
                )

    def _try(self, kind: str, deed: Any, by: Context, *words: Any, **more: Any) -> Any:
        try:
            written = deed(self.app, by, *words, **more)
        except Refused as why:
            self.refused[f"{kind}: {' '.join(str(why).split()[-6:])}"] += 1
            return None
        self.done[kind] += 1
        return written

    def _luck(self, number: int, what: str) -> float:
        return draw(self.seed, str(number), 1, what)


def journeys_of(app: Engine) -> list[Any]:
    """Every journey as the product lists it, those of programs too."""
    return list(part_after_part(partial(list_journeys, app, everything=True)))


def _customer(paper: Document) -> str:
    return next(
        (str(party.get("id") or "") for party in paper.get("relatedParty") or () if party.get("role", "").lower() == "customer"), ""
    )


def _date(paper: Document) -> datetime | None:
    try:
        return datetime.fromisoformat(str(paper["orderDate"])).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def _offerings(paper: Document) -> list[str]:
    return [line["productOffering"]["id"] for line in paper.get("productOrderItem") or () if line.get("productOffering", {}).get("id")]


def _fields(paper: Document) -> dict[str, str]:
    return {f"/productOrderItem/{place}/productOffering/id": offering for place, offering in enumerate(_offerings(paper))}


def some_of(lines: Sequence[bytes], count: int) -> list[bytes]:
    """So many papers, evenly over their days, and besides these some of businesses."""
    evenly = range(0, len(lines), max(len(lines) // count, 1))[:count]
    of_businesses = [place for place, line in enumerate(lines) if BUSINESS in line]
    return [lines[place] for place in sorted({*evenly, *of_businesses[::BUSINESSES_EVERY]})]


def agree_with_businesses(app: Engine, folder: Path) -> set[str]:
    """Agree with every business by its own name what holds for key accounts: these."""
    parties = (json.loads(line) for line in lines_of(paper(folder, "customers.tmf632.jsonl")))
    businesses = sorted(party["id"] for party in parties if party.get("@type") == "Organization")
    if businesses:
        load_agreements(app, OLGA, definitions=AGREED.format(customers=json.dumps(businesses)))
    return {*businesses}
