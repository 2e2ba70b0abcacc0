"""The invented operator behind the simulated launch: what it sells, who its customers are, what lies in its stores.

Shapes follow TM Forum: TMF620 v4 (product catalogue) and TMF632 v4 (party). Every person, street and town is invented, and the postcode
area ZX is one that Royal Mail has never used, so no generated address can be anybody's.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any, TypeAlias, TypeVar

from stdnum import luhn

from o2c.kernel.chance import draw

Document: TypeAlias = dict[str, Any]
Choice = TypeVar("Choice")
Sim: TypeAlias = tuple[str, str, str]

BUSINESS_EVERY = 60
STOCK_FIRST = 910_000

TERMS = ("1", "12", "24")
SIM_KINDS = ("esim", "physical")
OPENING_HOURS = {"web": (0, 24), "self-care-app": (0, 24), "call-centre": (8, 20), "store": (9, 18), "partner-shop": (10, 19)}
CHANNEL_MIX = ("web",) * 7 + ("self-care-app",) * 5 + ("call-centre",) * 3 + ("store",) * 3 + ("partner-shop",) * 2
PAYMENT_MIX = ("card",) * 4 + ("direct-debit",) * 4 + ("pay-by-link",) * 2 + ("invoice",)

_GIVEN = """
Avelor Brisk Callu Dorrin Élodra Fenwyn Garrol Hespa Isoltin Jorvin Kestru Lunette-Ash Marrin Nerysa Oswick Perrine
Quilla Rowennu Sørin Tamsel Ulvane Vespen Wystra Xanti Yorel Zedka
"""
_FAMILY = """
Ambershaw Brackwell Corrowby Dunmarsh Ellingstow Farrowdale Gantrell Holmquay Ingleby-Marr Jesterfield Kilvane Lorrimore
Mossgrave Nettlewick O'Tarrow Pellingham Quarles-Dean Rushmantle Sørvang Thistlewood Underholt Vantersby Wołczyn
Yarrowmere Zellingar
"""
GIVEN_NAMES = tuple(_GIVEN.split())
FAMILY_NAMES = tuple(_FAMILY.split())
TRADES = ("Joinery", "Dental Care", "Freight", "Bakehouse", "Surveyors", "Cycles", "Veterinary Practice", "Print Works")
STREETS = ("Lantern Row", "Cooper's Yard", "Weir Lane", "Saltern Road", "Bellfounder Street", "Tannery Hill", "Larch Close", "Ropewalk")
TOWNS = ("Marlingholt", "Ostrebury", "Thrapwick", "Quenleigh", "Harrowmere")


@dataclass(frozen=True)
class Offering:
    """One thing on the price list; prices are minor units of GBP net of tax, None where nothing of that kind is charged.

    `needs` are the offerings of which one must be beside it. It is sold `since` a day; on the day of `price_change` its monthly price
    becomes another.
    """

    id: str
    name: str
    specification: str
    monthly_minor: int | None = None
    one_time_minor: int | None = None
    retired: bool = False
    needs: tuple[str, ...] = ()
    since: str = "2026-01-01"
    price_change: tuple[str, int] | None = None


LINE = Offering("lark-line", "Lark Line", "mobile", 1850, 750)
SECOND_LINE = Offering("lark-second", "Lark Second Line", "mobile", 650)
COPPER = Offering("hearth-40", "Hearth 40", "access", 2350, 2500)
FIBRE = Offering("hearth-900", "Hearth 900", "access", 4475, 3900)
SITE = Offering("branch-office", "Branch Office", "bundle")
LINES, ACCESSES = (LINE.id, SECOND_LINE.id), (COPPER.id, FIBRE.id)
HOME_ADD_ONS = (
    Offering("mesh-room", "Mesh in Every Room", "add-on", 575, needs=ACCESSES),
    Offering("night-cinema", "Night Cinema", "add-on", 899, needs=ACCESSES),
    Offering("family-filter", "Family Filter", "add-on", 250, needs=ACCESSES),
    Offering("swift-repair", "Swift Repair", "add-on", 425, needs=ACCESSES),
)
LINE_ADD_ONS = (
    Offering("roam-pass", "Roam Pass", "add-on", 700, needs=LINES),
    Offering("call-guard", "Call Guard", "add-on", 199, needs=LINES),
)
OLD_LINE = Offering("lark-line-2021", "Lark Line 2021", "mobile", retired=True)
OLD_ACCESS = Offering("hearth-8", "Hearth 8", "access", retired=True)
OFFERINGS = (LINE, SECOND_LINE, COPPER, FIBRE, SITE, *HOME_ADD_ONS, *LINE_ADD_ONS, OLD_LINE, OLD_ACCESS)
NEWCOMER = Offering("lark-max", "Lark Max", "mobile", 2950, 750)
"""What is launched later, where months are told (`months.py`)."""
SUCCEEDED = {LINE.id: OLD_LINE, NEWCOMER.id: OLD_LINE, COPPER.id: OLD_ACCESS, FIBRE.id: OLD_ACCESS}


def catalogue(offerings: Sequence[Offering] = OFFERINGS) -> list[Document]:
    """The price list as TMF620 v4 product offerings, in the order it is printed."""
    return [_retired(offering) if offering.retired else _active(offering) for offering in offerings]


def _active(offering: Offering) -> Document:
    return {
        "id": offering.id,
        "name": offering.name,
        "lifecycleStatus": "Active",
        "version": "1.0",
        "isBundle": offering.specification == "bundle",
        "validFor": {"startDateTime": _midnight(offering.since)},
        "productSpecification": _specification(offering),
        "prodSpecCharValueUse": list(_choices(offering)),
        "productOfferingPrice": list(_prices(offering)),
        "productOfferingRelationship": [{"id": needed, "relationshipType": "requires"} for needed in offering.needs],
    }


def _retired(offering: Offering) -> Document:
    return {
        "id": offering.id,
        "name": offering.name,
        "lifecycleStatus": "Retired",
        "version": "1.0",
        "validFor": {"startDateTime": "2021-03-01T00:00:00Z", "endDateTime": "2024-12-31T00:00:00Z"},
        "productSpecification": _specification(offering),
        "productOfferingPrice": [],
    }


def _specification(offering: Offering) -> Document:
    return {"id": f"spec-{offering.specification}", "name": offering.specification}


def _choices(offering: Offering) -> Iterator[Document]:
    if offering.specification == "mobile":
        yield _choice("simType", SIM_KINDS)
    if offering.specification in {"mobile", "access"}:
        yield _choice("commitmentMonths", TERMS)


def _choice(name: str, values: tuple[str, ...]) -> Document:
    allowed = [{"value": value} for value in values]
    return {"name": name, "minCardinality": 1, "maxCardinality": 1, "productSpecCharacteristicValue": allowed}


def _prices(offering: Offering) -> Iterator[Document]:
    if offering.monthly_minor is not None:
        yield from _monthly(offering, offering.monthly_minor)
    if offering.one_time_minor is not None:
        yield _price(offering, "oneTime", offering.one_time_minor, {})


def _monthly(offering: Offering, amount_minor: int) -> Iterator[Document]:
    """The monthly price; of one that changes, the old one until that day and the new one from it on."""
    monthly = {"recurringChargePeriod": "month", "recurringChargePeriodLength": 1}
    if offering.price_change is None:
        yield _price(offering, "recurring", amount_minor, monthly)
        return
    changed_on, new_minor = offering.price_change
    yield _price(offering, "recurring", amount_minor, {**monthly, "validFor": {"endDateTime": _midnight(changed_on)}})
    new = _price(offering, "recurring", new_minor, {**monthly, "validFor": {"startDateTime": _midnight(changed_on)}})
    yield {**new, "id": f"{offering.id}-recurring-{changed_on}"}


def _midnight(day: str) -> str:
    return f"{day}T00:00:00Z"


def _price(offering: Offering, kind: str, amount_minor: int, period: Document) -> Document:
    # TMF620 carries an amount as a JSON number of pounds; this is the wire, no sum is ever taken on it.
    amount = {"dutyFreeAmount": {"unit": "GBP", "value": amount_minor / 100}}
    return {"id": f"{offering.id}-{kind}", "name": kind, "priceType": kind, **period, "price": amount}


@dataclass(frozen=True)
class Launch:
    """What every draw needs; `ported` hands out the numbers customers bring, each once."""

    seed: int
    port_share: float
    largest_sites: int
    ported: Iterator[str]

    @classmethod
    def planned(cls, *, count: int, seed: int) -> "Launch":
        """The launch of `count` orders: share of ported numbers and size of the largest account follow from it."""
        # Ofcom keeps +447700900000-999 for drama: a thousand numbers that are nobody's, so large launches port a smaller share.
        ported = (f"+447700900{last:03d}" for last in range(1000))
        return cls(seed, min(0.13, 500 / count), min(max(2, count // 50), 50), ported)

    def share(self, key: str, what: str) -> float:
        """A number from 0 up to 1, the same for the same (seed, key, what)."""
        return draw(self.seed, key, 0, what)

    def below(self, key: str, what: str, bound: int) -> int:
        """A whole number from 0 up to `bound`."""
        return int(self.share(key, what) * bound)

    def weighted(self, key: str, what: str, choices: Mapping[Choice, float]) -> Choice:
        """One of the choices, each as likely as its weight."""
        left = self.share(key, what) * sum(choices.values())
        for choice, weight in choices.items():
            left -= weight
            if left < 0:
                return choice
        return choice

    def pick(self, key: str, what: str, choices: Sequence[Choice]) -> Choice:
        """One of `choices`, each as likely."""
        return choices[self.below(key, what, len(choices))]


def is_business(index: int) -> bool:
    """Whether the customer of this index is an organisation."""
    return index % BUSINESS_EVERY == 7


def customer_key(index: int) -> str:
    """The customer's id: B- for organisations, C- for people."""
    return f"{'B' if is_business(index) else 'C'}-{index + 1:06d}"


def customer(launch: Launch, index: int) -> Document:
    """The customer as a TMF632 v4 individual or organisation."""
    return _organisation(launch, customer_key(index)) if is_business(index) else _individual(launch, customer_key(index))


def _individual(launch: Launch, key: str) -> Document:
    return {
        "@type": "Individual",
        "id": key,
        "givenName": launch.pick(key, "given", GIVEN_NAMES),
        "familyName": launch.pick(key, "family", FAMILY_NAMES),
        "birthDate": _birth_date(launch, key),
        "contactMedium": [
            {"mediumType": "email", "characteristic": {"emailAddress": f"{key.lower()}@example.org"}},
            {"mediumType": "postalAddress", "characteristic": {"street1": address(launch, key)}},
        ],
        "partyCharacteristic": [
            {"name": "paymentMethod", "value": launch.pick(key, "payment", PAYMENT_MIX)},
            {"name": "tier", "value": tier(launch, key)},
            {"name": "paperlessBilling", "value": launch.share(key, "paperless") < 0.7},
        ],
    }


def _organisation(launch: Launch, key: str) -> Document:
    return {
        "@type": "Organization",
        "id": key,
        "tradingName": f"{launch.pick(key, 'family', FAMILY_NAMES)} {launch.pick(key, 'trade', TRADES)}",
        "organizationType": "company",
        "contactMedium": [{"mediumType": "email", "characteristic": {"emailAddress": f"accounts@{key.lower()}.example.org"}}],
        "partyCharacteristic": [{"name": "paymentMethod", "value": "invoice"}, {"name": "tier", "value": tier(launch, key)}],
    }


def tier(launch: Launch, key: str) -> str:
    """How soon the customer is served: key-account, priority or standard."""
    if key.startswith("B"):
        return "key-account" if launch.share(key, "tier") < 0.2 else "standard"
    return "priority" if launch.share(key, "tier") < 0.05 else "standard"


def _birth_date(launch: Launch, key: str) -> str:
    """Adults, and two in a hundred who are under 18 at launch and may not sign."""
    minor = launch.share(key, "minor") < 0.02
    year = 2009 + launch.below(key, "year", 4) if minor else 1941 + launch.below(key, "year", 66)
    return f"{year}-{1 + launch.below(key, 'month', 12):02d}-{1 + launch.below(key, 'day-of-month', 28):02d}"


def address(launch: Launch, key: str) -> str:
    """An address in one line: number and street, town, postcode."""
    street, town = launch.pick(key, "street", STREETS), launch.pick(key, "town", TOWNS)
    unit = launch.pick(key, "unit-1", "ABDEFGH") + launch.pick(key, "unit-2", "JLNPQRS")
    postcode = f"ZX{1 + launch.below(key, 'district', 40)} {launch.below(key, 'sector', 10)}{unit}"
    return f"{1 + launch.below(key, 'house', 160)} {street}, {town}, {postcode}"


def delivery(launch: Launch, wanted: Mapping[str, int], first: int) -> Iterator[Sim]:
    """A delivery of SIMs by kind, one by one, numbered from `first` on."""
    batch = 100 + launch.below("stock", "batch", 900)
    return (_sim(batch, serial, kind) for serial, kind in enumerate(_mixed(wanted), first))


def deliveries(launch: Launch, needed: Counter[str]) -> tuple[list[Sim], list[Sim]]:
    """About 60 % of the SIMs needed now and half as many again later, so that stock is short for a while but not for ever."""
    now = list(delivery(launch, first_delivery(needed), 0))
    return now, list(delivery(launch, second_delivery(needed), len(now)))


def first_delivery(needed: Mapping[str, int]) -> dict[str, int]:
    """How many SIMs of each kind lie in store at the start: about 60 % of those needed."""
    return {kind: -(-needed[kind] * 6 // 10) for kind in SIM_KINDS}


def second_delivery(needed: Mapping[str, int]) -> dict[str, int]:
    """How many come later: half of those needed, and some."""
    return {kind: needed[kind] // 2 + 5 for kind in SIM_KINDS}


def _mixed(wanted: Mapping[str, int]) -> Iterator[str]:
    """The kinds dealt evenly, as boxes of a delivery come."""
    return (kind for _, kind in merge(*(_spread(kind, count) for kind, count in wanted.items())))


def _spread(kind: str, count: int) -> Iterator[tuple[float, str]]:
    return (((place + 0.5) / count, kind) for place in range(count))


def _sim(batch: int, serial: int, kind: str) -> Sim:
    """ICCID by ITU-T E.118 (89, country 44, issuer, serial, Luhn digit); IMSI in test network 001-01 (ITU-T E.212)."""
    body = f"894498{batch}{serial:09d}"
    return f"{body}{luhn.calc_check_digit(body)}", f"00101{batch}{serial:07d}", kind


def number_stock(count: int) -> Iterator[tuple[str, str]]:
    """Numbers next to Ofcom's drama range: right in length and allocated to nobody; three like digits at the end are golden."""
    for last in range(STOCK_FIRST, STOCK_FIRST + count):
        yield f"+447700{last}", "golden" if len(set(str(last)[-3:])) == 1 else "normal"
