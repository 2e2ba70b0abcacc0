"""Where imperfect orders must end, worked out from the papers alone: no database and nothing of the engine.

Follows the table "What an imperfect order becomes": flaws of an order stop it at validation, flaws of an item stop one step of the item.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Json = Mapping[str, Any]
ORDER_CODES = ("DQ-PARTY", "DQ-ITEM", "DQ-ACTION", "DQ-OFFER")
ITEM_CODES = ("DQ-ADDR", "DQ-PHONE", "NP-CODE")
QUANTITY_MAX, LINES_MAX = 1_000, 5_000
ADULT_YEARS = 18
NUMBER = re.compile(r"\+447[0-9]{9}")
CODE = re.compile(r"[A-Z]{3}[0-9]{6}")
HOUSE_NUMBER = re.compile(r"[0-9]+[A-Z]?\b", re.IGNORECASE)
POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}$")


@dataclass(slots=True)
class Fate:
    """What one order must come to: `code` stops all of it, `items` maps (planned item, code) to the step it stops."""

    external_id: str
    minor: bool = False
    code: str = ""
    items: dict[tuple[str, str], str] = field(default_factory=dict)
    brings: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Papers:
    """All lines of a file of orders: the fate of each order, and the lines that came again, the same or changed."""

    lines: int = 0
    same: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    fates: dict[str, Fate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Market:
    """What orders are judged against: the catalogue's documents and the customers' birth dates (empty for organisations), by id."""

    offerings: Mapping[str, Json]
    births: Mapping[str, str]


def market(catalogue: Iterable[Json], customers: Iterable[Json]) -> Market:
    births = {customer["id"]: customer.get("birthDate", "") if customer["@type"] == "Individual" else "" for customer in customers}
    return Market({offering["id"]: offering for offering in catalogue}, births)


def read(lines: Iterable[bytes], known: Market) -> Papers:
    papers = Papers()
    contents: dict[str, set[str]] = {}
    for line in lines:
        order = json.loads(line)
        name = order["externalId"]
        content = json.dumps({key: value for key, value in order.items() if key not in ("orderDate", "channel")}, sort_keys=True)
        papers.lines += 1
        if name not in papers.fates:
            papers.fates[name] = fate(order, known)
        elif content in contents[name]:
            papers.same += 1
        else:
            papers.changed[name] += 1
        contents.setdefault(name, set()).add(content)
    return papers


def fate(order: Json, known: Market) -> Fate:
    ends = Fate(order["externalId"])
    items = list(_items(order.get("productOrderItem") or [], None))
    at = datetime.fromisoformat(order["orderDate"])
    parties = [party.get("id") for party in order.get("relatedParty") or [] if party.get("role") == "customer"]
    if not parties or parties[0] not in known.births:
        ends.code = "DQ-PARTY"
        return ends
    ends.minor = _is_minor(known.births[parties[0]], at.date())
    ends.code = _order_flaw(items, at, known)
    if not ends.code:
        for item, parent in items:
            _item_flaws(ends, item, known, _names(item, parent))
    return ends


def _items(items: Iterable[Json], parent: Json | None) -> Iterator[tuple[Json, Json | None]]:
    for item in items:
        yield item, parent
        yield from _items(item.get("productOrderItem") or [], item)


def _is_minor(birth: str, on: date) -> bool:
    if not birth:
        return False
    born = date.fromisoformat(birth)
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) < ADULT_YEARS


def _order_flaw(items: list[tuple[Json, Json | None]], at: datetime, known: Market) -> str:
    ids = {item.get("id") for item, _ in items}
    quantities = [item.get("quantity", 1) for item, _ in items]
    relied = [(item["id"], relation["id"]) for item, _ in items for relation in item.get("productOrderItemRelationship") or []]
    wrong_count = any(not isinstance(quantity, int) or not 1 <= quantity <= QUANTITY_MAX for quantity in quantities)
    if not items or len(ids) < len(items) or wrong_count or any(base not in ids for _, base in relied) or _cyclic(relied):
        return "DQ-ITEM"
    if sum(len(_names(item, parent)) for item, parent in items) > LINES_MAX:
        return "DQ-ITEM"
    if any("portInNumber" in _characteristics(item) and len(_names(item, parent)) > 1 for item, parent in items):
        return "DQ-ITEM"  # one number for several lines: a channel that names one a line has a characteristic for each
    if any(item["action"] not in ("add", "noChange") for item, _ in items if not _product(item).get("id")):
        return "DQ-ACTION"
    return "DQ-OFFER" if any(not _orderable(item, at, known) for item, _ in items) else ""


def _cyclic(relied: list[tuple[str, str]]) -> bool:
    while relied:
        waiting = {item for item, _ in relied}
        left = [(item, base) for item, base in relied if base in waiting]
        if len(left) == len(relied):
            return True
        relied = left
    return False


def _orderable(item: Json, at: datetime, known: Market) -> bool:
    offering = known.offerings.get(item["productOffering"]["id"])
    if offering is None or offering["lifecycleStatus"] not in ("Active", "Launched"):
        return False
    valid = offering.get("validFor", {})
    begins, ends = (datetime.fromisoformat(valid[key]) if key in valid else at for key in ("startDateTime", "endDateTime"))
    if at < begins or ("endDateTime" in valid and at >= ends):
        return False
    given = _characteristics(item)
    uses = offering.get("prodSpecCharValueUse") or []
    return all(given.get(use["name"]) in [known["value"] for known in use["productSpecCharacteristicValue"]] for use in uses)


def _item_flaws(ends: Fate, item: Json, known: Market, names: list[str]) -> None:
    specification = known.offerings[item["productOffering"]["id"]]["productSpecification"]["id"]
    given = _characteristics(item)
    place = next((place["name"] for place in _product(item).get("place") or []), "")
    step = {"spec-access": "qualification", "spec-mobile": "delivery" if given.get("simType") == "physical" else ""}.get(specification, "")
    if step and not (HOUSE_NUMBER.match(place) and POSTCODE.search(place)):
        ends.items |= {(name, "DQ-ADDR"): step for name in names}
    if "portInNumber" in given and names:
        if not NUMBER.fullmatch(given["portInNumber"]):
            ends.items[names[0], "DQ-PHONE"] = "porting"
            return
        ends.brings[names[0]] = given["portInNumber"]
        if not CODE.fullmatch(given.get("portInCode", "")):
            ends.items[names[0], "NP-CODE"] = "porting"


def _names(item: Json, parent: Json | None) -> list[str]:
    """The planned items of a leaf: as many as its quantity and its bundle's say."""
    if item.get("productOrderItem"):
        return []
    count = item.get("quantity", 1) * (parent.get("quantity", 1) if parent else 1)
    return [item["id"]] if count == 1 else [f"{item['id']}#{number}" for number in range(1, count + 1)]


def _product(item: Json) -> Json:
    product: Json = item.get("product") or {}
    return product


def _characteristics(item: Json) -> dict[str, str]:
    return {known["name"]: known["value"] for known in _product(item).get("productCharacteristic") or []}
