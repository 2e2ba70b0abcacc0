"""Whether the store ended every imperfect order where its paper says it must: expected against found, code by code."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from o2c.engine.app import Engine
from tests.flaws import ITEM_CODES, ORDER_CODES, Papers

GATE_CODES = frozenset({"KYC-DOC", "KYC-TMO", "CR-REFER", "CR-DEPOSIT", "CR-TIMEOUT"})
CODES = (*ORDER_CODES, *ITEM_CODES, "NP-NOTPORT", "DQ-DUP")
WAITING = frozenset({"pending", "held"})


class Claim(NamedTuple):
    """What is claimed, whether it is so, and the figures."""

    name: str
    good: bool
    figures: str


class Place(NamedTuple):
    """Where a flaw shows: the order by its external id, the planned item (empty: the whole order), the step."""

    order: str
    item: str
    step: str


@dataclass(frozen=True, slots=True)
class Store:
    """What the store says: states of orders and items, fallouts by our own judgement, open fallouts, and who brings which number."""

    orders: dict[str, str]
    items: dict[tuple[str, str], str]
    judged: dict[str, set[Place]]
    open: dict[tuple[str, str], set[str]]
    ports: set[tuple[str, str]]
    holders: dict[str, tuple[str, str]]


_JUDGED = """SELECT DISTINCT external_id, body->>'item' AS item, split_part(type, '.', 1) AS step, body->>'reason' AS reason
    FROM o2c.event e JOIN projection.orders o ON o.order_id = e.order_id::text
    WHERE starts_with(stream, 'order-') AND body->>'reason' = ANY(%s) AND jsonb_exists(body, 'fallout') AND body->>'partner_code' = ''"""
_OPEN = """SELECT external_id, item, reason FROM projection.fallout f JOIN projection.orders USING (order_id)
    WHERE f.state = 'open' AND starts_with(stream, 'order-')"""
_PORTS = """SELECT external_id, body->>'item' AS item FROM o2c.event e JOIN projection.orders o ON o.order_id = e.order_id::text
    WHERE type = 'porting.requested'"""
_ITEMS = "SELECT external_id, item, i.state FROM projection.items i JOIN projection.orders USING (order_id)"
_HOLDERS = """SELECT key, external_id, split_part(holder, '/', 2) AS item FROM o2c.guard
    JOIN projection.orders ON order_id = split_part(substr(holder, 7), '/', 1) WHERE kind = 'port-in'"""


def store_of(app: Engine) -> Store:
    judged: dict[str, set[Place]] = defaultdict(set)
    for row in app.reads.rows(_JUDGED, list(CODES)):
        judged[row["reason"]].add(Place(row["external_id"], row["item"] or "", row["step"]))
    open_: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in app.reads.rows(_OPEN):
        open_[row["external_id"], row["item"]].add(row["reason"])
    return Store(
        {row["external_id"]: row["state"] for row in app.reads.rows("SELECT external_id, state FROM projection.orders")},
        {(row["external_id"], row["item"]): row["state"] for row in app.reads.rows(_ITEMS)},
        judged,
        open_,
        {(row["external_id"], row["item"]) for row in app.reads.rows(_PORTS)},
        {row["key"]: (row["external_id"], row["item"]) for row in app.reads.rows(_HOLDERS)},
    )


def claims(app: Engine, papers: Papers) -> Iterator[Claim]:
    """One claim a code, and two on states."""
    store = store_of(app)
    expected = expectations(papers, store)
    for code in CODES:
        yield _compared(code, expected[code], store)
    yield _minors(papers, store)
    yield _states(expected, store)


def expectations(papers: Papers, store: Store) -> dict[str, set[Place]]:
    """Every place a flaw of the papers must show, by code."""
    expected: dict[str, set[Place]] = {code: set() for code in CODES}
    for name, fate in papers.fates.items():
        if fate.code:
            expected[fate.code].add(Place(name, "", "validation"))
        for (item, code), step in fate.items.items():
            expected[code].add(Place(name, item, step))
    expected["DQ-DUP"] = {Place(name, "", "duplicate") for name in papers.changed}
    expected["NP-NOTPORT"] = set(_contested(papers, store))
    return expected


def _contested(papers: Papers, store: Store) -> Iterator[Place]:
    """Of those who asked for one number all but the holder lose; who also sent a wrong code is told that first."""
    bringing: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, fate in papers.fates.items():
        for item, number in fate.brings.items():
            if (name, item) in store.ports:
                bringing[number].append((name, item))
    for number, asked in bringing.items():
        losers = [place for place in asked if place != store.holders.get(number)]
        yield from (Place(name, item, "porting") for name, item in losers if (item, "NP-CODE") not in papers.fates[name].items)


def _compared(code: str, expected: set[Place], store: Store) -> Claim:
    found = store.judged[code]
    missing = [place for place in expected - found if not _stopped_earlier(place, store)]
    closed = [place for place in found if code not in store.open.get((place.order, place.item), ())]
    earlier = len(expected - found) - len(missing)
    figures = f"{len(expected)} expected = {len(found)} found" + (f" + {earlier} stopped earlier" if earlier else "")
    for what, places in (("missing", missing), ("not expected", sorted(found - expected)), ("no longer open", closed)):
        if places:
            figures += f"; {what}: {len(places)}, first {'/'.join(places[0])}"
    return Claim(f"flaw {code}", not missing and found <= expected and not closed, figures)


def _stopped_earlier(place: Place, store: Store) -> bool:
    """An item's flaw cannot show when identity or credit said no or waits, or when its parcel still waits for a SIM."""
    if not place.item:
        return False
    gates = store.open.get((place.order, ""), set()) & GATE_CODES
    waits = place.step == "delivery" and "INV-SIM" in store.open.get((place.order, place.item), ())
    return store.orders[place.order] == "rejected" or bool(gates) or waits


def _minors(papers: Papers, store: Store) -> Claim:
    minors = [name for name, fate in papers.fates.items() if fate.minor and not fate.code]
    ended = Counter(store.orders[name] for name in minors)
    return Claim("minors are rejected", set(ended) <= {"rejected"}, f"{len(minors)} orders: {dict(ended)}")


def _states(expected: dict[str, set[Place]], store: Store) -> Claim:
    """A flawed order is pending, a flawed item pending (or held, when another of its steps waits for us)."""
    orders = {place.order for code in ORDER_CODES for place in expected[code]}
    items = {(place.order, place.item) for code in (*ITEM_CODES, "NP-NOTPORT") for place in store.judged[code]}
    wrong = [name for name in orders if store.orders.get(name) != "pending"]
    wrong += ["/".join(item) for item in items if store.items.get(item) not in WAITING]
    figures = f"{len(orders)} orders and {len(items)} items wait" + (f"; {len(wrong)} do not, first {wrong[0]}" if wrong else "")
    return Claim("what is flawed waits for its correction", not wrong, figures)
