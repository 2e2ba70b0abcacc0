"""A market stall of usage: a price list with prices of usage and included units, a customer's line on it, and records as a switch writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from o2c.desk.act import Context
from o2c.files import loading
from o2c.files.usage import load_usage
from o2c.views.shown import UsageFileShown
from tests.world import ADDRESS, Document, World, order

STOCK = {"esims": 0, "physical": 2, "numbers": 3, "customers": 2}
BY = Context("ann")


def choice(name: str, *values: str) -> Document:
    return {"name": name, "productSpecCharacteristicValue": [{"value": value} for value in values]}


def usage(name: str, kind: str, unit: str, pounds: str, *choices: Document, **more: Any) -> Document:
    return {
        "name": name, "priceType": "usage", "unitOfMeasure": {"amount": 1, "units": unit},
        "price": {"dutyFreeAmount": {"unit": "GBP", "value": pounds}},
        "prodSpecCharValueUse": [choice("usageType", kind), *choices], **more,
    }  # fmt: skip


def included(name: str, kind: str, unit: str, quantity: str, **logic: Any) -> Document:
    return {
        "name": name, "priceType": "allowance", "unitOfMeasure": {"amount": quantity, "units": unit},
        "prodSpecCharValueUse": [choice("usageType", kind)], "pricingLogicAlgorithm": [logic],
    }  # fmt: skip


def pack(name: str, units: Document, pounds: str) -> Document:
    """An offering that sells units once."""
    once = {"priceType": "one time", "price": {"dutyFreeAmount": {"unit": "GBP", "value": pounds}}}
    return {"id": name, "productSpecification": {"id": "spec-add-on"}, "productOfferingPrice": [once, units], "lifecycleStatus": "Launched"}


MONTHLY = {"priceType": "recurring", "recurringChargePeriod": "month", "price": {"dutyFreeAmount": {"unit": "GBP", "value": "10.00"}}}
PRICES = (
    MONTHLY,
    usage("Calls", "voice", "minute", "0.10", choice("increment", "1")),
    usage("Calls to mobiles", "voice", "minute", "0.20", choice("zone", "mobile"), choice("increment", "1")),
    usage("Messages", "sms", "message", "0.05"),
    usage("Data abroad", "roaming", "MB", "1"),
    included("50 messages", "sms", "message", "50", rollover_max="20"),
)


def offering(*prices: Document, **more: Any) -> Document:
    """The line as a price list sells it."""
    sim = [{"name": "simType", "productSpecCharacteristicValue": [{"value": "physical", "isDefault": True}]}]
    return {
        "id": "metered-line", "productSpecification": {"id": "spec-mobile"}, "productOfferingPrice": list(prices or PRICES),
        "lifecycleStatus": "Launched", "prodSpecCharValueUse": sim, **more,
    }  # fmt: skip


def metered_line() -> Document:
    """An item of an order: the line."""
    product = {"place": [{"role": "delivery address", "name": ADDRESS}]}
    return {"id": "1", "action": "add", "productOffering": {"id": "metered-line"}, "product": product}


def metered(dsn: str, tmp_path: Path, *prices: Document) -> World:
    """A customer's line with prices of usage, ordered on Monday 5 January 2026 and active the same day; its account is billed on the 8th."""
    made = World(dsn, tmp_path).stocked(**STOCK)
    loading.load_catalogue(made.app, made.written("metered.json", json.dumps([offering(*prices)])))
    made.take(order("ONE", metered_line()))
    made.run(datetime(2026, 1, 9, tzinfo=UTC))
    return made


def number_of(world: World) -> str:
    """The number of the line."""
    [row] = world.app.reads.rows("SELECT body ->> 'msisdn' AS msisdn FROM o2c.event WHERE type = 'number.assigned'")
    return str(row["msisdn"])


def account_of(world: World) -> str:
    """The account of the line."""
    [row] = world.app.reads.rows("SELECT body ->> 'account' AS account FROM o2c.event WHERE type = 'account.charge-started'")
    return str(row["account"])


def record(key: str, party: str, kind: str = "voice", start: str = "2026-01-20T12:00:00Z", quantity: Any = 60, **more: Any) -> Document:
    return {"key": key, "party": party, "kind": kind, "start": start, "quantity": quantity, **more}


def load(world: World, *records: Document, name: str = "usage.jsonl", source: str = "msc-1") -> UsageFileShown:
    """Load records as a file of JSON lines."""
    path = world.written(name, "\n".join(json.dumps(one) for one in records) + "\n")
    return load_usage(world.app, path, context=BY, source=source)


def usage_lines(world: World) -> list[tuple[str, int]]:
    """The usage lines of all invoices: the day, net in minor units."""
    rows = world.app.reads.rows(
        """SELECT body ->> 'issued_on' AS day, (line ->> 'net_minor')::int AS net FROM o2c.event, jsonb_array_elements(body -> 'lines') AS line
        WHERE type = 'invoice.issued' AND line ->> 'kind' = 'usage' ORDER BY position, 2"""
    )
    return [(row["day"], row["net"]) for row in rows]


def rated(world: World) -> list[Document]:
    """What bill runs took of usage, as the log has it."""
    return [row["body"] for row in world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'account.usage-rated' ORDER BY position")]
