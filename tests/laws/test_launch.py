"""The simulated launch: the same for the same seed, in the shapes channels send, with the flaws it promises and no others."""

import csv
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import hypothesis
import phonenumbers
import pytest
from hypothesis import strategies as st

from o2c.simulation.launch import ORDER_COUNT_MAX, LaunchFiles, write_launch

COUNT, SEED = 2000, 7
ADDRESS = re.compile(r"\d+ [^,]+, [^,]+, [A-Z]{1,2}\d{1,2} \d[A-Z]{2}")
PORT_CODE = re.compile(r"[A-Z]{3}\d{6}")
ORDER_FIELDS = {
    "externalId", "orderDate", "category", "description", "priority", "channel", "billingAccount", "relatedParty", "productOrderItem",
}  # fmt: skip


class Written:
    """A launch read back from its files."""

    def __init__(self, files: LaunchFiles) -> None:
        """Read all six files."""
        self.files = files
        self.orders: list[dict[str, Any]] = [json.loads(line) for line in _text(files.orders).splitlines()]
        self.customers = {party["id"]: party for party in map(json.loads, _text(files.customers).splitlines())}
        self.offerings = {offering["id"]: offering for offering in json.loads(_text(files.catalogue))}
        self.now, self.later, self.numbers = (_rows(path) for path in (files.sims_now, files.sims_later, files.numbers))


def _text(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(_text(path).splitlines()))


def _bytes(files: LaunchFiles) -> dict[str, bytes]:
    paths = [value for field in fields(files) if isinstance(value := getattr(files, field.name), Path)]
    return {path.name: path.read_bytes() for path in paths}


def _items(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in order["productOrderItem"]:
        yield item
        yield from item.get("productOrderItem", [])


def _values(item: dict[str, Any]) -> dict[str, str]:
    return {value["name"]: value["value"] for value in item["product"]["productCharacteristic"]}


def _flaws(order: dict[str, Any], written: Written) -> set[str]:
    """What a reader who never saw the generator finds wrong with the order."""
    items = list(_items(order))
    flaws = set() if [party["id"] for party in order["relatedParty"] if party["id"] in written.customers] else {"party"}
    if len({item["id"] for item in items}) < len(items) or any(item["quantity"] < 1 for item in items):
        flaws.add("item")
    for item in items:
        flaws |= _item_flaws(item, written)
    return flaws


def _item_flaws(item: dict[str, Any], written: Written) -> set[str]:
    values, places = _values(item), item["product"].get("place", [])
    port_in, code = values.get("portInNumber"), values.get("portInCode", "")
    found = {
        "action": item["action"] != "add",
        "offering": written.offerings[item["productOffering"]["id"]]["lifecycleStatus"] != "Active",
        "address": any(not ADDRESS.fullmatch(place["name"]) for place in places),
        "number": port_in is not None and not re.fullmatch(r"\+447700900\d{3}", port_in),
        "code": port_in is not None and not PORT_CODE.fullmatch(code),
    }
    return {name for name, wrong in found.items() if wrong}


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """One launch large enough for shares to be steady."""
    return Written(write_launch(tmp_path_factory.mktemp("launch"), count=COUNT, seed=SEED))


@pytest.mark.parametrize("compress", [pytest.param(False, id="plain"), pytest.param(True, id="gzipped")])
def test_same_count_and_seed_write_the_same_bytes(tmp_path: Path, compress: bool) -> None:
    """A demo shown twice is the same demo; another seed is another launch, sold from the same list."""
    first, second = (_bytes(write_launch(tmp_path / name, count=120, seed=3, compress=compress)) for name in ("first", "second"))
    other_seed = _bytes(write_launch(tmp_path / "seed", count=120, seed=4, compress=compress))

    assert first == second
    assert len(first) == 6
    assert {name for name in first if first[name] == other_seed[name]} <= {"catalogue.tmf620.json"} | {n for n in first if "numbers" in n}


def test_a_seed_writes_what_it_wrote_when_it_was_first_shown(tmp_path: Path) -> None:
    """Figures that somebody quoted can be drawn again: the six files, names and bytes, have the digest that they had."""
    written = _bytes(write_launch(tmp_path, count=60, seed=7))
    digest = hashlib.sha256()
    for name in sorted(written):
        digest.update(name.encode() + written[name])

    assert digest.hexdigest() == "59c517fd2aa3efe7119f094acdc0b639b3a9b34bc38c45a69e3414aafc5537b6"


def test_compressed_files_hold_the_same_text(tmp_path: Path) -> None:
    """Gzip changes how the lines are kept, not what they say, and its header holds no time (RFC 1952, MTIME)."""
    plain, packed = (write_launch(tmp_path / str(flag), count=60, seed=1, compress=flag) for flag in (False, True))

    assert packed.orders.suffix == ".gz"
    assert _text(plain.orders) == _text(packed.orders)
    assert _text(plain.sims_now) == _text(packed.sims_now)
    assert packed.orders.read_bytes()[4:8] == bytes(4)


@hypothesis.given(count=st.integers(1, 150), seed=st.integers(0, 2**32))
@hypothesis.settings(max_examples=20, deadline=None)
def test_any_size_and_seed_is_whole(tmp_path_factory: pytest.TempPathFactory, count: int, seed: int) -> None:
    """Whatever is asked for, the counts agree with the files and the stock covers every first order."""
    files = write_launch(tmp_path_factory.mktemp("any"), count=count, seed=seed)
    written = Written(files)

    assert count == files.order_count == len(written.orders)
    assert (files.customer_count, files.number_count) == (len(written.customers), len(written.numbers))
    assert (files.sims_now_count, files.sims_later_count) == (len(written.now), len(written.later))
    assert _needed(written) <= Counter(sim["kind"] for sim in written.now + written.later)


@pytest.mark.parametrize("count", [pytest.param(n, id=str(n)) for n in (-1, 0, ORDER_COUNT_MAX + 1)])
def test_impossible_counts_are_refused(tmp_path: Path, count: int) -> None:
    """No launch without orders, and none larger than the numbers nobody owns; nothing is written."""
    with pytest.raises(ValueError, match="a launch has 1 to"):
        write_launch(tmp_path / "none", count=count, seed=1)

    assert not (tmp_path / "none").exists()


def test_every_order_has_the_fields_of_a_product_order(launch: Written) -> None:
    """Each line is a TMF622 order with a zoned date, a known channel role, and items that name an offering on the list."""
    assert len(launch.orders) == COUNT
    for order in launch.orders:
        assert set(order) == ORDER_FIELDS
        assert datetime.fromisoformat(order["orderDate"]).tzinfo is not None
        assert all(item["productOffering"]["id"] in launch.offerings for item in _items(order))
        assert all({"id", "action", "quantity", "productOffering", "product"} <= set(item) for item in _items(order))


def test_orders_come_in_capture_order_within_the_hours_of_their_channel(launch: Written) -> None:
    """The file is a log of five weeks and a bit; shops take no orders at night, and the first ten days are the busiest."""
    dates = [datetime.fromisoformat(order["orderDate"]) for order in launch.orders]
    shop_hours = {date.hour for order, date in zip(launch.orders, dates, strict=True) if order["channel"][0]["id"] == "store"}

    assert sorted(dates) == dates
    assert set(range(9, 18)) == shop_hours
    assert dates[0].date().isoformat() == "2026-01-05"
    assert 30 < (dates[-1] - dates[0]).days < 40
    assert sum((date - dates[0]).days < 10 for date in dates) > COUNT / 2


def test_sims_have_valid_identifiers(launch: Written) -> None:
    """An ICCID is 19 digits and passes Luhn (ITU-T E.118), an IMSI lies in test network 001-01, and neither comes twice."""
    sims = launch.now + launch.later

    assert all(re.fullmatch(r"8944\d{15}", sim["iccid"]) and _luhn_sum(sim["iccid"]) % 10 == 0 for sim in sims)
    assert all(re.fullmatch(r"00101\d{10}", sim["imsi"]) for sim in sims)
    assert len(sims) == len({sim["iccid"] for sim in sims}) == len({sim["imsi"] for sim in sims})
    assert {"esim", "physical"} == {sim["kind"] for sim in launch.now}


def _luhn_sum(digits: str) -> int:
    doubled = "0246813579"
    return sum(int(doubled[int(digit)]) if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))


def test_number_stock_is_possible_and_nobodys(launch: Written) -> None:
    """Stock numbers have the length of GB mobile numbers, belong to no allocated range, and some are golden."""
    parsed = [phonenumbers.parse(row["msisdn"]) for row in launch.numbers]

    assert all(phonenumbers.is_possible_number(number) and not phonenumbers.is_valid_number(number) for number in parsed)
    assert len(launch.numbers) == len({row["msisdn"] for row in launch.numbers})
    assert 0 < sum(row["class"] == "golden" for row in launch.numbers) < len(launch.numbers) / 50


def test_about_four_in_a_hundred_orders_are_defective_in_every_promised_way(launch: Written) -> None:
    """Judged without knowledge of the generator, 2 to 7 % of the orders are flawed, and every kind of flaw occurs."""
    flaws = [found for order in launch.orders if (found := _flaws(order, launch))]

    assert 0.02 < len(flaws) / COUNT < 0.07
    assert {"party", "item", "action", "offering", "address", "number", "code"} == set().union(*flaws)
    assert all(len(found) == 1 for found in flaws)


def test_only_the_intended_defects_name_a_customer_who_is_not_in_the_file(launch: Written) -> None:
    """A stranger on an order is a leftover of the old system or nobody at all; everyone else is in the customer file."""
    parties = [party["id"] for order in launch.orders for party in order["relatedParty"]]
    strangers = [party for party in parties if party not in launch.customers]

    assert 0 < len(strangers) < COUNT / 100
    assert all(stranger.startswith("LEGACY-") for stranger in strangers)
    assert any(order["relatedParty"] == [] for order in launch.orders)


def test_repeats_come_later_through_another_channel_and_half_are_changed(launch: Written) -> None:
    """An order that arrives again keeps its external id; apart from date and channel every second one still says the same."""
    wishes: dict[str, dict[str, Any]] = {}
    changed = []
    for order in launch.orders:
        first = wishes.setdefault(order["externalId"], order)
        if first is not order:
            assert first["channel"] != order["channel"]
            assert first["orderDate"] < order["orderDate"]
            changed.append({**first, "channel": None, "orderDate": None} != {**order, "channel": None, "orderDate": None})

    assert len(changed) == COUNT // 50
    assert sum(changed) == COUNT // 100


def test_a_few_customers_bring_the_same_number(launch: Written) -> None:
    """Some brought numbers are claimed by two flawless orders; never by three, and most by one."""
    flawless = [order for order in launch.orders if not _flaws(order, launch)]
    claims = {
        (order["externalId"], number) for order in flawless for item in _items(order) if (number := _values(item).get("portInNumber"))
    }
    claimants = Counter(number for _, number in claims)

    assert {1, 2} == set(claimants.values())
    assert sum(count == 2 for count in claimants.values()) < len(claimants) / 20


def test_business_customers_order_several_sites_as_bundles(launch: Written) -> None:
    """A business order nests an access and lines under each of its sites; the largest account has dozens of lines."""
    business = [order for order in launch.orders if order["category"] == "business"]

    assert all(order["relatedParty"][0]["@referredType"] == "Organization" for order in business)
    assert all(len(site["productOrderItem"]) >= 2 for order in business for site in order["productOrderItem"])
    assert all(len(order["productOrderItem"]) >= 2 for order in business)
    assert max(sum(1 for _ in _items(order)) for order in business) > 100
    assert {1, 2, 3} <= {item["quantity"] for order in launch.orders for item in _items(order)}


def test_customers_cover_ages_and_payment_methods(launch: Written) -> None:
    """A few customers are minors at launch, every payment method is used, and no e-mail leaves the reserved domain (RFC 2606)."""
    people = [party for party in launch.customers.values() if party["@type"] == "Individual"]
    methods = {
        trait["value"] for party in launch.customers.values() for trait in party["partyCharacteristic"] if trait["name"] == "paymentMethod"
    }
    emails = [party["contactMedium"][0]["characteristic"]["emailAddress"] for party in launch.customers.values()]

    assert 0 < sum(party["birthDate"] > "2008-02-15" for party in people) < len(people) / 20
    assert {"card", "direct-debit", "pay-by-link", "invoice"} == methods
    assert all(email.endswith(("@example.org", ".example.org")) for email in emails)


def test_sims_run_out_before_the_second_delivery_and_suffice_after_it(launch: Written) -> None:
    """The first delivery is about 60 % of the need, less than what flawless orders ask for before the second one arrives."""
    before = [order for order in launch.orders if datetime.fromisoformat(order["orderDate"]) < launch.files.sims_later_at]
    now = Counter(sim["kind"] for sim in launch.now)
    early_need = _needed(launch, [order for order in before if not _flaws(order, launch)])

    assert 0.55 < len(launch.now) / _needed(launch).total() < 0.65
    assert all(now[kind] < early_need[kind] for kind in ("esim", "physical"))
    assert _needed(launch) <= now + Counter(sim["kind"] for sim in launch.later)


def _needed(written: Written, orders: list[dict[str, Any]] | None = None) -> Counter[str]:
    first = {order["externalId"]: order for order in reversed(written.orders if orders is None else orders)}
    kinds: Counter[str] = Counter()
    for item in (item for order in first.values() for item in _items(order)):
        if (kind := _values(item).get("simType")) is not None:
            kinds[kind] += item["quantity"]
    return kinds


def test_the_catalogue_prices_what_is_sold(launch: Written) -> None:
    """Offerings use the four specifications; active ones but the bundle have a monthly price net of tax, retired ones none."""
    for offering in launch.offerings.values():
        recurring = [price for price in offering["productOfferingPrice"] if price["priceType"] == "recurring"]
        sold = offering["lifecycleStatus"] == "Active" and offering["productSpecification"]["id"] != "spec-bundle"

        assert sold == bool(recurring)
        assert all(price["price"]["dutyFreeAmount"]["unit"] == "GBP" for price in offering["productOfferingPrice"])
    assert {"spec-mobile", "spec-access", "spec-bundle", "spec-add-on"} == {
        o["productSpecification"]["id"] for o in launch.offerings.values()
    }
