"""A launch to try the engine on: customers, catalogue, stock and five weeks of product orders, drawn from a seed.

The files have the shapes that capture channels send (TMF620, TMF622 and TMF632 v4; CSV stock lists) and their flaws:
about 4 % of the orders cannot be fulfilled as written, some arrive again through another channel, two customers bring
the same number. Every choice is a hash of the seed and of what it is for, so the same (count, seed) writes the same text anywhere.
"""

import copy
import csv
import gzip
import io
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from o2c.simulation import launch_data as data
from o2c.simulation.launch_data import Document, Launch, Offering

LAUNCH = datetime(2026, 1, 5, tzinfo=UTC)
SIMS_LATER_AT = datetime(2026, 2, 2, 8, tzinfo=UTC)
ORDER_COUNT_MAX = 40_000
REPEAT_EVERY = 50
CONTEST_EVERY = 60


@dataclass(frozen=True)
class LaunchFiles:
    """Where a launch was written and how much of it there is.

    Load everything but `sims_later` at the start; `sims_later` belongs to `sims_later_at`, weeks after the first delivery
    has run out.
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

    `compress` gzips the line files (not the catalogue). Raises ValueError when `count` is not between 1 and
    ORDER_COUNT_MAX, which is as far as the unallocated numbers reach, and OSError when the folder cannot be written.
    """
    if not 1 <= count <= ORDER_COUNT_MAX:
        msg = f"a launch has 1 to {ORDER_COUNT_MAX} orders, not {count}"
        raise ValueError(msg)
    out.mkdir(parents=True, exist_ok=True)
    launch = Launch.planned(count=count, seed=seed)
    wishes = _wishes(launch, count - count // REPEAT_EVERY)
    customers = [data.customer(launch, index) for index in range(len(wishes))]
    orders = sorted(wishes + _repeats(launch, wishes, count // REPEAT_EVERY), key=lambda o: (o["orderDate"], o["externalId"]))
    needed = _sims_needed(wishes)
    now, later = data.deliveries(launch, needed)
    numbers = list(data.number_stock(needed.total() * 11 // 10 + 50))
    suffix = ".gz" if compress else ""
    catalogue = out / "catalogue.tmf620.json"
    catalogue.write_bytes((json.dumps(data.catalogue(), indent=1) + "\n").encode())
    return LaunchFiles(
        catalogue=catalogue,
        customers=_write(out / f"customers.tmf632.jsonl{suffix}", _json_lines(customers)),
        sims_now=_write(out / f"sims-1.csv{suffix}", _csv_text(("iccid", "imsi", "kind"), now)),
        sims_later=_write(out / f"sims-2.csv{suffix}", _csv_text(("iccid", "imsi", "kind"), later)),
        sims_later_at=SIMS_LATER_AT,
        numbers=_write(out / f"numbers.csv{suffix}", _csv_text(("msisdn", "class"), numbers)),
        orders=_write(out / f"orders.tmf622.jsonl{suffix}", _json_lines(orders)),
        order_count=len(orders),
        customer_count=len(customers),
        sims_now_count=len(now),
        sims_later_count=len(later),
        number_count=len(numbers),
    )


def _wishes(launch: Launch, count: int) -> list[Document]:
    """One first order per customer, spoiled where channels spoil, with the contested numbers in."""
    wishes = [_business_order(launch, index) if data.is_business(index) else _consumer_order(launch, index) for index in range(count)]
    contested = _contest(wishes)
    port_flaws, flaws = itertools.cycle(_PORT_FLAWS), itertools.cycle(_FLAWS)
    for order in wishes:
        ported = _characteristic(order, "portInCode") is not None
        spared = order["category"] == "business" or order["externalId"] in contested
        if not spared and launch.share(order["externalId"], "flaw") < (0.12 if ported else 0.032):
            # Flaws come in turn, so that a small launch shows most kinds.
            next(port_flaws if ported else flaws)(order)
    return wishes


def _consumer_order(launch: Launch, index: int) -> Document:
    key = data.customer_key(index)
    place, term = data.address(launch, key), launch.pick(key, "term", data.TERMS)
    basket = launch.share(key, "basket")
    items: list[Document] = []
    if basket < 0.85:
        items += _lines(launch, key, term, place)
    if basket > 0.35:
        items += _access(launch, key, len(items) + 1, term, place)
    channel = launch.pick(key, "channel", data.CHANNEL_MIX)
    return _envelope(launch, key, channel, "1" if data.tier(launch, key) == "priority" else "4", items)


def _lines(launch: Launch, key: str, term: str, place: str) -> Iterator[Document]:
    ids = itertools.count(1)
    first = str(next(ids))
    yield _line(launch, key, data.LINE, first, term=term, place=place)
    if launch.share(key, "second-line") < 0.4:
        yield _line(launch, key, data.SECOND_LINE, str(next(ids)), term=term, place=place, relies_on=first)
    for add_on in data.LINE_ADD_ONS:
        if launch.share(key, add_on.id) < 0.2:
            yield _item(add_on, str(next(ids)), {}, relies_on=first)


def _access(launch: Launch, key: str, start: int, term: str, place: str) -> Iterator[Document]:
    offering = launch.pick(key, "access", (data.COPPER, data.FIBRE, data.FIBRE))
    yield _item(offering, str(start), {"commitmentMonths": term}, place)
    wanted = [add_on for add_on in data.HOME_ADD_ONS if launch.share(key, add_on.id) < 0.3]
    for item_id, add_on in enumerate(wanted, start=start + 1):
        yield _item(add_on, str(item_id), {}, relies_on=str(start))


def _line(launch: Launch, key: str, offering: Offering, item_id: str, *, term: str, place: str, relies_on: str | None = None) -> Document:
    spot = f"{key}/{item_id}"
    values = {"commitmentMonths": term, "simType": "esim" if launch.share(spot, "sim") < 0.4 else "physical"}
    if relies_on is None and launch.share(spot, "port") < launch.port_share and (number := next(launch.ported, None)):
        values |= {"portInNumber": number, "portInCode": _port_code(launch, spot)}
    # A brought number names one line, so only lines without one are ordered by the handful.
    several = "portInNumber" not in values and launch.share(spot, "several") < 0.05
    quantity = 2 + launch.below(spot, "quantity", 2) if several else 1
    return _item(offering, item_id, values, place, relies_on=relies_on, quantity=quantity)


def _port_code(launch: Launch, spot: str) -> str:
    """A porting authorisation code: three letters, six digits (Ofcom General Condition C7)."""
    letters = "".join(launch.pick(spot, f"letter-{place}", "ABCDEFGHJKLMNPRSTUVWXYZ") for place in range(3))
    return f"{letters}{launch.below(spot, 'digits', 10**6):06d}"


def _business_order(launch: Launch, index: int) -> Document:
    key = data.customer_key(index)
    sites = launch.largest_sites if index < data.BUSINESS_EVERY else 2 + launch.below(key, "sites", 7)
    items = [_site(launch, key, number) for number in range(1, sites + 1)]
    return _envelope(launch, key, "call-centre", "0" if data.tier(launch, key) == "key-account" else "2", items)


def _site(launch: Launch, key: str, number: int) -> Document:
    place = data.address(launch, f"{key}/{number}")
    lines = 1 + launch.below(f"{key}/{number}", "lines", 3)
    site = _item(data.SITE, str(number), {}, place)
    site["productOrderItem"] = [
        _item(data.FIBRE, f"{number}.1", {"commitmentMonths": "24"}, place),
        *(_line(launch, key, data.LINE, f"{number}.{line + 1}", term="24", place=place) for line in range(1, lines + 1)),
    ]
    return site


def _item(
    offering: Offering, item_id: str, values: dict[str, str], place: str | None = None, *, relies_on: str | None = None, quantity: int = 1
) -> Document:
    product: Document = {"productCharacteristic": [{"name": name, "value": value} for name, value in values.items()]}
    if place is not None:
        role = "delivery address" if offering.specification == "mobile" else "installation address"
        product["place"] = [{"role": role, "name": place, "@type": "GeographicAddress", "@referredType": "GeographicAddress"}]
    ordered = {"id": offering.id, "name": offering.name}
    item: Document = {"id": item_id, "action": "add", "quantity": quantity, "productOffering": ordered, "product": product}
    if relies_on is not None:
        item["productOrderItemRelationship"] = [{"id": relies_on, "relationshipType": "reliesOn"}]
    return item


def _envelope(launch: Launch, key: str, channel: str, priority: str, items: list[Document]) -> Document:
    business = key.startswith("B")
    return {
        "externalId": f"LARK-{key}",
        "orderDate": _stamp(_captured_at(launch, key, channel)),
        "category": "business" if business else "consumer",
        "description": "launch offer",
        "priority": priority,
        "channel": [{"id": channel, "role": "sales"}],
        "billingAccount": {"id": f"BA-{key}"},
        "relatedParty": [{"id": key, "role": "customer", "@referredType": "Organization" if business else "Individual"}],
        "productOrderItem": items,
    }


def _captured_at(launch: Launch, key: str, channel: str) -> datetime:
    """More than half of a launch comes in its first ten days, the rest over the next twenty-five; shops keep their hours."""
    spread = launch.share(key, "day")
    day = int(spread / 0.55 * 10) if spread < 0.55 else 10 + int((spread - 0.55) / 0.45 * 25)
    opens, closes = data.OPENING_HOURS[channel]
    return LAUNCH + timedelta(days=day, hours=opens, seconds=launch.below(key, "second", (closes - opens) * 3600))


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _characteristic(order: Document, name: str) -> Document | None:
    return next((found for item in _leaves(order) for found in item["product"]["productCharacteristic"] if found["name"] == name), None)


def _leaves(order: Document) -> Iterator[Document]:
    for item in order["productOrderItem"]:
        yield from item.get("productOrderItem", [item])


def _code_missing(order: Document) -> None:
    for item in _leaves(order):
        product = item["product"]
        product["productCharacteristic"] = [value for value in product["productCharacteristic"] if value["name"] != "portInCode"]


def _reworded(name: str, reword: Callable[[str], str]) -> Callable[[Document], None]:
    def flaw(order: Document) -> None:
        if (found := _characteristic(order, name)) is not None:
            found["value"] = reword(found["value"])

    return flaw


def _offering_retired(order: Document) -> None:
    item = order["productOrderItem"][0]
    old = data.SUCCEEDED[item["productOffering"]["id"]]
    item["productOffering"] = {"id": old.id, "name": old.name}


def _action_wrong(order: Document) -> None:
    order["productOrderItem"][0]["action"] = "modify"


def _party_missing(order: Document) -> None:
    order["relatedParty"] = []


def _party_unknown(order: Document) -> None:
    order["relatedParty"][0]["id"] = f"LEGACY-{order['relatedParty'][0]['id'][2:]}"


def _item_twice(order: Document) -> None:
    order["productOrderItem"].append(copy.deepcopy(order["productOrderItem"][0]))


def _quantity_zero(order: Document) -> None:
    order["productOrderItem"][0]["quantity"] = 0


def _readdressed(cut: Callable[[str], str]) -> Callable[[Document], None]:
    def flaw(order: Document) -> None:
        # An eSIM alone is delivered nowhere, so the flaw would not matter to it.
        if (sim := _characteristic(order, "simType")) is not None:
            sim["value"] = "physical"
        for item in _leaves(order):
            for place in item["product"].get("place", []):
                place["name"] = cut(place["name"])

    return flaw


_PORT_FLAWS: tuple[Callable[[Document], None], ...] = (
    _code_missing,
    _reworded("portInCode", lambda code: code[3:] + code[:3]),
    _reworded("portInCode", lambda code: " ".join(code.lower())),
    _reworded("portInCode", lambda code: code[:-2]),
    _reworded("portInNumber", lambda number: f"07700 9OO{number[-3:]}"),
)
_FLAWS: tuple[Callable[[Document], None], ...] = (
    _offering_retired,
    _action_wrong,
    _party_missing,
    _party_unknown,
    _item_twice,
    _quantity_zero,
    _readdressed(lambda address: address.rsplit(", ", 1)[0]),
    _readdressed(lambda address: address.split(" ", 1)[1]),
)


def _contest(wishes: list[Document]) -> set[str]:
    """Let a few pairs of customers bring the same number; the external ids of their orders."""
    bringing = [order for order in wishes if order["category"] == "consumer" and _characteristic(order, "portInNumber")]
    contested: set[str] = set()
    for one, other in zip(bringing[::CONTEST_EVERY], bringing[1::CONTEST_EVERY], strict=False):
        number, same = _characteristic(one, "portInNumber"), _characteristic(other, "portInNumber")
        if number is not None and same is not None:
            same["value"] = number["value"]
            contested |= {one["externalId"], other["externalId"]}
    return contested


def _repeats(launch: Launch, wishes: list[Document], count: int) -> list[Document]:
    """The same wish through another channel, hours or days later; every second one was changed on the way."""
    drawn = sorted(range(len(wishes)), key=lambda index: launch.share(data.customer_key(index), "twice"))[:count]
    return [_repeat(launch, data.customer_key(index), wishes[index], changed=rank % 2 == 1) for rank, index in enumerate(drawn)]


def _repeat(launch: Launch, key: str, order: Document, *, changed: bool) -> Document:
    again = copy.deepcopy(order)
    first_channel = order["channel"][0]["id"]
    channel = launch.pick(key, "other-channel", [name for name in data.OPENING_HOURS if name != first_channel])
    later = datetime.fromisoformat(order["orderDate"]) + timedelta(minutes=40 + launch.below(key, "later", 2880))
    again["channel"][0]["id"] = channel
    again["orderDate"] = _stamp(_when_open(later, channel))
    if changed and (term := _characteristic(again, "commitmentMonths")) is not None:
        term["value"] = "12" if term["value"] != "12" else "24"
    return again


def _when_open(at: datetime, channel: str) -> datetime:
    opens, closes = data.OPENING_HOURS[channel]
    if at.hour >= closes:
        at += timedelta(days=1)
    return at if opens <= at.hour < closes else at.replace(hour=opens)


def _sims_needed(wishes: Iterable[Document]) -> Counter[str]:
    """SIMs by kind when every first order is fulfilled."""
    needed: Counter[str] = Counter()
    for item in (item for order in wishes for item in _leaves(order)):
        for value in item["product"]["productCharacteristic"]:
            if value["name"] == "simType":
                needed[value["value"]] += item["quantity"]
    return needed


def _json_lines(documents: Iterable[Document]) -> str:
    return "".join(json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n" for document in documents)


def _csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def _write(path: Path, text: str) -> Path:
    if path.suffix != ".gz":
        path.write_bytes(text.encode())
        return path
    # Without a time or name in the gzip header the same launch has the same bytes.
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
        packed.write(text.encode())
    return path
