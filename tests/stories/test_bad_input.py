"""Orders as the world sends them: a line that is none is refused and kept to the byte, a wish that cannot be is taken down and falls out."""

import gzip
import json
import tracemalloc
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from o2c.files import intake, loading
from o2c.files.lines import raw_lines
from o2c.intake.events import IntakeLineRefused
from o2c.kernel.refusal import Refused
from o2c.orders.document import ITEMS_MAX, LINE_BYTES_MAX
from o2c.simulation.launch_data import OLD_LINE
from tests.world import Document, World, at, line, order, ported

SECRET = "Tamsel Holmquay"
MEGABYTES_5 = 5_000_000


def paper(**changes: Any) -> bytes:
    """An order with a personal note, parts of it changed."""
    return json.dumps({**order("BAD", line()), "note": SECRET, **changes}).encode()


def with_text(text: bytes) -> bytes:
    return paper(note="HERE", owner=SECRET).replace(b'"HERE"', text)


REFUSED: dict[str, tuple[bytes, str]] = {
    "broken JSON": (paper()[:-1], "not JSON"),
    "no JSON at all": (SECRET.encode(), "not JSON"),
    "duplicate key": (with_text(b'1, "note": 2'), "the same key twice"),
    "NaN": (with_text(b"NaN"), "NaN is no JSON number"),
    "Infinity": (with_text(b"Infinity"), "Infinity is no JSON number"),
    "1e9999": (with_text(b"1e9999"), "a number beyond all bounds"),
    "depth 1,000": (with_text(b"[" * 1000 + b"]" * 1000), "nested deeper than 64"),
    "a 5 MB line": (with_text(b'"' + b"x" * MEGABYTES_5 + b'"'), f"more than {LINE_BYTES_MAX} bytes in one line"),
    "a byte over the limit": (b"[" + b" " * (LINE_BYTES_MAX - 1) + b"]", f"more than {LINE_BYTES_MAX} bytes in one line"),
    "invalid UTF-8": (with_text(b'"\xff\xfe"'), "not UTF-8 at byte"),
    "NUL": (with_text(b'"\\u0000"'), "a NUL character"),
    "a bare NUL": (with_text(b'"\0"'), "not JSON"),
    "unpaired surrogate": (with_text(b'"\\ud800"'), "an unpaired surrogate"),
    "naive time": (paper(orderDate="2026-01-05T09:00:00"), "orderDate is no time with a zone"),
    "impossible time": (paper(orderDate="2026-02-30T09:00:00Z"), "orderDate is no time with a zone"),
    "10,000 items": (paper(productOrderItem=[{}] * 10_000), f"10000 items in one order, at most {ITEMS_MAX}"),
    "an external id of the wrong kind": (paper(externalId={"id": SECRET}), "externalId has no id"),
    "a customer": (json.dumps({"id": "C-1", "givenName": SECRET}).encode(), "no product order"),
    "blanks around it": (b" \t" + paper()[:-1] + b"  ", "not JSON"),
    "a carriage return": (paper()[:-1] + b"\r", "not JSON"),
}


@dataclass(frozen=True)
class Taken:
    """What came of a file in which a good order stands before and after each bad line."""

    world: World
    going: intake.Intake
    counts: intake.Counts
    told: list[IntakeLineRefused]


@pytest.fixture(scope="module")
def module_dsn(server_dsn: str) -> Iterator[str]:
    """A database for the whole module: its tests only look at what one intake did."""
    name = f"bad_{uuid.uuid4().hex}"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        yield make_conninfo(server_dsn, dbname=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def taken(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    world = World(module_dsn, tmp_path_factory.mktemp("bad")).stocked()
    path = world.folder / "orders.jsonl"
    with path.open("wb") as out:
        for number, (raw, _) in enumerate(REFUSED.values()):
            out.write(json.dumps(order(f"GOOD-{number}", line())).encode() + b"\n" + raw + b"\n")
        out.write(json.dumps(order("GOOD-LAST", line())).encode())
    going = intake.Intake(world.app, path, world.folder / "quarantine")
    counts = going.run()
    yield Taken(world, going, counts, refusals(world, going.stream))
    world.close()


def refusals(world: World, stream: str) -> list[IntakeLineRefused]:
    facts: Any = world.app.events.get(stream)
    return [fact.event for fact in facts if isinstance(fact.event, IntakeLineRefused)]


def kept(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1]


@pytest.mark.parametrize("place", [pytest.param(place, id=name) for place, name in enumerate(REFUSED)])
def test_a_line_that_is_no_order_is_refused_and_kept(taken: Taken, place: int) -> None:
    """The reason is told without the line's values, its bytes lie in quarantine, its hash in the log, and its neighbours are taken in."""
    raw, reason = list(REFUSED.values())[place]
    refusal, told = taken.going.refusals[place], taken.told[place]

    assert reason in refusal.reason
    assert SECRET not in refusal.reason
    assert kept(taken.going.quarantine)[place] == raw
    assert (told.intake, told.line, told.reason) == (taken.going.name, 2 * place + 2, refusal.reason)
    assert told.sha256 == sha256(raw).hexdigest()
    assert taken.world.told(f"GOOD-{place}")[0] == "order.captured"


def test_every_line_is_accounted_for(taken: Taken) -> None:
    """Lines are what was captured and what was refused; log and quarantine agree to the byte; nobody else may read the file."""
    bad = len(REFUSED)
    assert taken.counts == intake.Counts(lines=2 * bad + 1, captured=bad + 1, refused=bad)
    assert [told.sha256 for told in taken.told] == [sha256(raw).hexdigest() for raw in kept(taken.going.quarantine)]
    assert taken.world.told("GOOD-LAST")[0] == "order.captured"
    assert taken.going.quarantine.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in taken.going.quarantine.parent.iterdir()) == [f"{taken.going.stream}.jsonl"]


def test_a_line_of_any_length_costs_no_more_than_the_limit(tmp_path: Path) -> None:
    """Forty megabytes in one line are gone through in pieces, and the line behind them is read."""
    path = tmp_path / "long.jsonl"
    with path.open("wb") as out:
        for _ in range(40):
            out.write(b"x" * 1_000_000)
        out.write(b"\nshort\n")
    tracemalloc.start()
    sizes = [len(raw.raw) + sum(map(len, raw.rest)) for raw in raw_lines(path)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sizes == [40_000_000, 5]
    assert peak < 5 * LINE_BYTES_MAX


def test_a_byte_order_mark_blank_lines_and_carriage_returns_are_no_content(dsn: str, tmp_path: Path) -> None:
    """A file from another system is the same file: the same orders, the same intake; lines are counted as an editor counts them."""
    world = World(dsn, tmp_path).stocked()
    one, two = (json.dumps(order(name, line())).encode() for name in ("ONE", "TWO"))
    plain, other = tmp_path / "plain.jsonl", tmp_path / "other.jsonl.gz"
    plain.write_bytes(one + b"\n" + two + b"\n")
    other.write_bytes(gzip.compress(b"\xef\xbb\xbf" + one + b"\r\n\r\n  \r\n" + two + b"\r\n"))
    first = intake.Intake(world.app, plain, tmp_path / "quarantine")
    counts = first.run()
    second = intake.Intake(world.app, other, tmp_path / "quarantine")

    assert counts == intake.Counts(lines=2, captured=2)
    assert second.run() == intake.Counts(lines=2, duplicates=2)
    assert second.stream == first.stream
    assert [raw.number for raw in raw_lines(other)] == [1, 4]


def test_a_real_clock_takes_no_order_from_the_future(dsn: str, tmp_path: Path) -> None:
    """Clocks may differ by five minutes; what is dated later waits in quarantine for its time."""
    world = World(dsn, tmp_path, clock="real").stocked()
    now = datetime.now(UTC)
    soon, later = (order(name, line(), on=now + ahead) for name, ahead in (("SOON", timedelta(minutes=4)), ("LATER", timedelta(minutes=9))))
    going = intake.Intake(world.app, world.written("o.jsonl", json.dumps(soon) + "\n" + json.dumps(later)), tmp_path / "quarantine")

    assert going.run() == intake.Counts(lines=2, captured=1, refused=1)
    assert "in the future" in going.refusals[0].reason
    assert world.state("SOON") == "acknowledged"


def test_a_simulated_clock_has_its_orders_before_it(dsn: str, tmp_path: Path) -> None:
    """Where time is simulated, an order of next month is how a launch begins."""
    assert World(dsn, tmp_path).stocked().take(order("NEXT", line(), on=at(5, month=2))).captured == 1


def wished(name: str, *items: Document, **changes: Any) -> Document:
    return {**order(name, *items), "note": SECRET, **changes}


def changed(**changes: Any) -> Document:
    return {**line(), **changes}


JUDGED: dict[str, tuple[Document, str]] = {
    "no party": (wished("W", line(), relatedParty=[]), "DQ-PARTY"),
    "party unknown in customers": (wished("W", line(), relatedParty=[{"id": "C-99", "role": "customer"}]), "DQ-PARTY"),
    "no items": (wished("W"), "DQ-ITEM"),
    "the same item id twice": (wished("W", line("1"), line("1")), "DQ-ITEM"),
    "cyclic reliesOn": (wished("W", line("1", relies_on="2"), line("2", relies_on="1")), "DQ-ITEM"),
    "relies on itself": (wished("W", line("1", relies_on="1")), "DQ-ITEM"),
    "quantity 0": (wished("W", changed(quantity=0)), "DQ-ITEM"),
    "quantity -1": (wished("W", changed(quantity=-1)), "DQ-ITEM"),
    "quantity 10^9": (wished("W", changed(quantity=10**9)), "DQ-ITEM"),
    "10,000 lines by quantity": (wished("W", *(line(str(n), quantity=1000) for n in range(10))), "DQ-ITEM"),
    "unknown action": (wished("W", changed(action="upgrade")), "DQ-ACTION"),
    "modify without a product": (wished("W", changed(action="modify")), "DQ-ACTION"),
    "unknown offering": (wished("W", changed(productOffering={"id": "no-such"})), "DQ-OFFER"),
    "retired offering": (wished("W", line(offering=OLD_LINE)), "DQ-OFFER"),
    "not-yet-valid offering": (wished("W", line(offering=replace(OLD_LINE, id="lark-2027"))), "DQ-OFFER"),
    "characteristic outside the values": (wished("W", line(term="7")), "DQ-OFFER"),
    "impossible number with letters": (wished("W", ported(msisdn="07700 9OO123")), "DQ-PHONE"),
    "impossible number in E.164 dress": (wished("W", ported(msisdn="+4477009OO123")), "DQ-PHONE"),
    "a landline to port": (wished("W", ported(msisdn="+442079460123")), "DQ-PHONE"),
    "port-in without code": (wished("W", line(portInNumber="+447700900201")), "NP-CODE"),
    "port-in with malformed code": (wished("W", ported(msisdn="+447700900202", code="ABC12")), "NP-CODE"),
    "port-in with a letter for a digit": (wished("W", ported(msisdn="+447700900203", code="ABC12345O")), "NP-CODE"),
    "port-in with a digit for a letter": (wished("W", ported(msisdn="+447700900204", code="4BC123456")), "NP-CODE"),
    "the first to port a number": (wished("W", ported(msisdn="+447700900205")), ""),
    "the second to port it": ({**wished("W", ported(msisdn="+447700900205")), "orderDate": "2026-01-05T09:01:00Z"}, "NP-NOTPORT"),
    "nothing wrong": (wished("W", line()), ""),
}


@pytest.fixture(scope="module")
def judged(module_dsn: str, taken: Taken) -> World:
    """All these wishes taken in with one file and carried as far as they go."""
    world = taken.world
    next_year = {
        "id": "lark-2027", "productSpecification": {"id": "spec-mobile"}, "validFor": {"startDateTime": "2027-01-01T00:00:00Z"},
    }  # fmt: skip
    loading.load_catalogue(world.app, world.written("more.json", json.dumps([next_year])))
    world.sims(esim=60)
    numbers = "\n".join(["msisdn,class", *(f"+4477009{20_000 + n},normal" for n in range(60))])
    loading.load_stock(world.app, world.runner, "numbers", world.written("more.csv", numbers), None)
    counts = world.take(*({**wish, "externalId": name} for name, (wish, _) in JUDGED.items()), name="judged.jsonl")
    assert counts == intake.Counts(lines=len(JUDGED), captured=len(JUDGED))
    return world.run(at(6))


@pytest.mark.parametrize(("name", "code"), [pytest.param(name, code, id=name) for name, (_, code) in JUDGED.items()])
def test_a_wish_that_cannot_be_is_taken_down_and_waits_for_somebody(judged: World, name: str, code: str) -> None:
    """It falls out once under its code with a place and no value, and the order is pending; what can be is carried on."""
    found = judged.fallouts(name)

    assert [fallout["reason"] for fallout in found] == ([code] if code else [])
    assert (judged.state(name) == "pending") is bool(code)
    assert SECRET not in json.dumps(found)


def test_the_same_order_again_is_the_same_order(dsn: str, tmp_path: Path) -> None:
    """Same id, same content: once. Same id, other content: the first stays in force, the difference is told, a person looks at it."""
    world = World(dsn, tmp_path).stocked()
    first = order("AGAIN", line(term="12"))
    counts = world.take(first, first, {**first, "channel": [{"id": "store"}]}, order("AGAIN", line(term="24")))
    facts: Any = world.app.events.get(f"order-{world.order('AGAIN').order_id}")
    [resubmitted] = [fact.event for fact in facts if fact.event.type_name == "order.resubmitted"]

    assert counts == intake.Counts(lines=4, captured=1, duplicates=2, resubmitted=1)
    assert resubmitted.differing == ("productOrderItem[0].product.productCharacteristic[commitmentMonths].value",)
    assert [fallout["reason"] for fallout in world.fallouts("AGAIN")] == ["DQ-DUP"]
    assert world.run(at(6)).order("AGAIN").items["1"].characteristics["commitmentMonths"] == "12"


def test_a_file_that_changes_while_it_is_read_closes_no_intake(dsn: str, tmp_path: Path) -> None:
    """What was taken in stands; when the file is whole it is taken in again, and nothing doubles."""
    world = World(dsn, tmp_path).stocked()
    path = world.written("orders.jsonl", "\n".join(json.dumps(order(f"O-{n}", line())) for n in range(2)))
    going = intake.Intake(world.app, path, tmp_path / "quarantine")
    with path.open("a") as out:
        out.write("\n" + json.dumps(order("O-2", line())))
    with pytest.raises(Refused, match="was changed while it was read"):
        going.run()

    assert world.types(going.stream) == []
    assert world.take_file(path) == intake.Counts(lines=3, duplicates=3)


def test_large_orders_are_written_in_small_pages(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits to be written is bounded in bytes as well as in lines."""
    world = World(dsn, tmp_path).stocked()
    monkeypatch.setattr(intake, "BATCH_BYTES", 1_000_000)
    pages: list[int] = []
    write = world.app.write
    monkeypatch.setattr(world.app, "write", lambda commands, **how: (pages.append(len(commands)), write(commands, **how))[1])
    world.take(*({**order(f"L-{n}", line()), "note": "x" * 400_000} for n in range(9)))

    assert max(islice(pages, 9)) <= 3
