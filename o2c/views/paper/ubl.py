"""A paper as UBL 2.1 by EN 16931: the elements in the order of the schema, each with the business term (BT) that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

from o2c.invoicing.papers import INSTALMENT
from o2c.kernel.lateness import LATE_PAYMENT
from o2c.views.paper.content import Paper, PaperLine

CUSTOMIZATION = "urn:cen.eu:en16931:2017"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
ROOTS = {kind: f"urn:oasis:names:specification:ubl:schema:xsd:{kind}-2" for kind in ("Invoice", "CreditNote")}
OUTSIDE = "O"
"""Not subject to VAT, in UNCL 5305."""
MEANS = {"card": "48", "direct-debit": "49", "pay-by-link": "68"}
"""UNCL 4461 for our methods; 1 (not defined) for any other: a transfer (30) would have to name our account (BR-61)."""

for prefix, space in (("cbc", CBC), ("cac", CAC), ("inv", ROOTS["Invoice"]), ("crn", ROOTS["CreditNote"])):
    ET.register_namespace(prefix, space)


EXEMPT_BECAUSE = {
    INSTALMENT: "Payment of an instalment: all tax was charged on the invoice of the goods",
    LATE_PAYMENT: "Interest and compensation for late payment: damages, which are outside the scope of VAT",
}
"""Why a sum has no tax (BT-120, which BR-E-10 and BR-O-10 want), by the tax group: these have none."""


def ubl_of(paper: Paper) -> str:
    """Give the paper as a UBL 2.1 Invoice or CreditNote. Source: EN 16931-1, and its syntax binding CEN/TS 16931-3-2."""
    kind = "CreditNote" if paper.of_invoice else "Invoice"
    root = ET.Element(f"{{{ROOTS[kind]}}}{kind}")
    _basic(root, "CustomizationID", CUSTOMIZATION)  # BT-24
    _basic(root, "ID", paper.number)  # BT-1
    _basic(root, "IssueDate", paper.issued_on)  # BT-2
    if kind == "Invoice":
        _basic(root, "DueDate", paper.due_on)  # BT-9
        _basic(root, "InvoiceTypeCode", "380")  # BT-3, UNCL 1001
        for notice in paper.notices:
            _basic(root, "Note", notice)  # BT-22
        _basic(root, "TaxPointDate", paper.tax_point)  # BT-7
    else:
        _basic(root, "TaxPointDate", paper.tax_point)
        _basic(root, "CreditNoteTypeCode", "381")
        _basic(root, "Note", paper.reason)  # BT-22
    _basic(root, "DocumentCurrencyCode", paper.currency)  # BT-5
    _basic(root, "BuyerReference", paper.account)  # BT-10
    if paper.purchase_order:
        _basic(_part(root, "OrderReference"), "ID", paper.purchase_order)  # BT-13
    if paper.of_invoice:
        of = _part(_part(root, "BillingReference"), "InvoiceDocumentReference")
        _basic(of, "ID", paper.of_invoice)  # BT-25
    _seller(root, paper)
    _buyer(root, paper)
    if kind == "Invoice":
        _basic(_part(root, "PaymentMeans"), "PaymentMeansCode", MEANS.get(paper.method, "1"))  # BT-81
    if paper.terms:
        _basic(_part(root, "PaymentTerms"), "Note", " ".join(paper.terms))  # BT-20
    _taxes(root, paper)
    _totals(root, paper)
    for place, line in enumerate(paper.lines, 1):
        _line(root, paper, kind, place, line)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _part(parent: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{CAC}}}{name}")


def _basic(parent: ET.Element, name: str, text: str, attributes: Mapping[str, str] | None = None) -> None:
    if text:
        ET.SubElement(parent, f"{{{CBC}}}{name}", dict(attributes or {})).text = text


def _money(parent: ET.Element, name: str, paper: Paper, amount_minor: int) -> None:
    _basic(parent, name, paper.money(amount_minor), {"currencyID": paper.currency})


def _scheme(parent: ET.Element) -> None:
    _basic(_part(parent, "TaxScheme"), "ID", "VAT")


def _seller(root: ET.Element, paper: Paper) -> None:
    """Who supplies. Whoever says that all of a paper is outside the scope of VAT tells no VAT number (BR-O-2), and is known by the one of
    its own (BR-CO-26)."""
    seller = paper.seller
    party = _part(_part(root, "AccountingSupplierParty"), "Party")
    address = _part(party, "PostalAddress")
    for name, text in zip(("StreetName", "AdditionalStreetName"), seller.address, strict=False):  # BT-35, BT-36
        _basic(address, name, text)
    _basic(address, "CityName", seller.city)  # BT-37
    _basic(address, "PostalZone", seller.postcode)  # BT-38
    _basic(_part(address, "Country"), "IdentificationCode", seller.country)  # BT-40
    outside = any(line.category == OUTSIDE for line in paper.lines)
    if not outside:
        registered = _part(party, "PartyTaxScheme")
        _basic(registered, "CompanyID", seller.tax_id)  # BT-31
        _scheme(registered)
    legal = _part(party, "PartyLegalEntity")
    _basic(legal, "RegistrationName", seller.name)  # BT-27
    if outside:
        _basic(legal, "CompanyID", seller.entity)  # BT-30


def _buyer(root: ET.Element, paper: Paper) -> None:
    """The customer, in the country of the market that bills it: the papers of customers name none."""
    party = _part(_part(root, "AccountingCustomerParty"), "Party")
    _basic(_part(party, "PartyIdentification"), "ID", paper.customer)  # BT-46
    address = _part(party, "PostalAddress")
    _basic(address, "StreetName", paper.buyer_address)  # BT-50
    _basic(_part(address, "Country"), "IdentificationCode", paper.seller.country)  # BT-55
    _basic(_part(party, "PartyLegalEntity"), "RegistrationName", paper.buyer_name or paper.customer)  # BT-44


def _taxes(root: ET.Element, paper: Paper) -> None:
    """The sums by category and rate: two of our groups at one rate are one here (BR-S-8)."""
    total = _part(root, "TaxTotal")
    _money(total, "TaxAmount", paper, paper.tax_minor)  # BT-110
    sums: dict[tuple[str, str], tuple[int, int, dict[str, None]]] = {}
    for tax in paper.taxes:
        net_minor, tax_minor, reasons = sums.get((tax.category, tax.percent), (0, 0, {}))
        told = reasons | dict.fromkeys([EXEMPT_BECAUSE[tax.group]] if tax.group in EXEMPT_BECAUSE else [])
        sums[tax.category, tax.percent] = (net_minor + tax.net_minor, tax_minor + tax.tax_minor, told)
    for (category, percent), (net_minor, tax_minor, reasons) in sorted(sums.items(), key=lambda each: each[0]):
        part = _part(total, "TaxSubtotal")
        _money(part, "TaxableAmount", paper, net_minor)  # BT-116
        _money(part, "TaxAmount", paper, tax_minor)  # BT-117
        _category(_part(part, "TaxCategory"), category, percent, "; ".join(reasons))  # BT-118 to BT-120


def _category(parent: ET.Element, category: str, percent: str, reason: str = "") -> None:
    _basic(parent, "ID", category)
    if category != OUTSIDE:  # BR-O-5
        _basic(parent, "Percent", percent)
    if reason:
        _basic(parent, "TaxExemptionReason", reason)
    _scheme(parent)


def _totals(root: ET.Element, paper: Paper) -> None:
    """The totals. What is paid in instalments is not asked for by this paper: each later bill asks for a part, and who books them all must
    not owe it twice. So it stands with what is settled, and the terms of payment (BT-20) say how it is paid.
    """
    settled_minor = paper.settled_minor + paper.spread_minor
    totals = _part(root, "LegalMonetaryTotal")
    _money(totals, "LineExtensionAmount", paper, paper.net_minor)  # BT-106
    _money(totals, "TaxExclusiveAmount", paper, paper.net_minor)  # BT-109
    _money(totals, "TaxInclusiveAmount", paper, paper.total_minor)  # BT-112
    if settled_minor:
        _money(totals, "PrepaidAmount", paper, settled_minor)  # BT-113
    _money(totals, "PayableAmount", paper, paper.payable_minor)  # BT-115


def _line(root: ET.Element, paper: Paper, kind: str, place: int, line: PaperLine) -> None:
    """A line. A price is never below nothing (BR-27): what lowers the sum has a quantity below nothing instead."""
    below = line.unit_price_minor < 0
    part = _part(root, f"{kind}Line")
    _basic(part, "ID", str(place))  # BT-126
    if line.purchase_order:
        _basic(
            part, "Note", f"Purchase order {line.purchase_order}"
        )  # BT-127: a paper names one order (BT-13), a line its place in that alone
    quantity = "InvoicedQuantity" if kind == "Invoice" else "CreditedQuantity"
    _basic(part, quantity, str(-line.quantity if below else line.quantity), {"unitCode": line.unit})  # BT-129, BT-130
    _money(part, "LineExtensionAmount", paper, line.net_minor)  # BT-131
    _basic(part, "AccountingCost", line.cost_centre)  # BT-133
    if line.from_day < line.to_day:
        period = _part(part, "InvoicePeriod")
        _basic(period, "StartDate", line.from_day)  # BT-134
        _basic(period, "EndDate", (date.fromisoformat(line.to_day) - timedelta(days=1)).isoformat())  # BT-135, inclusive
    item = _part(part, "Item")
    _basic(item, "Name", line.description)  # BT-153
    _category(_part(item, "ClassifiedTaxCategory"), line.category, line.percent)  # BT-151, BT-152
    price = _part(part, "Price")
    amount: Decimal = abs(paper.exact_price(line))
    _basic(price, "PriceAmount", format(amount, "f"), {"currencyID": paper.currency})  # BT-146
    if line.price_per != 1:
        _basic(price, "BaseQuantity", str(line.price_per), {"unitCode": line.unit})  # BT-149
