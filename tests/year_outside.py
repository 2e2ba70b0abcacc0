"""What is held for orders and products after a year of changes: by the partners' own books, by the stock, and by the log, which must say the same.

Nothing leaked: what an order gave up, or was changed away from, nobody holds any more. Nothing doubled: what stands is held once. What was to be taken back is
taken back, or somebody has it in a queue.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from o2c.engine.app import Engine
from o2c.orders.rollup import FINAL, ItemProgress, item_state, order_state
from o2c.orders.state import OrderState
from o2c.plan import STEPS
from tests.book import Entry, Place, effects
from tests.fates import Claim

RECALLED = {name: step.ending.recall for name, step in STEPS.items() if step.ending.recall}
"""By step what its partner is asked by to drop the work."""
DROPS = {recall: step for step, recall in RECALLED.items()}
"""By what a partner drops work by, the step of that work."""
FOR_GOOD: Mapping[str, str | None] = {
    "appointment": None, "esim": "esim-download", "porting": "cutover", "switch-order": "switch-trigger", "activation": "", "service-change": "",
}  # fmt: skip
"""By such a step, the one from whose end on its work stays though the item ends; None: its own, as nobody takes back a visit or a parcel that came; empty: none, as what
the network does it always undoes."""
UNDER_WAY = frozenset({"requested", "held", "pending"})
HOLDS = {"sim": ("sim",), "number": ("number", "number-change", "cutover", "porting")}
"""By kind of stock, the steps of an item that hold a piece of it."""
NAMES = {"sim": "iccid", "number": "msisdn"}
STREAMS = "SELECT stream FROM o2c.head WHERE starts_with(stream, 'order-') ORDER BY stream"
OPEN = "SELECT DISTINCT stream, item FROM projection.fallout WHERE state = 'open'"
IN_USE = "SELECT kind, key FROM projection.stock WHERE state IN ('assigned', 'ported_in') AND kind IN ('sim', 'number') ORDER BY 1, 2"
SERVING = "SELECT product, iccid, msisdn FROM projection.products WHERE status <> 'terminated' ORDER BY product"
POSTPONED = "SELECT stream, body ->> 'item' AS item FROM o2c.event WHERE type = 'porting.postponed'"
"""The windows of ports that were given up without another one: what is agreed afterwards is the same port."""
NONE: Mapping[Place, int] = {}
RECALLS = tuple(sorted(set(RECALLED.values())))


@dataclass
class Standing:
    """How all orders stand by the log: of each piece of partners' work whether it must be held (None: it is under way), which recalls are done, kept, in a queue or
    under way, the pieces of stock that items which are not over hold, and the items that are `going` on."""

    must: dict[Place, bool | None] = field(default_factory=dict)
    recalls: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)
    going: set[tuple[str, str]] = field(default_factory=set)
    pieces: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))


def standing(states: Mapping[str, OrderState], queued: set[tuple[str, str]]) -> Standing:
    """Read how orders stand."""
    told = Standing()
    for stream, state in states.items():
        over = order_state(state.progress) in FINAL
        for item, progress in state.progress.items.items():
            for step, recall in RECALLED.items():
                if step in progress.steps:
                    told.must[stream, item, step] = _must(step, progress, progress.recalls.get(recall, ""))
            for recall, status in progress.recalls.items():
                where = "in a queue" if (stream, item) in queued else "under way"
                told.recalls[status if status not in UNDER_WAY else where] += 1
                told.left += (
                    [f"{stream}/{item} {recall}"]
                    if status in UNDER_WAY and (over or (status != "requested" and where != "in a queue"))
                    else []
                )
            told.left += [f"{stream}/{item} {step}" for step in state.taken_back.get(item, ()) if over]
            if item_state(progress) not in FINAL:
                told.going.add((stream, item))
                _pieces(told, stream, state, item)
    return told


def _must(step: str, item: ItemProgress, recalled: str) -> bool | None:
    """Whether a partner must have the work of a step: it is done, and stays so; of an item that ended, where it is past being dropped."""
    status = item.steps[step]
    if status in UNDER_WAY or recalled in UNDER_WAY:
        return None
    past = FOR_GOOD[step] is None or item.steps.get(FOR_GOOD[step] or "") == "done"
    return status == "done" and (past or not item.ended)


def _pieces(told: Standing, stream: str, state: OrderState, item: str) -> None:
    for kind, steps in HOLDS.items():
        for piece in {
            state.record(item, step).outcome.get(NAMES[kind]) for step in steps if state.progress.items[item].steps.get(step) == "done"
        }:
            if piece:
                told.pieces[kind, str(piece)].append(f"{stream}/{item}")


def outside(book: Iterable[Entry], postponed: Mapping[Place, int] = NONE) -> Counter[Place]:
    """How many times partners hold a piece of work, by their own books, call after call: done, less what they dropped, for what is not there cannot be dropped; done anew
    after it was so many times postponed is once."""
    held: Counter[Place] = Counter()
    for place, spans in _between_drops(book).items():
        for n, span in enumerate(spans):
            held[place] = max(held[place] - 1, 0) if n else 0
            held[place] += effects(span)[place].done if span else 0
        held[place] -= max(min(postponed.get(place, 0), held[place] - 1), 0)
    return held


def _between_drops(book: Iterable[Entry]) -> Mapping[Place, list[list[Entry]]]:
    """The calls for each piece of work, in spans that end where its partner dropped it."""
    spans: defaultdict[Place, list[list[Entry]]] = defaultdict(lambda: [[]])
    for entry in book:
        stream, item, step = entry.place
        if step in RECALLED and not entry.moves:
            spans[entry.place][-1].append(entry)
        elif step in DROPS and entry.answer == "done":
            spans[stream, item, DROPS[step]].append([])
    return spans


def wrong_outside(told: Standing, held: Mapping[Place, int]) -> list[str]:
    """Where partners hold what the log says nobody has, hold it more than once, or lack it."""
    wrong = []
    for place in sorted(held.keys() | told.must.keys()):
        must, has = told.must.get(place, False), held.get(place, 0)
        if has != must if must is not None else not 0 <= has <= 1:
            wrong.append(f"{'/'.join(place)}: its partner has it {has} times, and by the log it is {must}")
    return wrong


def wrong_stock(told: Standing, in_use: Iterable[Mapping[str, str]], serving: Iterable[Mapping[str, str]]) -> list[str]:
    """Which pieces are in use by nobody, by two, or by somebody while they lie in stock."""
    users: dict[tuple[str, str], set[str]] = defaultdict(set)
    for piece, places in told.pieces.items():
        users[piece] |= set(places)
    for row in serving:
        for kind, name in NAMES.items():
            if row[name]:
                users[kind, row[name]].add(row["product"])
    taken = {(row["kind"], row["key"]) for row in in_use}
    wrong = [f"{kind} {key} is in use, and nobody's" for kind, key in sorted(taken - users.keys())]
    wrong += [f"{kind} {key} is {sorted(users[kind, key])}'s, and not in use" for kind, key in sorted(users.keys() - taken)]
    return wrong + [
        f"{kind} {key} is of {sorted(by)}" for (kind, key), by in sorted(users.items()) if len(by) > 1 and len(set(map(_line, by))) > 1
    ]


def _line(place: str) -> str:
    """The item that a place names, however it is written."""
    return place.removeprefix("order-").replace("/", ":")


def standing_of(app: Engine) -> Standing:
    """Read how all orders of a store stand."""
    streams = [row["stream"] for row in app.reads.rows(STREAMS)]
    states = {name: cast("OrderState", loaded.state) for name, loaded in app.load(streams).items()}
    return standing(states, {(row["stream"], row["item"]) for row in app.reads.rows(OPEN)})


def claims(app: Engine, book: list[Entry]) -> Iterator[Claim]:
    """One by one, each with its figures; and what shows that the same eyes see a leak."""
    told = standing_of(app)
    postponed = Counter((row["stream"], row["item"], "porting") for row in app.reads.rows(POSTPONED))
    told.must |= {place: None for place in postponed if not told.must.get(place) and place[:2] in told.going}
    held, in_use, serving = outside(book, postponed), list(app.reads.rows(IN_USE)), list(app.reads.rows(SERVING))
    wrong = wrong_outside(told, held)
    by_step = Counter(place[2] for place, count in held.items() if count)
    figures = (
        f"{len(held)} pieces of work, held {dict(by_step)}, {sum(must is None for must in told.must.values())} under way{first_of(wrong)}"
    )
    yield Claim("partners hold what stands, once, and nothing else", bool(held) and not wrong, figures)
    wrong = wrong_stock(told, in_use, serving)
    figures = f"{dict(Counter(row['kind'] for row in in_use))} in use, {len(serving)} products in service{first_of(wrong)}"
    yield Claim("every SIM and number in use is one line's", bool(in_use) and not wrong, figures)
    kept = Counter(row["type"].partition(".")[2] for row in app.reads.rows(ANSWERS, list(RECALLS)))
    figures = f"{dict(told.recalls)} of recalls, by their last word{dict(kept) if kept else ''}{first_of(told.left)}"
    yield Claim("every compensation is complete or in a queue", told.recalls["done"] > 0 and not told.left, figures)
    yield Claim("control: what partners and stock would hold is seen", *_control(told, held, in_use, serving, book))


ANSWERS = "SELECT type FROM o2c.event WHERE split_part(type, '.', 1) = ANY(%s) AND type NOT LIKE '%%.requested'"


def _control(
    told: Standing,
    held: Counter[Place],
    in_use: list[Mapping[str, str]],
    serving: list[Mapping[str, str]],
    book: list[Entry],
) -> tuple[bool, str]:
    """A recall that its partner never got, a piece of work that is done twice, and a piece that no product names."""
    asked = {entry.place for entry in book if entry.place[2] in RECALLS and entry.answer == "done"}
    deaf = wrong_outside(told, outside([entry for entry in book if entry.place not in asked]))
    doubled = wrong_outside(told, Counter({place: count + 1 for place, count in held.items()}))
    first = next((row["iccid"] for row in serving if row["iccid"]), "")
    lost = wrong_stock(told, in_use, [row for row in serving if row["iccid"] != first])
    found = {"never dropped": len(deaf), "done twice": len(doubled), "of nobody": len(lost)}
    return all(found.values()), str(found)


def first_of(wrong: list[str]) -> str:
    """How many are wrong, and the first of them, in words; nothing where none is."""
    return f"; {len(wrong)} are wrong: {'; '.join(wrong[:3])[:600]}" if wrong else ""
