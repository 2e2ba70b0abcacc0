"""Catalogue, customers and stock as other systems send them: a file with a flaw is refused whole, in one line that says where it is."""

import gzip
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from o2c.desk.act import Context
from o2c.files import intake, loading
from o2c.kernel.refusal import Refused
from o2c.orders.document import LINE_BYTES_MAX
from o2c.simulation.launch_data import LINE, catalogue
from tests.world import Document, World, at, customer, line, order, sim

SECRET = "Tamsel Holmquay"
SIMS, NUMBERS = b"iccid,imsi,kind\n", b"msisdn,class\n"
Load = Callable[[World, Path], object]
Case = tuple[Load, bytes, str]


def orders(world: World, path: Path) -> object:
    return world.take_file(path)


def customers(world: World, path: Path) -> object:
    return loading.load_customers(world.app, path)


def prices(world: World, path: Path) -> object:
    return loading.load_catalogue(world.app, path)


def sims(world: World, path: Path) -> object:
    return loading.load_stock(world.app, world.runner, "sims", path, None)


def numbers(world: World, path: Path) -> object:
    return loading.load_stock(world.app, world.runner, "numbers", path, None)


def row(serial: int, kind: str = "esim") -> bytes:
    return ",".join(sim(serial, kind)).encode() + b"\n"


def with_bad_check_digit(serial: int) -> bytes:
    good = row(serial)
    return good[:18] + (b"1" if good[18:19] != b"1" else b"2") + good[19:]


def filled(serial: int) -> bytes:
    """A row whose 19-digit ICCID has the filler in its 20th place."""
    number, rest = row(serial).split(b",", 1)
    return number + b"F," + rest


def offering(**changes: object) -> bytes:
    [known] = [document for document in catalogue() if document["id"] == LINE.id]
    return json.dumps([{**known, "id": "new-line", **changes}]).encode()


def priced(text: str) -> bytes:
    """A new offering at a monthly price written so."""
    price = {"priceType": "recurring", "recurringChargePeriod": "month", "price": {"dutyFreeAmount": {"unit": "GBP", "value": "HERE"}}}
    return offering(productOfferingPrice=[price]).replace(b'"HERE"', text.encode())


def people(*more: bytes) -> bytes:
    """More registered-to-be parties than are written at once, and then these lines."""
    return b"\n".join([*(json.dumps(customer(f"N-{n}")).encode() for n in range(intake.BATCH + 5)), *more])


def person(**changes: object) -> bytes:
    return json.dumps({**customer("N-X"), "familyName": SECRET, **changes}).encode()


PACKED = gzip.compress(json.dumps(order("GZ", line())).encode() * 50)
CASES: dict[str, Case] = {
    "orders: empty": (orders, b"", "is empty"),
    "orders: blank": (orders, b"\n \r\n\n", "is empty"),
    "orders: truncated gzip": (orders, PACKED[:-10], "cut off or no gzip file"),
    "orders: damaged gzip": (orders, PACKED[:20] + b"\xff\xff\xff\xff" + PACKED[24:], "cut off or no gzip file"),
    "customers: empty": (customers, b"", "is empty"),
    "customers: truncated gzip": (customers, gzip.compress(people())[:-9], "cut off or no gzip file"),
    "customers: broken JSON": (customers, people(person()[:-1]), f"line {intake.BATCH + 6}: not JSON"),
    "customers: duplicate key": (customers, people(b'{"id": "N-X", "id": "N-Y"}'), "the same key twice"),
    "customers: a 5 MB line": (customers, people(person(note="x" * 5_000_000)), f"more than {LINE_BYTES_MAX} bytes"),
    "customers: no id": (customers, people(person(id="")), "a party without id"),
    "customers: payment": (customers, people(person(partyCharacteristic=[{"name": "paymentMethod", "value": SECRET}])), "payment method"),
    "customers: another shape": (customers, people(person(partyCharacteristic=SECRET)), "not of the standard's shape"),
    "catalogue: empty": (prices, b"", "is empty"),
    "catalogue: of nothing": (prices, b"[]", "is empty"),
    "catalogue: truncated gzip": (prices, gzip.compress(offering())[:-9], "cut off or no gzip file"),
    "catalogue: broken JSON": (prices, offering()[:-1], "not JSON"),
    "catalogue: duplicate key": (prices, b'[{"id": "a", "id": "b"}]', "the same key twice"),
    "catalogue: NaN": (prices, priced("NaN"), "NaN is no JSON number"),
    "catalogue: 1e9999": (prices, priced("1e9999"), "beyond all bounds"),
    "catalogue: NUL": (prices, offering(name="\0"), "a NUL character"),
    "catalogue: unpaired surrogate": (prices, offering(name="\ud800"), "an unpaired surrogate"),
    "catalogue: an order": (prices, b'{"externalId": "1"}', "no list of TMF620 offerings"),
    "catalogue: more digits than GBP": (prices, priced("18.505"), "has more decimal places than GBP"),
    "catalogue: the same as text": (prices, priced('"18.505"'), "has more decimal places than GBP"),
    "catalogue: the same in powers": (prices, priced("18505e-3"), "has more decimal places than GBP"),
    "catalogue: naive time": (prices, offering(validFor={"startDateTime": "2026-01-01T00:00:00"}), "no time with a zone"),
    "catalogue: impossible time": (prices, offering(validFor={"endDateTime": "2026-02-30T00:00:00Z"}), "no time with a zone"),
    "sims: empty": (sims, b"", "is empty"),
    "sims: head only": (sims, SIMS, "is empty"),
    "sims: truncated gzip": (sims, gzip.compress(SIMS + row(901))[:-9], "cut off or no gzip file"),
    "sims: another shape": (sims, NUMBERS + b"+447700910901,normal\n", "its first line must be iccid,imsi,kind"),
    "sims: customers": (sims, person(), "its first line must be iccid,imsi,kind"),
    "sims: a column more": (sims, SIMS + row(901).strip() + b",x\n", "row 1: 4 columns, not 3"),
    "sims: a column less": (sims, SIMS + row(901) + b"8944,1\n", "row 2: kind is missing"),
    "sims: no UTF-8": (sims, SIMS + row(901) + b"\xff\xfe\n", "no CSV in UTF-8"),
    "sims: a field without end": (sims, SIMS + row(901) + b'"' + b"x" * 200_000, "no CSV in UTF-8"),
    "sims: bad check digit": (sims, SIMS + row(901) + with_bad_check_digit(902), "row 2: .*its check digit is wrong"),
    "sims: twice in the file": (sims, SIMS + row(901) + row(902) + row(901), "row 3: the same ICCID as row 1"),
    "sims: twice, once with F": (sims, SIMS + row(901) + filled(901), "row 2: the same ICCID as row 1"),
    "sims: F inside": (sims, SIMS + row(901).replace(b"894498", b"89F498"), "row 1: .*is not an ICCID"),
    "sims: in the store": (sims, SIMS + row(901) + row(2), r"row 2: 894498000000000002\d is in the store already \(available\)"),
    "sims: in the store, with F": (sims, SIMS + row(901) + filled(2), r"row 2: \d+ is in the store already \(available\)"),
    "sims: in use": (sims, SIMS + row(901) + row(1), r"row 2: \d+ is in the store already \(assigned\)"),
    "sims: announced": (sims, SIMS + row(901) + row(950), r"row 2: \d+ is in the store already \(announced\)"),
    "numbers: empty": (numbers, b"", "is empty"),
    "numbers: truncated gzip": (numbers, gzip.compress(NUMBERS + b"+447700910901,normal\n")[:-9], "cut off or no gzip file"),
    "numbers: another shape": (numbers, SIMS + row(901), "its first line must be msisdn,class"),
    "numbers: a column more": (numbers, NUMBERS + b"+447700910901,normal,x\n", "row 1: 3 columns, not 2"),
    "numbers: not E.164": (numbers, NUMBERS + b"+447700910901,normal\n07700910902,normal\n", "row 2: .*not an E.164 number"),
    "numbers: letters": (numbers, NUMBERS + b"07700 9OO123,normal\n", "row 1: .*not an E.164 number"),
    "numbers: twice in the file": (numbers, NUMBERS + b"+447700910901,normal\n" * 2, "row 2: the same number as row 1"),
    "numbers: in the store": (numbers, NUMBERS + b"+447700910901,normal\n+447700910005,normal\n", r"row 2: .*already \(available\)"),
    "numbers: in use": (numbers, NUMBERS + b"+447700910901,normal\n+447700910001,normal\n", r"row 2: .*already \(assigned\)"),
}


@pytest.fixture(scope="module")
def world(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A store with stock, a SIM and a number of it in use, and a delivery announced; no test may change it."""
    name = f"bad_{uuid.uuid4().hex}"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        given = World(make_conninfo(server_dsn, dbname=name), tmp_path_factory.mktemp("bad")).stocked(esims=3, physical=0)
        given.take(order("USES", line("1"), line("2")))
        given.run(at(6))
        assert {given.app.load_one(f"sim-{iccid(n)}").state.status for n in (0, 1, 2)} == {"assigned", "available"}
        coming = given.written("coming.csv", (SIMS + row(950)).decode())
        loading.load_stock(given.app, given.runner, "sims", coming, at(20))
        yield given
        given.close()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def iccid(serial: int) -> str:
    return sim(serial, "esim")[0]


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_a_flawed_file_is_refused_whole(world: World, tmp_path: Path, case: Case) -> None:
    """One line names the file and the place, says nothing personal, and no event comes of it."""
    load, content, why = case
    path = tmp_path / "file"
    path.write_bytes(content)
    before = world.log()
    with pytest.raises(Refused, match=why) as refusal:
        load(world, path)

    assert world.log() == before
    assert str(path) in str(refusal.value) or str(refusal.value).startswith(("sims: row", "numbers: row", "catalogue: offering"))
    assert SECRET not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("load", [orders, customers, prices, sims, numbers])
def test_what_is_no_file_is_refused(world: World, tmp_path: Path, load: Load) -> None:
    """A file that is not there, a folder, and a pipe that could not be read twice are each one clear line."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR)  # lets the reader open it
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory"), (pipe, "cannot be read twice")):
        with pytest.raises(Refused, match=why):
            load(world, path)
    os.close(held)


def test_a_filler_and_a_mark_of_byte_order_are_no_flaw(dsn: str, tmp_path: Path) -> None:
    """ICCIDs with the filler F are those without it; a byte order mark and carriage returns are what a spreadsheet adds."""
    world = World(dsn, tmp_path).stocked(esims=0, physical=0)
    path = tmp_path / "sims.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (SIMS + filled(901) + row(902)).replace(b"\n", b"\r\n"))

    assert sims(world, path) == 2
    assert world.types(f"sim-{iccid(901)}") == ["sim.received"]


def test_the_same_stock_file_again_is_nothing_new(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded again, and loaded to the end after a death between its parts, a file counts each piece once."""
    monkeypatch.setattr(loading, "DELIVERY_ROWS", 2)
    world = World(dsn, tmp_path).stocked(esims=0, physical=0)
    path = world.written("sims.csv", (SIMS + b"".join(row(n) for n in range(901, 906))).decode())
    attend, attended = world.runner.attend, []

    def dying(*arguments: object, **options: object) -> None:
        attended.append(arguments)
        if len(attended) == 2:
            raise KeyboardInterrupt
        attend(*arguments, **options)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(world.runner, "attend", dying)
    with pytest.raises(KeyboardInterrupt):
        sims(world, path)
    rest, again = sims(world, path), sims(world, path)

    assert (rest, again) == (1, 0)
    assert all(world.types(f"sim-{iccid(n)}") == ["sim.received"] for n in range(901, 906))


def test_who_loads_stands_in_the_log(dsn: str, tmp_path: Path) -> None:
    """The actor is in the envelope of what a file brings, on orders beside the channel they came by."""
    world = World(dsn, tmp_path)
    documents: list[Document] = catalogue()
    loading.load_catalogue(world.app, world.written("c.json", json.dumps(documents)), context=Context("ann"))
    loading.load_customers(world.app, world.written("p.jsonl", json.dumps(customer("C-1"))), context=Context("bob"))
    loading.load_stock(world.app, world.runner, "sims", world.written("s.csv", (SIMS + row(901)).decode()), None, context=Context("cid"))
    path = world.written("o.jsonl", json.dumps(order("ONE", line())))
    intake.Intake(world.app, path, tmp_path / "quarantine", actor="dot").run()
    found = {
        (row["type"], row["actor"], row["channel"]) for row in world.app.reads.rows("SELECT DISTINCT type, actor, channel FROM o2c.event")
    }

    assert {
        ("catalogue.offering-published", "ann", "intake"), ("customer.registered", "bob", "intake"), ("sims.announced", "cid", "intake"),
        ("order.captured", "dot", "web"), ("intake.closed", "dot", "intake"),
    } <= found  # fmt: skip
