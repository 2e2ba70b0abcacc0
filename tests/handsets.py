"""A counter for handsets: a price list with devices, stock of them by SKU, and items of an order."""

from __future__ import annotations

import json
from typing import Any

from stdnum import luhn

from o2c.files import loading
from tests.world import ADDRESS, Document, World, item, line

SKU, OTHER_SKU = "lark-9-black-128", "lark-9-white-128"
NET_MINOR, GROSS_MINOR = 49917, 59900
"""What the handset costs in GBP, net and with 20 % tax: 599.00."""


def imei(serial: int) -> str:
    """An IMEI of the test range (reporting body 00), with its check digit."""
    body = f"00101012{serial:06d}"
    return f"{body}{luhn.calc_check_digit(body)}"


def handset_offering(pounds: str = "499.17", *, name: str = "lark-9", **more: Any) -> Document:
    """The handset as a price list sells it: once, or in 12, 24 or 36 instalments."""
    choices = {"sku": (SKU, OTHER_SKU), "instalments": ("1", "12", "24", "36")}
    return {
        "id": name, "lifecycleStatus": "Active", "productSpecification": {"id": "spec-device"},
        "productOfferingPrice": [{"priceType": "oneTime", "price": {"dutyFreeAmount": {"unit": "GBP", "value": pounds}}}],
        "prodSpecCharValueUse": [
            {"name": key, "productSpecCharacteristicValue": [{"value": value, "isDefault": value == values[0]} for value in values]}
            for key, values in choices.items()
        ], **more,
    }  # fmt: skip


def handset(number: str = "1", *, instalments: str = "1", sku: str = SKU, offering: str = "lark-9", **more: Any) -> Document:
    """An item of an order: the handset, sent to ADDRESS."""
    made = item(_named(offering), number, place=ADDRESS, sku=sku, instalments=instalments)
    return {**made, **more}


class _named:  # noqa: N801 - stands where a launch has its offerings
    def __init__(self, name: str) -> None:
        self.id = name


def selling(world: World, devices: int = 3, *, offering: Document | None = None, sku: str = SKU) -> World:
    """The world with the handset on its price list, and some in stock."""
    loading.load_catalogue(world.app, world.written("handsets.json", json.dumps([offering or handset_offering()])))
    if devices:
        received(world, *(imei(n) for n in range(devices)), sku=sku)
    return world


def received(world: World, *imeis: str, sku: str = SKU) -> None:
    """A delivery of devices, taken in now."""
    rows = [("imei", "sku"), *((one, sku) for one in imeis)]
    loading.load_stock(world.app, world.runner, "devices", world.written(f"devices-{imeis[0]}.csv", rows), None)


__all__ = ["GROSS_MINOR", "NET_MINOR", "OTHER_SKU", "SKU", "handset", "handset_offering", "imei", "line", "received", "selling"]
