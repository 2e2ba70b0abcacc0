"""What may be read over TM Forum's other interfaces: the catalogue, fallouts as tickets, parties and customers, what is in service,
accounts, bills.

Source: TM Forum TMF620 v4.1, TMF621 v4, TMF629 v4, TMF632 v4, TMF637 v4, TMF666 v4, TMF678 v4: the names of resources, attributes and
states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from o2c.entrypoints.http.tmf.product_orders import order_path
from o2c.entrypoints.http.tmf.resources import Resource, Thing
from o2c.entrypoints.http.tmf.values import stamp_ms
from o2c.views.products import STATUSES
from o2c.views.reading import amount_text

_TICKETS = {
    "open": "acknowledged", "assigned": "acknowledged", "inProgress": "inProgress", "awaitingInformation": "pending", "onHold": "held",
    "closed": "closed",
}  # fmt: skip
_SEVERITIES = {1: "Critical", 2: "Major", 3: "Minor", 4: "Minor"}


def _known(**attributes: Any) -> Thing:
    """A thing without what is not known of it; `_type` is its @type."""
    return {"@type" if name == "_type" else name: value for name, value in attributes.items() if value not in (None, "", [], {})}


def _money(amount_minor: int, currency: str) -> Thing:
    return {"unit": currency, "value": float(amount_text(amount_minor, currency).split()[0])}


def _customer(customer: str | None) -> list[Thing]:
    return [{"id": customer, "role": "customer", "@referredType": "Customer", "@type": "RelatedParty"}] if customer else []


def _valid_for(valid_from: str, valid_to: str) -> Thing:
    return _known(startDateTime=stamp_ms(valid_from), endDateTime=stamp_ms(valid_to))


def _price_id(offering: str, place: int) -> str:
    return f"{offering}:{place}"


def _offerings(row: Thing) -> Iterator[Thing]:
    prices = [
        {
            "id": _price_id(row["offering"], place),
            "href": PRICES.href(_price_id(row["offering"], place)),
            "@type": "ProductOfferingPriceRef",
        }
        for place, _ in enumerate(row["prices"], start=1)
    ]
    specification = row["specification"]
    yield _known(
        id=row["offering"],
        name=row["offering"],
        version=row["version"],
        lifecycleStatus=row["status"],
        isBundle=row["bundle"],
        isSellable=row["sellable"],
        validFor=_valid_for(row["valid_from"], row["valid_to"]),
        productSpecification={"id": specification, "@type": "ProductSpecificationRef"} if specification else None,
        productOfferingPrice=prices,
        prodSpecCharValueUse=[
            {"name": name, "minCardinality": 0 if name in row["optional"] else 1, "@type": "ProductSpecificationCharacteristicValueUse",
             "productSpecCharacteristicValue": [{"value": value, "isDefault": row["defaults"].get(name) == value} for value in values]}
            for name, values in row["characteristics"].items()
        ],
        _type="ProductOffering",
    )  # fmt: skip


def _prices(row: Thing) -> Iterator[Thing]:
    for place, price in enumerate(row["prices"], start=1):
        recurring = price["kind"] == "recurring"
        yield _known(
            id=_price_id(row["offering"], place),
            name=f"{row['offering']} {price['kind']}",
            priceType="oneTime" if price["kind"] == "one-time" else price["kind"],
            recurringChargePeriodType=price["period_unit"] if recurring else None,
            recurringChargePeriodLength=price["period_length"] if recurring else None,
            price=_money(price["amount_minor"], row["currency"]) if recurring or price["kind"] == "one-time" else None,
            pricingLogicAlgorithm=[terms] if (terms := (price["usage"] or {}).get("model") or price["allowance"]) else None,
            priceAlteration=[_alteration(each, price, row["currency"]) for each in price["discounts"]],
            validFor=_valid_for(price["valid_from"], price["valid_to"]),
            lifecycleStatus=row["status"],
            _type="ProductOfferingPrice",
        )


def _alteration(offered: Thing, price: Thing, currency: str) -> Thing:
    """A discount as it is read (`o2c.catalogue.alterations`)."""
    one = offered["discount"]
    start = {"charge": "withCharge", "bill": "nextBill", "day": one["from_day"]}[one["starts"]]
    recurring = one["of"] == "recurring"
    return _known(
        name=one["name"],
        priceType="oneTime" if price["kind"] == "one-time" else price["kind"],
        priority=one["priority"],
        price={"percentage": one["percent"]} if one["percent"] else {"dutyFreeAmount": _money(one["amount_minor"], currency)},
        applicationDuration={"amount": one["lasts_length"], "units": one["lasts_unit"]} if one["lasts_length"] else None,
        applicationStart=start if recurring else None,
        combination={"best-of": "bestOf"}.get(one["combines"], one["combines"]),
        validFor=_valid_for(offered["valid_from"], offered["valid_to"]),
        _type="POPAlteration",
    )


def _tickets(row: Thing) -> Iterator[Thing]:
    related = (
        [{"id": row["order"], "href": order_path(row["order"], 4), "@referredType": "ProductOrder", "@type": "RelatedEntity"}]
        if row["order"]
        else []
    )
    yield _known(
        id=row["fallout"],
        name=row["reason"],
        description=f"{row['step']}: {row['next']}",
        ticketType=row["class"],
        severity=_SEVERITIES.get(row["severity"], "Minor"),
        priority=str(row["rank"]) if row.get("rank") is not None else None,
        status=_TICKETS.get(row["state"], "acknowledged"),
        creationDate=stamp_ms(row["opened_at"]),
        expectedResolutionDate=stamp_ms(row["next_at"]),
        channel={"name": row["channel"], "@type": "ChannelRef"} if row["channel"] else None,
        relatedEntity=related,
        relatedParty=[
            *_customer(row["customer"]),
            *([{"id": row["owner"], "role": "owner", "@referredType": "Individual", "@type": "RelatedParty"}] if row["owner"] else []),
        ],
        externalIdentifier=[{"id": ticket["ticket"], "owner": ticket["system"]} for ticket in row["tickets"]],
        _type="TroubleTicket",
    )


def _products(row: Thing) -> Iterator[Thing]:
    line = row["item"].partition("#")[0]
    specification = row["specification"]
    yield _known(
        id=row["product"],
        name=row["offering"],
        status=row["status"],
        startDate=stamp_ms(row["in_service_since"]),
        terminationDate=stamp_ms(f"{row['ended_on']}T00:00:00Z") if row["ended_on"] else None,
        productOffering={"id": row["offering"], "href": OFFERINGS.href(row["offering"]), "@type": "ProductOfferingRef"},
        productSpecification={"id": specification, "@type": "ProductSpecificationRef"} if specification else None,
        productOrderItem=[
            {
                "productOrderId": row["order"],
                "productOrderHref": order_path(row["order"], 4),
                "orderItemId": line,
                "@type": "RelatedProductOrderItem",
            }
        ],
        productCharacteristic=[
            {"name": name, "valueType": "string", "value": row[key], "@type": "StringCharacteristic"}
            for name, key in (("MSISDN", "msisdn"), ("ICCID", "iccid"))
            if row[key]
        ],
        realizingResource=[
            {"id": row[key], "name": name, "@referredType": kind, "@type": "ResourceRef"}
            for name, key, kind in (
                ("MSISDN", "msisdn", "LogicalResource"),
                ("SIM", "iccid", "PhysicalResource" if row["sim_kind"] == "physical" else "LogicalResource"),
            )
            if row[key]
        ],
        relatedParty=_customer(row["customer"]),
        _type="Product",
    )


def _of_product(identity: str) -> Thing:
    order, _, item = identity.partition(":")
    return {"orders": (order,), "items_named": (item,), "statuses": STATUSES}


def _bills(row: Thing) -> Iterator[Thing]:
    left_minor = max(row["total_minor"] - row["credit_used_minor"] - row["lowered_minor"] - row["paid_minor"] + row["above_minor"], 0)
    state = "settled" if row["state"] == "paid" else "partiallyPaid" if row["paid_minor"] else "sent"
    yield _known(
        id=row["invoice"],
        billNo=row["invoice"],
        billDate=stamp_ms(row["issued_at"]),
        paymentDueDate=stamp_ms(f"{row['due_on']}T00:00:00Z"),
        state=state,
        category="normal",
        taxIncludedAmount=_money(row["total_minor"], row["currency"]),
        amountDue=_money(left_minor, row["currency"]),
        remainingAmount=_money(left_minor, row["currency"]),
        billingAccount={"id": row["account"], "href": ACCOUNTS.href(row["account"]), "@type": "BillingAccountRef"},
        relatedParty=_customer(row["customer"]),
        _type="CustomerBill",
    )


def _accounts(row: Thing) -> Iterator[Thing]:
    yield _known(
        id=row["account"],
        name=row["account"],
        accountType="billing",
        state="active" if row["charges"] else "inactive",
        relatedParty=_customer(row["customer"]),
        _type="BillingAccount",
    )


def _parties(kind: str) -> Any:
    def parties(row: Thing) -> Iterator[Thing]:
        if (row["kind"] == "individual") == (kind == "Individual"):
            mail = (
                [{"mediumType": "email", "characteristic": {"emailAddress": row["email"]}, "@type": "ContactMedium"}]
                if row.get("email")
                else []
            )
            post = (
                [{"mediumType": "postal", "characteristic": {"street1": row["address"]}, "@type": "ContactMedium"}]
                if row.get("address")
                else []
            )
            named = {"fullName": row.get("name")} if kind == "Individual" else {"tradingName": row.get("name")}
            born = stamp_ms(f"{row['birth_date']}T00:00:00Z") if kind == "Individual" and row.get("birth_date") else None
            yield _known(id=row["customer"], **named, birthDate=born, contactMedium=[*mail, *post], _type=kind)

    return parties


def _customers(row: Thing) -> Iterator[Thing]:
    kind = "Individual" if row["kind"] == "individual" else "Organization"
    party = INDIVIDUALS if kind == "Individual" else ORGANIZATIONS
    yield _known(
        id=row["customer"],
        name=row.get("name"),
        status="active",
        engagedParty={"id": row["customer"], "href": party.href(row["customer"]), "@referredType": kind, "@type": "RelatedParty"},
        characteristic=[
            {"name": name, "value": row[key], "@type": "Characteristic"}
            for name, key in (("tier", "tier"), ("paymentMethod", "payment_method"))
            if row[key]
        ],
        _type="Customer",
    )


_ALL = frozenset({"id", "href", "name", "@type"})
_OF_PARTY = frozenset({"contactMedium", "name", "fullName", "tradingName", "birthDate"})
OFFERINGS = Resource(
    api="TMF620", base="/tmf-api/productCatalogManagement/v4", name="productOffering", view="catalogue.offerings", spread=_offerings, paged=False,
    attributes=_ALL | {"version", "lifecycleStatus", "isBundle", "isSellable", "validFor", "productSpecification", "productOfferingPrice", "prodSpecCharValueUse"},
)  # fmt: skip
PRICES = Resource(
    api="TMF620", base=OFFERINGS.base, name="productOfferingPrice", view="catalogue.offerings", spread=_prices, paged=False,
    attributes=_ALL | {"priceType", "recurringChargePeriodType", "recurringChargePeriodLength", "price", "validFor", "lifecycleStatus", "pricingLogicAlgorithm"},
)  # fmt: skip
TICKETS = Resource(
    api="TMF621", base="/tmf-api/troubleTicket/v4", name="troubleTicket", view="fallout.list", spread=_tickets, options={"everything": True}, found_by={"id": "fallouts"},
    attributes=_ALL | {"description", "ticketType", "severity", "priority", "status", "creationDate", "expectedResolutionDate", "channel", "relatedEntity",
                       "relatedParty", "externalIdentifier"},
)  # fmt: skip
CUSTOMERS = Resource(
    api="TMF629", base="/tmf-api/customerManagement/v4", name="customer", view="customers.list", spread=_customers, found_by={"id": "customers"},
    attributes=_ALL | {"status", "engagedParty", "characteristic"}, personal=frozenset({"name"}),
)  # fmt: skip
INDIVIDUALS, ORGANIZATIONS = (
    Resource(
        api="TMF632", base="/tmf-api/partyManagement/v4", name=kind.lower(), view="customers.list", spread=_parties(kind), options={"kind": ours}, found_by={"id": "customers"},
        attributes=_ALL | _OF_PARTY, personal=_OF_PARTY,
    )
    for kind, ours in (("Individual", "individual"), ("Organization", "organisation"))
)  # fmt: skip
PRODUCTS = Resource(
    api="TMF637", base="/tmf-api/productInventory/v4", name="product", view="products.list", spread=_products, by_id=_of_product,
    found_by={"relatedParty.id": "customers", "productOffering.id": "offerings", "name": "offerings", "productOrderItem.productOrderId": "orders",
              "status": "statuses"},
    attributes=_ALL | {"status", "startDate", "terminationDate", "productOffering", "productSpecification", "productOrderItem", "relatedParty",
                       "productCharacteristic", "realizingResource"},
)  # fmt: skip
ACCOUNTS = Resource(
    api="TMF666", base="/tmf-api/accountManagement/v4", name="billingAccount", view="accounts.list", spread=_accounts, found_by={"id": "accounts"},
    attributes=_ALL | {"accountType", "state", "relatedParty"},
)  # fmt: skip
BILLS = Resource(
    api="TMF678", base="/tmf-api/customerBillManagement/v4", name="customerBill", view="payments.invoices", spread=_bills,
    found_by={"id": "invoices", "billNo": "invoices", "billingAccount.id": "accounts", "relatedParty.id": "customers"},
    attributes=_ALL | {"billNo", "billDate", "paymentDueDate", "state", "category", "taxIncludedAmount", "amountDue", "remainingAmount", "billingAccount",
                       "relatedParty"},
)  # fmt: skip
READABLE = (OFFERINGS, PRICES, TICKETS, CUSTOMERS, INDIVIDUALS, ORGANIZATIONS, PRODUCTS, ACCOUNTS, BILLS)
"""All of them."""
