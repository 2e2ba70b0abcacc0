"""What must hold when partners are in trouble, told from the log alone and from the partners' own books.

Nobody falls out for an outage, what was parked is made again in turn and at the rate, each piece of work is done once, and nothing is left lying.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.book import Effects, Place
from tests.fates import Claim
from tests.recount import ITEM_ENDS, STEP_ENDS, Record, at, kind, moment

NOBODY = frozenset({"UNAVAILABLE", "silent", "never heard"})
"""How a fallout names a call that met nobody."""
ENGINE, DRAINS = "engine", "make-parked-calls"
UNPROMISED, BILLED = "9999", 9
"""The promise of what is promised for no day, and the priority of what is no order."""
MINUTE = timedelta(minutes=1)
Turn = tuple[int, str, str, Place]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was parked (`due_at` None), or made again: for which work, as which attempt, whose turn it was, and in which batch (`cause`)."""

    place: Place
    attempt: int
    due_at: datetime | None
    turn: Turn
    cause: str
    drained: bool


@dataclass
class Outage:
    """A time without a partner: from its first call that met nobody, found at `found_at`, until `up_at`; its calls, and who fell out in it.

    `shown_by` is how many calls showed it, and `before` how many fell out until they did, from when it was planned to begin (`began`) on.
    """

    partner: str
    since: datetime
    began: datetime
    found_at: datetime
    shown_by: int
    up_at: datetime | None = None
    rate: int = 0
    calls: list[Call] = field(default_factory=list)
    before: int = 0
    fell: int = 0

    @property
    def name(self) -> str:
        return f"{self.partner} away since {self.since:%d %B %H:%M}"

    @property
    def places(self) -> set[Place]:
        return {call.place for call in self.calls}


@dataclass
class Story:
    """What a log tells of its outages, which work was ended otherwise than by its partner, and in which way, and how often which was done `anew`."""

    outages: dict[str, Outage] = field(default_factory=dict)
    ended: dict[Place, str] = field(default_factory=dict)
    anew: Counter[Place] = field(default_factory=Counter)


def story_of(records: Iterable[Record]) -> Story:
    """Read a log, in its order."""
    story, fallen = Story(), list[tuple[str, datetime]]()
    priority: dict[str, tuple[int, str]] = {}
    promised: dict[tuple[str, str], str] = {}
    places: defaultdict[str, set[Place]] = defaultdict(set)
    planned: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for record in records:
        name, body, stream = record["type"], record["data"], record["stream"]
        shape, step = kind(name)
        place = (stream, body.get("item", ""), step or body.get("step", ""))
        if name == "order.captured":
            priority[stream] = (body["priority"], record["occurred_at"])
        elif name in ("order.planned", "order.revised"):
            promised |= {(stream, item["item"]): item["promised_on"] for item in body["items"]}
        elif name == "promise.revised":
            promised[stream, body["item"]] = body["promised_on"]
        elif name == "partner.faults-planned":
            times = [(fault["starts_at"], fault["ends_at"]) for fault in body["faults"] if fault["kind"] == "outage"]
            planned[body["partner"]] = [(moment(begins), moment(ends)) for begins, ends in times if begins and ends]
        elif name == "partner.went-down":
            story.outages.setdefault(body["outage"], _outage(record, planned[body["partner"]]))
        elif name == "partner.came-up":
            outage = story.outages[body["outage"]]
            outage.up_at, outage.rate = moment(body["up_at"]), body["rate_per_min"]
        elif shape in ("parked", "unparked"):
            turn = (*priority.get(stream, (BILLED, "")), place)
            story.outages[body["outage"]].calls.append(_call(record, place, promised.get(place[:2], ""), turn))
        elif shape == "fell-out":
            partner = (body.get("asked") or {}).get("partner", "")
            if body.get("partner_code") in NOBODY:
                fallen.append((partner, at(record)))
            story.ended[place] = f"fell out: {body['reason']}"
        elif shape == "requested":
            places[stream].add(place)
            story.ended.pop(place, None)
        elif shape == "renewed":
            story.anew[place] += 1
        elif shape in STEP_ENDS or shape in ITEM_ENDS:
            _note_end(story, record, shape, place, places[stream])
    _note_fallen(story, fallen)
    return story


def _outage(record: Record, planned: Iterable[tuple[datetime, datetime]]) -> Outage:
    body = record["data"]
    since = moment(body["since"])
    began = min([since, *(begins for begins, ends in planned if begins <= since < ends)])
    return Outage(body["partner"], since, began, at(record), body.get("calls", 0))


def _call(record: Record, place: Place, promised_on: str, turn: tuple[int, str, Place]) -> Call:
    body = record["data"]
    due_at = moment(body["due_at"]) if "due_at" in body else None
    full = (turn[0], promised_on or UNPROMISED, turn[1], turn[2])
    return Call(place, body["attempt"], due_at, full, record["causation"] or "", record["actor"] == DRAINS)


def _note_end(story: Story, record: Record, shape: str, place: Place, asked: set[Place]) -> None:
    """A step that was done by itself is not noted, one that a person settled is; the end of an item ends what was asked for it."""
    name = record["type"]
    if shape == "done" and record["actor"] == ENGINE and not name.startswith("step."):
        story.ended.pop(place, None)
    elif shape in ITEM_ENDS:
        story.ended |= {one: name for one in asked if one[:2] == place[:2]}
    else:
        story.ended[place] = name if record["actor"] == ENGINE else f"{name} by a person"


def _note_fallen(story: Story, fallen: Iterable[tuple[str, datetime]]) -> None:
    """Those who fell out for want of an answer while their partner was away."""
    for partner, fell_at in fallen:
        for outage in story.outages.values():
            if outage.partner == partner and outage.began <= fell_at < (outage.up_at or fell_at + MINUTE):
                outage.before += fell_at < outage.found_at
                outage.fell += fell_at >= outage.found_at


# -- the claims about outages


def claims(story: Story, effects: Mapping[Place, Effects], *, orders_min: int = 0) -> Iterator[Claim]:
    """One by one, each with its figures. `orders_min` is how many orders at least one outage must have in it."""
    most = max((len(_streams(outage)) for outage in story.outages.values()), default=0)
    yield Claim(f"an outage has at least {orders_min} orders in it", most >= max(orders_min, 1), f"{most} of {len(story.outages)} outages")
    for outage in story.outages.values():
        yield made_again(outage, story.ended)
        yield in_turn(outage)
        yield at_the_rate(outage)
        yield fell_for_it(outage)
        yield done_once(outage, effects, story)


def _streams(outage: Outage) -> set[str]:
    return {stream for stream, _, _ in outage.places}


def made_again(outage: Outage, ended: Mapping[Place, str]) -> Claim:
    """Each call that was parked is made again, and none that was not; but for those that were given up meanwhile."""
    word: dict[tuple[Place, int], bool] = {}
    twice = 0
    for call in outage.calls:
        parked = call.due_at is None
        twice += parked and word.get((call.place, call.attempt), False)
        twice += not parked and (call.place, call.attempt) not in word
        word[call.place, call.attempt] = parked
    waiting = [place for (place, _), parked in word.items() if parked]
    left = [place for place in waiting if place not in ended]
    parked, drained = len(word), len(word) - len(waiting)
    figures = f"{parked} calls of {len(_streams(outage))} orders or invoices parked, {drained} made again, {len(waiting) - len(left)} given up meanwhile"
    good = bool(word) and not left and not twice and outage.up_at is not None
    return Claim(
        f"{outage.name}: what was parked was made again",
        good,
        figures + (f"; {len(left)} not, {twice} out of step" if left or twice else ""),
    )


def _drained(outage: Outage) -> list[Call]:
    """What was made again once the partner was up, by its times."""
    if outage.up_at is None:
        return []
    made = [(call.due_at, call) for call in outage.calls if call.due_at and call.due_at > outage.up_at]
    return [call for _, call in sorted(made, key=lambda pair: pair[0])]


def in_turn(outage: Outage) -> Claim:
    """By priority, promised day, age and place. What is parked while the others have their times already comes behind, in a batch of its own."""
    batches: defaultdict[str, list[Call]] = defaultdict(list)
    for call in _drained(outage):
        if call.drained:
            batches[call.cause].append(call)
    wrong = sum(earlier.turn > later.turn for calls in batches.values() for earlier, later in pairwise(calls))
    first = max(map(len, batches.values()), default=0)
    calls = sum(map(len, batches.values()))
    kinds = len({call.turn[:2] for some in batches.values() for call in some})
    figures = f"{calls} calls in {len(batches)} batches, the largest of {first}; {kinds} priorities and days, {wrong} out of turn"
    return Claim(f"{outage.name}: in turn", bool(batches) and not wrong, figures)


def at_the_rate(outage: Outage) -> Claim:
    """No minute has more of its calls than the rate."""
    times = [call.due_at for call in _drained(outage) if call.due_at]
    first, most = 0, 0
    for last, time in enumerate(times):
        while times[first] <= time - MINUTE:
            first += 1
        most = max(most, last - first + 1)
    return Claim(
        f"{outage.name}: no faster than the rate", 0 < most <= outage.rate, f"at most {most} calls in a minute, {outage.rate} allowed"
    )


def fell_for_it(outage: Outage) -> Claim:
    """Nobody fell out for want of an answer once the calls showed the outage, and until then fewer than it took to show it."""
    figures = f"{outage.fell} fallouts for want of an answer, {outage.before} before the calls showed it"
    good = not outage.fell and outage.before < max(outage.shown_by, 1) and outage.up_at is not None
    return Claim(f"{outage.name}: nobody fell out for it", good, figures)


def done_once(outage: Outage, effects: Mapping[Place, Effects], story: Story) -> Claim:
    """By the partner's own book each piece of work was done once, and never sent while it was or might be done; or the log says what stopped it.

    What the log has done anew (another window for a port) is sent again, so many times.
    """
    told: Counter[str] = Counter()
    for place in outage.places:
        effect = effects.get(place, Effects(0, False, 0))
        if max(effect.needless, effect.done - 1) > story.anew[place]:
            told["done twice, or sent while it might be done"] += 1
        elif effect.done:
            told["done once"] += 1
        else:
            told[story.ended.get(place, "neither done nor stopped")] += 1
    bad = told["done twice, or sent while it might be done"] + told["neither done nor stopped"]
    figures = f"{len(outage.places)} pieces of work: " + ", ".join(f"{count} {what}" for what, count in told.most_common() if count)
    return Claim(f"{outage.name}: each with one effect at the partner", told["done once"] > 0 and not bad, figures)


# -- the claim about what is left


def in_hand(rows: Sequence[Mapping[str, Any]], teams: Mapping[str, str], people: Mapping[str, str], now: datetime) -> Claim:
    """Every open fallout (a row of `o2c fallout list`) is in a queue, with an owner and a next date that has not passed.

    An owner is a person whom the log names last (`people`, by fallout), or the team that the table of codes names for the queue (`teams`).
    """
    without: Counter[str] = Counter()
    for row in rows:
        owner, next_at = row["owner"], row["next_at"]
        if row["queue"] not in teams:
            without["in no queue"] += 1
        elif not owner or owner not in (teams[row["queue"]], people.get(row["fallout"], "")):
            without["without an owner"] += 1
        elif not next_at or moment(next_at) < now:
            without["without a date to come"] += 1
    owned = sum(row["owner"] == people.get(row["fallout"]) for row in rows)
    figures = f"{len(rows)} open, {owned} with a person and the others with a team" + "".join(
        f"; {n} {what}" for what, n in without.items()
    )
    return Claim("every fallout is closed or in a queue, with an owner and a next date", not without, figures)
