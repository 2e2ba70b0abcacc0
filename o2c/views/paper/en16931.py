"""The business rules of EN 16931-1 that apply to our papers, read from the UBL itself and from nothing else.

Not every rule of the norm: those on what our papers never have (allowances on the document, payees, categories other than S, Z, E and O)
are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from xml.etree import ElementTree as ET

from o2c.views.paper.ubl import CAC, CBC, OUTSIDE

Rate = tuple[str, Decimal]
"""A category of tax, and its rate in percent."""
SPACES = {"cbc": CBC, "cac": CAC}
_TOTALS, _SELLER, _BUYER = "cac:LegalMonetaryTotal", "cac:AccountingSupplierParty/cac:Party", "cac:AccountingCustomerParty/cac:Party"
_LINES = ("cac:InvoiceLine", "cac:CreditNoteLine")
_ONCE = {
    "BR-1": "cbc:CustomizationID",
    "BR-2": "cbc:ID",
    "BR-3": "cbc:IssueDate",
    "BR-5": "cbc:DocumentCurrencyCode",
    "BR-6": f"{_SELLER}/cac:PartyLegalEntity/cbc:RegistrationName",
    "BR-7": f"{_BUYER}/cac:PartyLegalEntity/cbc:RegistrationName",
    "BR-8": f"{_SELLER}/cac:PostalAddress",
    "BR-9": f"{_SELLER}/cac:PostalAddress/cac:Country/cbc:IdentificationCode",
    "BR-10": f"{_BUYER}/cac:PostalAddress",
    "BR-11": f"{_BUYER}/cac:PostalAddress/cac:Country/cbc:IdentificationCode",
    "BR-12": f"{_TOTALS}/cbc:LineExtensionAmount",
    "BR-13": f"{_TOTALS}/cbc:TaxExclusiveAmount",
    "BR-14": f"{_TOTALS}/cbc:TaxInclusiveAmount",
    "BR-15": f"{_TOTALS}/cbc:PayableAmount",
}
"""What a document must say, by the rule that wants it."""
_OF_LINE = {
    "BR-21": "cbc:ID",
    "BR-24": "cbc:LineExtensionAmount",
    "BR-25": "cac:Item/cbc:Name",
    "BR-26": "cac:Price/cbc:PriceAmount",
    "BR-CO-4": "cac:Item/cac:ClassifiedTaxCategory/cbc:ID",
}
_OF_SUM = {
    "BR-45": "cbc:TaxableAmount",
    "BR-46": "cbc:TaxAmount",
    "BR-47": "cac:TaxCategory/cbc:ID",
}


def broken(document: str) -> list[str]:
    """Name the rules of EN 16931 that a UBL document of ours breaks, in the order of their kinds; none for a valid one. ValueError for no
    XML."""
    try:
        root = ET.fromstring(document)
    except ET.ParseError as error:
        raise ValueError(f"this is no XML: {error}") from None
    return [*dict.fromkeys([*_missing(root), *_sums(root), *_rates(root), *_decimals(root)])]


def _text(element: ET.Element, path: str) -> str:
    return (element.findtext(path, "", SPACES) or "").strip()


def _number(element: ET.Element, path: str) -> Decimal:
    return Decimal(_text(element, path) or "0")


def _lines(root: ET.Element) -> list[ET.Element]:
    return [line for name in _LINES for line in root.findall(name, SPACES)]


def _subtotals(root: ET.Element) -> list[ET.Element]:
    return root.findall("cac:TaxTotal/cac:TaxSubtotal", SPACES)


def _missing(root: ET.Element) -> Iterator[str]:
    yield from (rule for rule, path in _ONCE.items() if root.find(path, SPACES) is None)
    if not any(_text(root, f"{_SELLER}/{name}/cbc:CompanyID") for name in ("cac:PartyTaxScheme", "cac:PartyLegalEntity")):
        yield "BR-CO-26"
    if not any(_text(root, name) for name in ("cbc:InvoiceTypeCode", "cbc:CreditNoteTypeCode")):
        yield "BR-4"
    if not _lines(root):
        yield "BR-16"
    for line in _lines(root):
        yield from (rule for rule, path in _OF_LINE.items() if line.find(path, SPACES) is None)
        quantity = next(
            (found for name in ("InvoicedQuantity", "CreditedQuantity") if (found := line.find(f"cbc:{name}", SPACES)) is not None), None
        )
        if quantity is None:
            yield "BR-22"
        elif not quantity.get("unitCode"):
            yield "BR-23"
        if _number(line, "cac:Price/cbc:PriceAmount") < 0:
            yield "BR-27"
        if (start := _text(line, "cac:InvoicePeriod/cbc:StartDate")) and start > _text(line, "cac:InvoicePeriod/cbc:EndDate"):
            yield "BR-30"
    for part in _subtotals(root):
        yield from (rule for rule, path in _OF_SUM.items() if part.find(path, SPACES) is None)
        if part.find("cac:TaxCategory/cbc:Percent", SPACES) is None and _text(part, "cac:TaxCategory/cbc:ID") != OUTSIDE:
            yield "BR-48"
    for reference in root.findall("cac:BillingReference", SPACES):
        if not _text(reference, "cac:InvoiceDocumentReference/cbc:ID"):
            yield "BR-55"


def _sums(root: ET.Element) -> Iterator[str]:
    net, tax = _number(root, f"{_TOTALS}/cbc:TaxExclusiveAmount"), _number(root, "cac:TaxTotal/cbc:TaxAmount")
    total, payable = _number(root, f"{_TOTALS}/cbc:TaxInclusiveAmount"), _number(root, f"{_TOTALS}/cbc:PayableAmount")
    lines = sum((_number(line, "cbc:LineExtensionAmount") for line in _lines(root)), Decimal())
    if lines != _number(root, f"{_TOTALS}/cbc:LineExtensionAmount"):
        yield "BR-CO-10"
    if net != _number(root, f"{_TOTALS}/cbc:LineExtensionAmount"):
        yield "BR-CO-13"
    if tax != sum((_number(part, "cbc:TaxAmount") for part in _subtotals(root)), Decimal()):
        yield "BR-CO-14"
    if total != net + tax:
        yield "BR-CO-15"
    if payable != total - _number(root, f"{_TOTALS}/cbc:PrepaidAmount"):
        yield "BR-CO-16"
    if not _subtotals(root):
        yield "BR-CO-18"
    is_invoice = root.find("cbc:InvoiceTypeCode", SPACES) is not None
    if is_invoice and payable > 0 and not (_text(root, "cbc:DueDate") or _text(root, "cac:PaymentTerms/cbc:Note")):
        yield "BR-CO-25"


def _rates(root: ET.Element) -> Iterator[str]:
    """Of each category and rate: one sum, of the lines at that rate, and the tax on it. A sum of several groups of tax may be off by a half
    each."""
    nets, told = _nets(root), dict[Rate, tuple[Decimal, Decimal]]()
    for part in _subtotals(root):
        rate = _rate(part, "cac:TaxCategory")
        if rate in told:
            yield f"BR-{rate[0]}-8"
        if rate[0] == "E" and not _text(part, "cac:TaxCategory/cbc:TaxExemptionReason"):
            yield "BR-E-10"
        told[rate] = (_number(part, "cbc:TaxableAmount"), _number(part, "cbc:TaxAmount"))
    yield from (f"BR-{category}-1" for category, _ in nets.keys() - told.keys())
    for rate, (net, tax) in told.items():
        yield from _of_rate(root, rate, net, tax, of_lines=nets.get(rate))
    if any(category == OUTSIDE for category, _ in {*told, *nets}):
        yield from _outside(root, {category for category, _ in told}, {category for category, _ in nets})


def _rate(element: ET.Element, path: str) -> Rate:
    return _text(element, f"{path}/cbc:ID"), _number(element, f"{path}/cbc:Percent")


def _nets(root: ET.Element) -> dict[Rate, Decimal]:
    """What the lines come to, net, by rate."""
    nets: dict[Rate, Decimal] = {}
    for line in _lines(root):
        rate = _rate(line, "cac:Item/cac:ClassifiedTaxCategory")
        nets[rate] = nets.get(rate, Decimal()) + _number(line, "cbc:LineExtensionAmount")
    return nets


def _of_rate(root: ET.Element, rate: Rate, net: Decimal, tax: Decimal, *, of_lines: Decimal | None) -> Iterator[str]:
    category, percent = rate
    if net != of_lines:
        yield f"BR-{category}-8"
    if (category == "S" and percent <= 0) or (category == "Z" and percent != 0):
        yield f"BR-{category}-5"
    if category == "E" and percent != 0:
        yield "BR-E-5"
    unit = Decimal((0, (1,), int(tax.copy_abs().as_tuple().exponent)))
    if abs(tax - (net * percent / 100).quantize(unit, ROUND_HALF_UP)) > unit:
        yield f"BR-{category}-9"
    if category != OUTSIDE and not _text(root, f"{_SELLER}/cac:PartyTaxScheme/cbc:CompanyID"):
        yield f"BR-{category}-2"


def _outside(root: ET.Element, summed: set[str], of_lines: set[str]) -> Iterator[str]:
    """Of what is outside the scope of VAT: nothing else is on the document, no rate and no VAT number is told, and there is a reason."""
    if any(party.find("cac:PartyTaxScheme/cbc:CompanyID", SPACES) is not None for party in root.findall("*/cac:Party", SPACES)):
        yield "BR-O-2"
    if any(
        _text(category, "cbc:ID") == OUTSIDE and category.find("cbc:Percent", SPACES) is not None
        for category in root.iter(f"{{{CAC}}}ClassifiedTaxCategory")
    ):
        yield "BR-O-5"
    for part in _subtotals(root):
        if _text(part, "cac:TaxCategory/cbc:ID") == OUTSIDE and not _text(part, "cac:TaxCategory/cbc:TaxExemptionReason"):
            yield "BR-O-10"
    yield from ["BR-O-11"] * (summed != {OUTSIDE})
    yield from ["BR-O-12"] * (of_lines != {OUTSIDE})


def _decimals(root: ET.Element) -> Iterator[str]:
    """Amounts have two decimals at most (BR-DEC), a price as many as it needs."""
    for element in root.iter():
        is_amount = element.tag.startswith(f"{{{CBC}}}") and element.tag.endswith("Amount") and not element.tag.endswith("PriceAmount")
        if is_amount and len((element.text or "").partition(".")[2]) > 2:
            yield "BR-DEC"
