"""A launch to try the engine on: customers, catalogue, stock and five weeks of product orders, drawn from a seed.

The files have the shapes that capture channels send (TMF620, TMF622 and TMF632 v4; CSV stock lists) and their flaws: about 4 % of the
orders cannot be fulfilled as written, some arrive again through another channel, two customers bring the same number. Every choice is a
hash of the seed and of what it is for, so the same (count, seed) writes the same text anywhere.
"""

import csv
import gzip
import io
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from o2c.simulation import launch_data as data
from o2c.simulation.launch_data import Document, Launch, Offering
from o2c.simulation.papers import FLAWS, PORT_FLAWS, business_order, characteristic, consumer_order, leaves, repeat

SIMS_LATER_AT = datetime(2026, 2, 2, 8, tzinfo=UTC)
ORDER_COUNT_MAX = 40_000
REPEAT_EVERY = 50
CONTEST_EVERY = 60
SIM_COLUMNS, NUMBER_COLUMNS = ("iccid", "imsi", "kind"), ("msisdn", "class")


@dataclass(frozen=True)
class LaunchFiles:
    """Where a launch was written and how much of it there is.

    Load everything but `sims_later` at the start; `sims_later` belongs to `sims_later_at`, weeks after the first delivery has run out.
    """

    catalogue: Path
    customers: Path
    sims_now: Path
    sims_later: Path
    sims_later_at: datetime
    numbers: Path
    orders: Path
    order_count: int
    customer_count: int
    sims_now_count: int
    sims_later_count: int
    number_count: int


def write_launch(out: Path, *, count: int, seed: int, compress: bool = False) -> LaunchFiles:
    """Write a launch of `count` orders to the folder `out`, which is made when missing; files of the same names are replaced.

    `compress` gzips the line files (not the catalogue). Raises ValueError when `count` is not between 1 and ORDER_COUNT_MAX, which is as
    far as the unallocated numbers reach, and OSError when the folder cannot be written.
    """
    if not 1 <= count <= ORDER_COUNT_MAX:
        msg = f"a launch has 1 to {ORDER_COUNT_MAX} orders, not {count}"
        raise ValueError(msg)
    out.mkdir(parents=True, exist_ok=True)
    launch = Launch.planned(count=count, seed=seed)
    wishes = _wishes(launch, count - count // REPEAT_EVERY)
    customers = [data.customer(launch, index) for index in range(len(wishes))]
    orders = sorted(wishes + _repeats(launch, wishes, count // REPEAT_EVERY), key=lambda o: (o["orderDate"], o["externalId"]))
    needed = sims_needed(wishes)
    now, later = data.deliveries(launch, needed)
    numbers = list(data.number_stock(needed.total() * 11 // 10 + 50))
    suffix = ".gz" if compress else ""
    return LaunchFiles(
        catalogue=write_catalogue(out / "catalogue.tmf620.json"),
        customers=write_lines(out / f"customers.tmf632.jsonl{suffix}", map(json_line, customers)),
        sims_now=write_lines(out / f"sims-1.csv{suffix}", csv_lines(SIM_COLUMNS, now)),
        sims_later=write_lines(out / f"sims-2.csv{suffix}", csv_lines(SIM_COLUMNS, later)),
        sims_later_at=SIMS_LATER_AT,
        numbers=write_lines(out / f"numbers.csv{suffix}", csv_lines(NUMBER_COLUMNS, numbers)),
        orders=write_lines(out / f"orders.tmf622.jsonl{suffix}", map(json_line, orders)),
        order_count=len(orders),
        customer_count=len(customers),
        sims_now_count=len(now),
        sims_later_count=len(later),
        number_count=len(numbers),
    )


def _wishes(launch: Launch, count: int) -> list[Document]:
    """One first order per customer, spoiled where channels spoil, with the contested numbers in."""
    wishes = [business_order(launch, index) if data.is_business(index) else consumer_order(launch, index) for index in range(count)]
    contested = _contest(wishes)
    port_flaws, flaws = itertools.cycle(PORT_FLAWS), itertools.cycle(FLAWS)
    for order in wishes:
        ported = characteristic(order, "portInCode") is not None
        spared = order["category"] == "business" or order["externalId"] in contested
        if not spared and launch.share(order["externalId"], "flaw") < (0.12 if ported else 0.032):
            # Flaws come in turn, so that a small launch shows most kinds.
            next(port_flaws if ported else flaws)(order)
    return wishes


def _contest(wishes: list[Document]) -> set[str]:
    """Let a few pairs of customers bring the same number; the external ids of their orders."""
    bringing = [order for order in wishes if order["category"] == "consumer" and characteristic(order, "portInNumber")]
    contested: set[str] = set()
    for one, other in zip(bringing[::CONTEST_EVERY], bringing[1::CONTEST_EVERY], strict=False):
        number, same = characteristic(one, "portInNumber"), characteristic(other, "portInNumber")
        if number is not None and same is not None:
            same["value"] = number["value"]
            contested |= {one["externalId"], other["externalId"]}
    return contested


def _repeats(launch: Launch, wishes: list[Document], count: int) -> list[Document]:
    """The same wish through another channel, hours or days later; every second one was changed on the way."""
    drawn = sorted(range(len(wishes)), key=lambda index: launch.share(data.customer_key(index), "twice"))[:count]
    return [repeat(launch, data.customer_key(index), wishes[index], changed=rank % 2 == 1) for rank, index in enumerate(drawn)]


def sims_needed(orders: Iterable[Document]) -> Counter[str]:
    """SIMs by kind when these orders are fulfilled."""
    needed: Counter[str] = Counter()
    for item in (item for order in orders for item in leaves(order)):
        for value in item["product"]["productCharacteristic"]:
            if value["name"] == "simType":
                needed[value["value"]] += item["quantity"]
    return needed


def json_line(document: Document) -> str:
    """A document as a line of a file."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n"


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table as the lines of a file, its header first."""
    for row in itertools.chain((header,), rows):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row)
        yield text.getvalue()


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write lines to a file, gzipped if its name says so, as they come."""
    with opened_file(path) as out:
        out.writelines(line.encode() for line in lines)
    return path


@contextmanager
def opened_file(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """A file to write bytes to, gzipped if its name says so."""
    if path.suffix != ".gz":
        with path.open("wb") as plain:
            yield plain
        return
    # Without a time or name in the gzip header the same launch has the same bytes.
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
        yield packed


def write_catalogue(path: Path, offerings: Sequence[Offering] = data.OFFERINGS) -> Path:
    """Write a price list, one JSON array."""
    path.write_bytes((json.dumps(data.catalogue(offerings), indent=1) + "\n").encode())
    return path
