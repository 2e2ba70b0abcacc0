"""Every figure equals a count of its own from the raw events, and names the events that it was counted from."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from o2c.fallout.actions import ACTIONS
from o2c.fallout.rates import checked, packaged
from o2c.kernel.partner import Failed, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.markets.registry import MARKETS
from o2c.views.metrics import METRICS, explain_metric
from projections.engine.fold import Fold
from projections.engine.seen import names_of
from projections.fallout import FALLOUT
from tests.desk import DEPOSIT, Desk
from tests.histories import captured, of_order, planned, seen
from tests.recount import Recount, figures
from tests.show import agrees
from tests.world import World, at, line, order, ported

Rows = list[dict[str, Any]]
FELL_OUT = (".fell-out", ".suspected")
TABLES = "SELECT event_id::text AS id, stream, type, body, actor, channel, occurred_at, order_id::text FROM o2c.event ORDER BY position"


class Log:
    """The raw events, and what is counted from them without any projection."""

    def __init__(self, world: World) -> None:
        self.events: Rows = world.app.reads.rows(TABLES)
        self.now: datetime = world.app.clock().now
        self.captured = {event["stream"]: event for event in self.events if event["type"] == "order.captured"}
        self.first: dict[str, dict[str, Any]] = {}
        for event in self.events:
            if event["type"].endswith(FELL_OUT):
                self.first.setdefault(event["body"]["fallout"], event)

    def ended(self, *types: str) -> Rows:
        return [event for event in self.events if event["type"] in types]

    def of_order(self, event: dict[str, Any]) -> Rows:
        return [each for each in self.first.values() if each["stream"] == event["stream"]]

    def said(self, ended: dict[str, Any]) -> str:
        """The reason for which an order was cancelled."""
        return next(event["body"]["reason"] for event in self.ended("cancellation.requested") if event["stream"] == ended["stream"])

    def deeds(self, fallout: str) -> Rows:
        """What people did: in the stream of the fallout, and its corrections and decisions."""
        acted = ("fallout.correction-applied", "fallout.decided")
        own = [event for event in self.events if event["stream"] == f"fallout-{fallout}"]
        found = own + [event for event in self.events if event["type"] in acted and event["body"]["fallout"] == fallout]
        return sorted(found, key=lambda event: event["occurred_at"])

    def closed(self, fallout: str) -> dict[str, Any] | None:
        """The event that closed a fallout of this story: the success, decline or end of its step, or its item's end."""
        opened = self.first[fallout]
        over = {_DONE[opened["type"].partition(".")[0]], "item.failed"}
        later = self.events[self.events.index(opened) + 1 :]
        same = [event for event in later if event["stream"] == opened["stream"] and event["body"].get("item", "") == opened["body"]["item"]]
        return next((event for event in same if event["type"] in over), None)

    def waits(self, fallout: str) -> Iterator[tuple[datetime, datetime]]:
        begun = None
        for event in self.deeds(fallout):
            if event["type"] == "fallout.information-requested":
                begun = event["occurred_at"]
            elif event["type"] == "fallout.resumed" and begun:
                yield begun, event["occurred_at"]
                begun = None
        if begun:
            yield begun, self.now


_DONE = {"porting": "porting.scheduled", "activation": "service.activated", "credit": "credit.approved"}
"""By step that falls out in this story, the event of its success."""


@pytest.fixture
def told(world: World, desk: Desk) -> World:
    """Seven orders: one right at once, a wrong code from the store, twice, a deposit, a network fault, an item that is given up, and two that are cancelled at once."""
    world.sims(esim=6)
    world.scripted.will("activation", Failed("PERMANENT"))
    world.take(order("NET", line(), channel="store"), name="net.jsonl")
    world.run(at(5, 11))
    world.scripted.will("credit", DEPOSIT)
    world.take(order("DEP", line(), party="C-2", on=at(5, 11)), name="dep.jsonl")
    world.run(at(5, 12))
    world.take(
        order("RIGHT", line(), party="C-3", on=at(5, 12)),
        order("CODE", ported(code=""), channel="store", on=at(5, 12)),
        order("FAIL", ported(msisdn="+447700900124", code=""), party="C-3", on=at(5, 12)),
        name="more.jsonl",
    )  # fmt: skip
    for name, why in (("LATE", "delay"), ("TWICE", "ordered-twice")):
        world.take(order(name, ported(msisdn=f"+4477009002{len(name)}4", code=""), party="C-3", on=at(5, 12)), name=f"{name}.jsonl")
        desk.types("orders", "cancel", name, "--reason", "the customer rang", "--code", why)
    world.run(at(5, 14))
    codes = {row["external_id"]: row["fallout"] for row in desk.sees("fallout", "list")}
    desk.types("fallout", "work", codes["CODE"], "--claim", "30")
    desk.types("fallout", "work", codes["CODE"], "--assign", "ben")
    desk.types("fallout", "work", codes["CODE"], "--ask", "customer", "--note", "the code")
    world.run(at(7, 11))
    desk.types("fallout", "work", codes["CODE"], "--resume")
    desk.types("fallout", "resolve", codes["CODE"], "--correct", "portInCode=ABC123456", "--reason", "read back")
    world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
    desk.types("fallout", "resolve", codes["NET"], "--retry", "--reason", "set up")
    desk.types("fallout", "resolve", codes["FAIL"], "--fail", "--reason", "gave it up")
    world.run(at(9, 12))
    return world


def explained(desk: Desk, name: str, *more: str) -> dict[str, Any]:
    return dict(desk.sees("metrics", "explain", name, *more))


def working(start: datetime, end: datetime) -> float:
    """Seconds from Monday to Friday between nine and five in London in winter, where the clock is UTC; counted minute by minute."""
    found, moment = 0.0, start
    while moment < end:
        step = min(moment.replace(second=0, microsecond=0) + timedelta(minutes=1), end)
        if moment.weekday() < 5 and 9 <= moment.hour < 17:
            found += (step - moment).total_seconds()
        moment = step
    return found


def clock(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def spans(log: Log, name: str) -> dict[str, tuple[datetime, datetime, str]]:
    """By fallout, the span that a time is about, and the event that ends it."""
    found = {}
    for fallout, opened in log.first.items():
        deeds, closed = log.deeds(fallout), log.closed(fallout)
        match name:
            case "detect":
                before = log.events[: log.events.index(opened)]
                step, item = opened["type"].partition(".")[0], opened["body"]["item"]
                asked = [
                    e for e in before if e["stream"] == opened["stream"] and e["type"] == f"{step}.requested" and e["body"]["item"] == item
                ]
                wrong = any(deed["type"] == "fallout.correction-applied" and deed["body"]["corrected"] for deed in deeds)
                at_ = log.captured[opened["stream"]]["occurred_at"] if wrong else datetime.fromisoformat(asked[-1]["body"]["due_at"])
                found[fallout] = (at_, opened["occurred_at"], opened["id"])
            case "acknowledge" if deeds:
                found[fallout] = (opened["occurred_at"], deeds[0]["occurred_at"], deeds[0]["id"])
            case "resolve" if closed:
                found[fallout] = (opened["occurred_at"], closed["occurred_at"], closed["id"])
    return found


TIMES = list(product(("", "working-"), ("detect", "acknowledge", "resolve"), ("", "-without-waiting")))


def test_times_are_counted_again(told: World, desk: Desk) -> None:
    """From the raw events, minute by minute; the events are those that end each span."""
    log = Log(told)
    for hours, what, waiting in TIMES:
        counted_again(log, desk, hours, what, waiting)


def counted_again(log: Log, desk: Desk, hours: str, what: str, waiting: str) -> None:
    measure = working if hours else clock
    found = spans(log, what)
    times = []
    for fallout, (start, end, _) in found.items():
        waits = [] if not waiting or what == "detect" else list(log.waits(fallout))
        times.append(measure(start, end) - sum(measure(max(a, start), min(b, end)) for a, b in waits if max(a, start) < min(b, end)))
    total = sum(times)

    seen = explained(desk, f"{hours}time-to-{what}{waiting}")

    assert seen["numerator"] == pytest.approx(total, abs=0.01)
    assert seen["value"] == pytest.approx(total / len(found), abs=0.001)
    for percent in (50, 90, 99):
        reached = [time for time in times if sum(other <= time for other in times) * 100 >= percent * len(times)]
        assert seen[f"p{percent}"] == pytest.approx(min(reached), abs=0.01), (what, percent)
    assert sorted(seen["events_numerator"]) == sorted(event for _, _, event in found.values())
    assert sorted(seen["events_denominator"]) == sorted(log.first[fallout]["id"] for fallout in found)


COUNTS: dict[str, Callable[[Log], tuple[list[str], list[str]]]] = {
    "cancellation-rate": lambda log: (
        [event["id"] for event in log.ended("order.cancelled")],
        [event["id"] for event in log.captured.values()],
    ),
    "cancelled-late-share": lambda log: (
        [event["id"] for event in log.ended("order.cancelled") if log.said(event) == "delay"],
        [event["id"] for event in log.ended("order.cancelled")],
    ),
    "fallout-rate": lambda log: (
        [log.of_order(event)[0]["id"] for event in log.captured.values() if log.of_order(event)],
        [event["id"] for event in log.captured.values()],
    ),
    "fallouts-per-order": lambda log: (
        [each["id"] for each in log.first.values() if each["stream"].startswith("order-")],
        [event["id"] for event in log.captured.values()],
    ),
    "first-pass-yield": lambda log: (
        [event["id"] for event in log.ended("order.completed") if not log.of_order(event)],
        [event["id"] for event in log.ended("order.completed", "order.partially-completed", "order.failed")],
    ),
    "touchless-share": lambda log: (
        [
            event["id"]
            for event in log.ended("order.completed", "order.partially-completed", "order.failed")
            if not any(log.deeds(each["body"]["fallout"]) for each in log.of_order(event))
        ],
        [event["id"] for event in log.ended("order.completed", "order.partially-completed", "order.failed")],
    ),
    "repeat-fallouts": lambda log: (
        [
            each["id"]
            for fallout, each in log.first.items()
            for other, earlier in log.first.items()
            if other != fallout and (earlier["stream"], earlier["type"], earlier["body"]["item"]) == (each["stream"], each["type"], each["body"]["item"])
            and (closed := log.closed(other)) and log.events.index(closed) < log.events.index(each)
        ],
        [each["id"] for each in log.first.values()],
    ),
    "touches-per-fallout": lambda log: (
        [deed["id"] for fallout in log.first for deed in log.deeds(fallout)],
        [each["id"] for each in log.first.values()],
    ),
    "handovers-per-fallout": lambda log: (
        [event["id"] for event in log.events if event["type"] == "fallout.assigned"],
        [each["id"] for each in log.first.values()],
    ),
}  # fmt: skip


def test_counts_are_counted_again(told: World, desk: Desk) -> None:
    """The very events of the log, and their quotient."""
    log = Log(told)
    for name, count in COUNTS.items():
        above, below = count(log)
        shown = explained(desk, name)
        assert (sorted(shown["events_numerator"]), sorted(shown["events_denominator"])) == (sorted(above), sorted(below)), name
        assert (shown["numerator"], shown["denominator"]) == (len(above), len(below)), name
        assert shown["value"] == pytest.approx(len(above) / len(below), abs=1e-6), name


def test_cost_is_counted_again(told: World, desk: Desk) -> None:
    """Claim 1, assign 1, ask 5, resume 1, correct 6, retry 2 and fail 8 minutes at 55 pence; nothing was used up."""
    seen = explained(desk, "fallout-cost")
    assert (seen["value"], seen["unit"], seen["denominator"]) == ((1 + 1 + 5 + 1 + 6 + 2 + 8) * 55, "minor units of GBP", None)
    log = Log(told)
    assert sorted(seen["events_numerator"]) == sorted(deed["id"] for fallout in log.first for deed in log.deeds(fallout))
    assert explained(desk, "cost-per-fallout")["value"] == pytest.approx(24 * 55 / len(log.first), abs=1e-6)


def test_revenue_held_is_counted_again(told: World, desk: Desk) -> None:
    """The prices that the plans pinned for the items with an open fallout, each item once."""
    log, held, events = Log(told), dict[tuple[str, str], int](), []
    for fallout, opened in log.first.items():
        for event in log.ended("order.planned"):
            for each in event["body"]["items"]:
                if (event["stream"], each["item"]) == (opened["stream"], opened["body"]["item"]) and not log.closed(fallout):
                    held[opened["stream"], each["item"]] = each["recurring_minor"] + each["one_time_minor"]
                    events.append(opened["id"])
    seen = explained(desk, "revenue-held")
    assert seen["value"] == sum(held.values())
    assert sorted(seen["events_numerator"]) == sorted(events)


def test_no_figure_is_left_out() -> None:
    """Each is counted again above."""
    times = {f"{hours}time-to-{what}{waiting}" for hours, what, waiting in TIMES}
    assert set(METRICS) == {*COUNTS, *times, "fallout-cost", "cost-per-fallout", "revenue-held"}


def test_the_program_that_proves_counts_the_same(told: World, desk: Desk) -> None:
    """Every figure, from what `o2c events find` prints; and not the same where a record is missing."""
    records = [json.loads(line) for line in desk.types("events", "find", "--identifiers").splitlines()]
    own = figures(Recount(records), told.app.clock().now)
    assert own.keys() == METRICS.keys()
    assert [claim for name in own if not (claim := agrees(name, explained(desk, name), own[name])).good] == []

    deed = next(record for record in records if record["type"] == "fallout.claimed")
    fewer = figures(Recount(record for record in records if record is not deed), told.app.clock().now)
    assert not agrees("touches-per-fallout", explained(desk, "touches-per-fallout"), fewer["touches-per-fallout"]).good


def test_by_a_dimension_the_parts_are_those_of_the_whole(told: World, desk: Desk) -> None:
    """By reason every order is divided by; by channel only its own orders; the age is in whole months since the launch."""
    log = Log(told)
    by_reason = {row["key"]: row for row in explained(desk, "fallout-rate", "--by", "reason")["rows"]}
    assert set(by_reason) == {each["body"]["reason"] for each in log.first.values()}
    assert {row["denominator"] for row in by_reason.values()} == {len(log.captured)}
    assert by_reason["NP-CODE"]["numerator"] == 2

    by_channel = {row["key"]: (row["numerator"], row["denominator"]) for row in explained(desk, "fallout-rate", "--by", "channel")["rows"]}
    assert by_channel == {"store": (2, 2), "web": (2, 5)}
    assert sum(row["denominator"] for row in explained(desk, "fallout-rate", "--by", "product-age")["rows"]) == len(log.captured)
    partners = {row["key"]: row["numerator"] for row in explained(desk, "fallout-rate", "--by", "partner")["rows"]}
    assert (partners["network"], partners["credit-bureau"]) == (1, 1)


def test_a_time_window_holds_what_began_in_it(told: World, desk: Desk) -> None:
    """From its start on and before its end."""
    log = Log(told)
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    early = [event["id"] for event in log.captured.values() if event["occurred_at"] < noon]
    seen = explained(desk, "fallout-rate", "--to", "2026-01-05T12:00:00Z")
    assert sorted(seen["events_denominator"]) == sorted(early)
    late = explained(desk, "fallout-rate", "--from", "2026-01-05T12:00:00Z")
    assert 0 < len(early) < len(log.captured)
    assert sorted(early + late["events_denominator"]) == sorted(event["id"] for event in log.captured.values())


def test_a_table_counts_and_a_word_too_much_is_refused(told: World, desk: Desk) -> None:
    """The ids are for machines; a figure, a dimension or a window that is none is refused in a line."""
    assert "events_denominator" in desk.types("metrics", "explain", "fallout-rate")
    assert json.loads(desk.types("metrics", "list", "-o", "json"))[0]["name"] == "fallout-rate"
    for words, said in (
        (["no-such"], "there is no metric"),
        (["first-pass-yield", "--by", "reason"], "not told by reason"),
        (["fallout-rate", "--from", "2026-02-01", "--to", "2026-01-01"], "is none"),
    ):
        with pytest.raises(Refused, match=said):
            desk.types("metrics", "explain", *words)


def test_a_step_that_falls_out_again_after_it_was_closed_is_a_repeat() -> None:
    """Of the same item only; attempts of one fallout are none."""
    fell = [
        of_order(0, "sim.fell-out", n, item=item, fallout=name)
        for n, item, name in ((1, "1", "a"), (2, "1", "a"), (4, "2", "b"), (5, "1", "c"))
    ]
    history = [captured(0), planned(0), *fell[:2], of_order(0, "sim.assigned", 3, item="1"), *fell[2:]]
    fold = Fold(FALLOUT, names_of(FALLOUT.types), strict=True)
    fold.take(fold.assign_groups(seen(history)))
    [doc] = fold.docs.values()
    assert {name: row["repeated"] for name, row in doc["fallouts"].items()} == {"a": False, "b": False, "c": True}


NEW = 'version = "2027"\nvalid_from = "2026-01-07"\n'
CARDS = [
    pytest.param(NEW + "[minutes]\nfly = 1\n", "no action is called so", id="an action that is none"),
    pytest.param(NEW + "[minutes]\nretry = -1\n", "no whole number", id="less than no minutes"),
    pytest.param(NEW + "[markets.FR]\nkit_minor = 1\n", "there is no market FR", id="a market that is none"),
    pytest.param(NEW + '[markets.NL]\ncurrency = "GBP"\n', "prices in EUR", id="the currency of another market"),
    pytest.param(NEW + "[markets.GB]\nfuel_minor = 1\n", "says exactly", id="a price for nothing"),
    pytest.param(NEW + '[[uses]]\naction = "retry"\nwhat = "fuel"\n', "name an action", id="using up nothing that is known"),
    pytest.param(NEW + "[prices]\n", "none of", id="a part that is none"),
    pytest.param('valid_from = "2026-01-07"\n', "`version`", id="no version"),
    pytest.param('version = "2026-11"\nvalid_from = "2026-01-07"\n', "`version`", id="the version of the package"),
    pytest.param('version = "2027"\nvalid_from = "soon"\n', "no rate card", id="no day"),
    pytest.param('version = "2027"\n', "lacks 'valid_from'", id="no day at all"),
    pytest.param("minutes =", "no rate card", id="no TOML"),
]
CURRENCIES = {code: versions[-1].currency for code, versions in MARKETS.items()}


@pytest.mark.parametrize(("text", "said"), CARDS)
def test_a_rate_card_that_does_not_fit_is_refused(text: str, said: str) -> None:
    """In a line that names what is wrong."""
    with pytest.raises(Refused, match=said):
        checked(packaged(), text, CURRENCIES)


def test_the_rate_card_knows_every_action_and_every_market() -> None:
    """In the currency of each."""
    card = packaged().newest
    assert set(card.minutes) == set(ACTIONS)
    assert {market: card.currency(market) for market in card.markets} == CURRENCIES
    assert card.cost_minor("replace", "SIM-DPUNK", "GB") == 6 * 55 + 450
    assert card.cost_minor("retry", "LOG-NOVISIT", "NL") == 2 * 65 + 9500


def test_a_deed_costs_what_was_in_force_on_its_day(told: World, desk: Desk, tmp_path: Path) -> None:
    """A card that is loaded is in force from its day on: claim, assign and ask were before it, all else after. Loaded again it does nothing; loaded over
    it, a later one changes what it says."""
    day_five, day_seven = 1 + 1 + 5, 1 + 6 + 2 + 8
    for version, document, cost in (
        ("2027", "[markets.GB]\nlabour_minute_minor = 100\n", day_five * 55 + day_seven * 100),
        ("2027", "[markets.GB]\nlabour_minute_minor = 100\n", day_five * 55 + day_seven * 100),
        ("2028", "[minutes]\nretry = 12\n", day_five * 55 + (day_seven + 10) * 100),
    ):
        (tmp_path / "rates.toml").write_text(f'version = "{version}"\nvalid_from = "2026-01-07"\n{document}')
        said = desk.types("fallout", "load-rates", str(tmp_path / "rates.toml"))
        assert f"rate card {version} is in force from 2026-01-07" in said
        assert explained(desk, "fallout-cost")["value"] == cost
    assert told.app.reads.rows("SELECT count(*) AS n FROM o2c.event WHERE type = 'rates.loaded'") == [{"n": 2}]
    # A login that sees no log reads the cards where analysts read events.
    told.app.sees_log = False
    assert explain_metric(told.app, "fallout-cost")["value"] == cost
