"""The papers of a year of money: a price list with usage, discounts and handsets, and orders of which some buy a handset or name a voucher."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from o2c.desk.vouchers import issue_vouchers
from o2c.engine.app import Context, Engine
from o2c.kernel.chance import draw
from tests.handsets import SKU, handset_offering, imei
from tests.metered import choice, included, pack, usage
from tests.world import Document

HANDSETS, HANDSETS_AT_FIRST, VOUCHERS = 0.3, 0.15, 0.5
"""The shares of orders that buy a handset, of orders for which one is in stock at first, and of orders that name a voucher."""
USAGE_PRICES = (
    usage("Calls", "voice", "minute", "0.10"),
    usage("Calls to mobiles", "voice", "minute", "0.20", choice("zone", "mobile"), choice("prepaid", "true")),
    usage("Messages", "sms", "message", "0.05"),
    usage("Data abroad", "roaming", "MB", "1"),
    included("50 messages", "sms", "message", "50", rollover_max="20"),
)
"""What is added to the prices of every mobile line."""
PACK = pack("more-messages", included("100 messages more", "sms", "message", "100", priority=200), "2.50")
"""What is bought once for a line, beside what its plan includes."""
TAXED = {
    "family-filter": "reduced", "mesh-room": "zero", "roam-pass": "reduced", "call-guard": "zero", "online-security": "reduced", "streaming-tv": "zero",
}  # fmt: skip
"""The group of tax of what is sold at another rate than the standard one: an invention, so that bills have every rate."""
DISCOUNTS: dict[str, tuple[Document, ...]] = {
    "spec-mobile": (
        {"name": "WELCOME", "priceType": "recurring", "price": {"percentage": 20}, "applicationDuration": {"amount": 3, "units": "month"},
         "applicationStart": "nextBill", "priority": 1},
        {"name": "LOYAL", "priceType": "recurring", "price": {"dutyFreeAmount": {"unit": "GBP", "value": "1.00"}}, "priority": 2},
    ),
    "spec-access": (
        {"name": "SUMMER", "priceType": "recurring", "price": {"percentage": 50}, "applicationDuration": {"amount": 45, "units": "day"},
         "applicationStart": "2026-07-01", "priority": 0},
    ),
}  # fmt: skip
"""By specification what is taken off recurring prices: three bills of 20 %, a pound for good, and half of 45 days in summer."""
CAMPAIGNS: dict[str, dict[str, Any]] = {
    "MONTHS": {"percent": "33.3", "months": 5, "uses_max": 1_000_000},
    "BUDGET": {"percent": "50", "months": 2, "uses_max": 1_000_000},
    "SINGLE": {"amount": "4.99", "months": 7, "codes": tuple(f"SINGLE-{n}" for n in range(20))},
    "PHONE": {"amount": "49.99", "of": "one-time", "uses_max": 1_000_000, "offerings": ("lark-9",)},
    "ALONE": {"percent": "75", "months": 3, "combines": "exclusive", "uses_max": 1_000_000},
}
"""The campaigns: BUDGET has one that does not last, SINGLE has codes that are for one order each."""


def of_the_year(catalogue: list[Document]) -> list[Document]:
    """A price list whose lines have prices of usage and units that are included, whose recurring prices have discounts, and which has handsets and a pack of units."""
    for offering in catalogue:
        prices, specification = offering["productOfferingPrice"], offering["productSpecification"]["id"]
        for price in prices:
            if price["priceType"] == "recurring" and specification in DISCOUNTS:
                price["priceAlteration"] = list(DISCOUNTS[specification])
        for price in prices if offering["id"] in TAXED else ():
            price["price"]["taxCategory"] = TAXED[offering["id"]]
        if specification == "spec-mobile" and prices:
            prices += USAGE_PRICES
    return [*catalogue, handset_offering(), PACK]


def orders_of_the_year(lines: Iterable[bytes], seed: int) -> Iterator[bytes]:
    """The orders, some of them with a handset, at once or in instalments, and some with the code of a voucher on an item: the same for the same order."""
    for line in lines:
        try:
            order = json.loads(line)
            key, items = str(order["externalId"]), order["productOrderItem"]
        except (ValueError, KeyError, TypeError):
            yield line
            continue
        if isinstance(items, list) and items:
            _add(items, key, seed)
        yield json.dumps(order, separators=(",", ":"), ensure_ascii=False).encode()


def _add(items: list[Document], key: str, seed: int) -> None:
    placed = next((item["product"]["place"] for item in items if item.get("product", {}).get("place")), None)
    if placed and draw(seed, key, 1, "handset") < HANDSETS:
        count = ("1", "12", "24", "36")[int(draw(seed, key, 1, "instalments") * 4)]
        told = [{"name": "sku", "value": SKU}, {"name": "instalments", "value": count}]
        product = {"productCharacteristic": told, "place": [{**placed[0], "role": "delivery address"}]}
        items.append({"id": "90", "action": "add", "quantity": 1, "productOffering": {"id": "lark-9"}, "product": product})
    luck = draw(seed, key, 1, "voucher") / VOUCHERS
    if luck < 1:
        code = (*CAMPAIGNS, "BUDGET")[int(luck * (len(CAMPAIGNS) + 1))]
        code = "MONTHS" if code == "PHONE" and items[-1]["id"] != "90" else code
        code = f"SINGLE-{int(draw(seed, key, 1, 'single') * 20)}" if code == "SINGLE" else code
        items[-1 if code == "PHONE" else 0].setdefault("product", {}).setdefault("productCharacteristic", []).append(
            {"name": "voucher", "value": code}
        )


def campaigns(app: Engine, orders: int) -> None:
    """Issue the campaigns of vouchers before any order comes: the budget lasts for a part of the orders."""
    for name, told in CAMPAIGNS.items():
        budget = {"budget": f"{orders}.00"} if name == "BUDGET" else {}
        issue_vouchers(app, Context("ann"), name, **told, **budget)


def handsets(folder: Path, orders: int) -> tuple[Path, Path]:
    """What is in stock of handsets at first, and what comes later: more than all orders buy."""
    first = int(orders * HANDSETS_AT_FIRST) + 1
    return _stock(folder / "devices-1.csv", range(first)), _stock(folder / "devices-2.csv", range(first, first + orders))


def _stock(path: Path, serials: Iterable[int]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("imei", "sku"), *((imei(n), SKU) for n in serials)])
    return path
