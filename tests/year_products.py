"""What customers do in a year with what they have in service: another plan, another SIM or number, a season's rest, an end, a pack of units; and prepaid money for calls to
mobiles, which who leaves asks back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from o2c.desk import allowances, prepaid, products, quota
from o2c.desk.capture import capture
from o2c.engine.app import Context, Engine
from o2c.kernel.chance import draw
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from tests.world import ADDRESS, Document, order
from tests.year_amendments import ANOTHER
from tests.year_papers import PACK

if TYPE_CHECKING:
    from tests.year_deeds import Year

IN_SERVICE = """SELECT product, account, customer_id, offering, status, msisdn, sim_kind FROM projection.products WHERE status IN ('active', 'suspended')
    AND specification IN ('spec-mobile', 'spec-access', 'spec-add-on') ORDER BY product"""
PREPAYS, TO_MOBILES = 0.15, "+447700900123"
"""The share of numbers that have prepaid money, and a number in the zone of mobiles."""
BUYS, GIVES_UP, ASKS = 0.04, 0.06, 0.5
"""The shares of lines for which a pack is bought on a day, of those with prepaid money that are given up, and of customers who ask then for what is left."""
LEFT = """SELECT DISTINCT t.body ->> 'account' AS account FROM o2c.event t WHERE t.type = 'prepaid.topped-up' AND NOT EXISTS (
    SELECT FROM projection.products p WHERE p.account = t.body ->> 'account' AND p.msisdn IS NOT NULL AND p.status <> 'terminated') ORDER BY 1"""
LEAVES = "products: to another operator"
WISHES: tuple[tuple[float, str, Mapping[str, str]], ...] = (
    (0.010, "products: another plan", {}),
    (0.016, "products: another SIM", {"simSwap": "lost"}),
    (0.022, "products: another number", {"numberChange": "true"}),
    (0.036, "products: a rest", {"status": "suspended", "statusReason": "seasonal"}),
    (0.040, "products: a lost phone", {"status": "suspended", "statusReason": "lost-phone"}),
    (0.048, "products: an end", {}),
    (0.053, LEAVES, {}),
)
"""What is wished of a product on a day, up to which luck, and how an order says it."""
BACK = 0.3
"""The share of products that rest and are to serve again on a day."""


def with_products(year: Year, day: date) -> None:
    """Some customers order that something of what they have in service becomes otherwise; what cannot be done falls out as any order does."""
    for row in year.app.reads.rows(IN_SERVICE):
        if wish := _wished(year, row, day):
            kind, item = wish
            if kind == LEAVES:
                year.try_to(kind, _leaves, row["product"], day)
                continue
            paper = order(f"LIFE-{row['product']}-{day}", item, on=year.now, party=row["customer_id"])
            year.try_to(kind, capture, {**paper, "billingAccount": {"id": row["account"]}})


def _wished(year: Year, row: Mapping[str, Any], day: date) -> tuple[str, Document] | None:
    luck = year.chance(row["product"], day, "life")
    if row["status"] == "suspended":
        return ("products: serves again", _item(row, {"status": "active"})) if luck < BACK else None
    kind, values = next(((kind, values) for limit, kind, values in WISHES if luck < limit), ("", {}))
    if not kind and luck > 1 - GIVES_UP and row["msisdn"] and prepays(year, row["msisdn"]):
        kind = "products: an end"
    if kind.endswith(("plan", "SIM", "number", "phone", "operator")) and not (row["msisdn"] and row["offering"] in ANOTHER):
        return None
    if kind.endswith("plan"):
        return kind, {**_item(row, values), "productOffering": {"id": ANOTHER[row["offering"]]}}
    return (kind, _item(row, values, action="delete" if kind.endswith("end") else "modify")) if kind else None


def _leaves(app: Engine, by: Context, product: str, day: date) -> None:
    """A customer asks for his code, and another operator for the number with it."""
    told = products.porting_code(app, replace(by, command_id=derived_id("porting code", product, str(day))), product)
    if told.code:
        products.port_out(app, by, product, operator="RIVAL", reference=f"OUT-{product}-{day}", code=told.code)


def _item(row: Mapping[str, Any], values: Mapping[str, str], action: str = "modify") -> Document:
    product: Document = {"id": row["product"], "productCharacteristic": [{"name": name, "value": value} for name, value in values.items()]}
    if "simSwap" in values and row["sim_kind"] == "physical":
        product["place"] = [{"role": "address", "name": ADDRESS}]
    return {"id": "1", "action": action, "quantity": 1, "product": product}


def prepays(year: Year, number: str) -> bool:
    """Whether the line with a number has prepaid money."""
    return draw(year.seed, number, 1, "prepays") < PREPAYS


def with_packs(year: Year, day: date) -> None:
    """Some buy a pack of units for a line; who is served no more asks for what is left of prepaid money."""
    for row in year.app.reads.rows(IN_SERVICE):
        if row["msisdn"] and year.chance(row["product"], day, "pack") < BUYS:
            line = row["product"].replace(":", "/")
            year.try_to("packs bought", allowances.buy_pack, row["account"], offering=PACK["id"], line=line)
    for row in year.app.reads.rows(LEFT):
        if year.chance(row["account"], day, "asks back") < ASKS:
            year.try_to("prepaid money asked back", prepaid.refund_prepaid, row["account"])


def with_prepaid(year: Year, day: date) -> None:
    """Some top their balance up, for a time or for good, and call mobiles out of it, mostly less and now and then more than they were granted."""
    for row in year.app.reads.rows(IN_SERVICE):
        number, account = row["msisdn"], row["account"]
        if not number or not prepays(year, number):
            continue
        luck = year.chance(number, day, "prepaid")
        if luck < 0.3:
            more = {"amount": f"{5 + int(luck * 100)}.00", "reference": f"TOP-{number}-{day}", "valid_days": 60 if luck < 0.2 else 0}
            year.try_to("topped up", prepaid.top_up, account, **more)
        if luck > 0.2:
            _called(year, number, f"S-{number}-{day}", 60 * (1 + int(luck * 40)), luck)


def _called(year: Year, number: str, session: str, seconds: int, luck: float) -> None:
    """One session: what it used is a record of usage, as a switch's is."""
    try:
        granted = quota.reserve(year.app, year.by, number, session=session, kind="voice", quantity=seconds, destination=TO_MOBILES)
        used = seconds + 30 if luck > 0.95 else int(granted["granted"] * luck)
        told = quota.commit(year.app, year.by, granted["account"], session=session, used=used, request=1)
    except Refused:
        year.refused["calls of prepaid lines"] += 1
        return
    year.done["calls of prepaid lines"] += 1
    if used and told:
        year.used[quota.SOURCE, session] = {"key": session, "kind": "voice", "quantity": used}


def parts_of(minor: int, days: Iterator[date]) -> dict[str, str]:
    """A debt in parts by their days, the last with the pennies that are left."""
    on = [str(day) for day in days]
    each = minor // len(on)
    return {day: f"{(each if day != on[-1] else minor - each * (len(on) - 1)) / 100:.2f}" for day in on}
