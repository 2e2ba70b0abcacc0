"""The papers of an invented launch: one product order as a channel sends it (TMF622 v4), spoiled where channels spoil, or sent once
more."""

import copy
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from o2c.simulation import launch_data as data
from o2c.simulation.launch_data import Document, Launch, Offering

LAUNCH = datetime(2026, 1, 5, tzinfo=UTC)


def consumer_order(launch: Launch, index: int) -> Document:
    """A person's order: lines, an access, or both, with add-ons."""
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


def business_order(launch: Launch, index: int) -> Document:
    """An organisation's order: an access and lines at each of its sites."""
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
        "externalId": external_id(key),
        "orderDate": stamp(_captured_at(launch, key, channel)),
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


def external_id(key: str) -> str:
    """The id under which a channel sends a customer's order."""
    return f"LARK-{key}"


def stamp(at: datetime) -> str:
    """A time as orders carry it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def characteristic(order: Document, name: str) -> Document | None:
    """The first characteristic of that name in an order; None where there is none."""
    return next((found for item in leaves(order) for found in item["product"]["productCharacteristic"] if found["name"] == name), None)


def leaves(order: Document) -> Iterator[Document]:
    """The items of an order that are no bundles."""
    for item in order["productOrderItem"]:
        yield from item.get("productOrderItem", [item])


def _code_missing(order: Document) -> None:
    for item in leaves(order):
        product = item["product"]
        product["productCharacteristic"] = [value for value in product["productCharacteristic"] if value["name"] != "portInCode"]


def _reworded(name: str, reword: Callable[[str], str]) -> Callable[[Document], None]:
    def flaw(order: Document) -> None:
        if (found := characteristic(order, name)) is not None:
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
        if (sim := characteristic(order, "simType")) is not None:
            sim["value"] = "physical"
        for item in leaves(order):
            for place in item["product"].get("place", []):
                place["name"] = cut(place["name"])

    return flaw


PORT_FLAWS: tuple[Callable[[Document], None], ...] = (
    _code_missing,
    _reworded("portInCode", lambda code: code[3:] + code[:3]),
    _reworded("portInCode", lambda code: " ".join(code.lower())),
    _reworded("portInCode", lambda code: code[:-2]),
    _reworded("portInNumber", lambda number: f"07700 9OO{number[-3:]}"),
)
FLAWS: tuple[Callable[[Document], None], ...] = (
    _offering_retired,
    _action_wrong,
    _party_missing,
    _party_unknown,
    _item_twice,
    _quantity_zero,
    _readdressed(lambda address: address.rsplit(", ", 1)[0]),
    _readdressed(lambda address: address.split(" ", 1)[1]),
)


def repeat(launch: Launch, key: str, order: Document, *, changed: bool) -> Document:
    """The same order through another channel, hours or days later; `changed` on the way or not."""
    again = copy.deepcopy(order)
    first_channel = order["channel"][0]["id"]
    channel = launch.pick(key, "other-channel", [name for name in data.OPENING_HOURS if name != first_channel])
    later = datetime.fromisoformat(order["orderDate"]) + timedelta(minutes=40 + launch.below(key, "later", 2880))
    again["channel"][0]["id"] = channel
    again["orderDate"] = stamp(_when_open(later, channel))
    if changed and (term := characteristic(again, "commitmentMonths")) is not None:
        term["value"] = "12" if term["value"] != "12" else "24"
    return again


def _when_open(at: datetime, channel: str) -> datetime:
    opens, closes = data.OPENING_HOURS[channel]
    if at.hour >= closes:
        at += timedelta(days=1)
    return at if opens <= at.hour < closes else at.replace(hour=opens)
