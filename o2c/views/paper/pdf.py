"""A paper as a PDF of A4 pages."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

from o2c.kernel.lateness import LATE_PAYMENT
from o2c.kernel.periods import local_time
from o2c.views.paper.content import Paper, quantity_text

if TYPE_CHECKING:
    from fpdf import FPDF

    from o2c.invoicing.papers import TaxSum
    from o2c.kernel.balances import CreditPart

COLUMNS = (("Description", 74, "L"), ("Quantity", 22, "R"), ("Unit price", 36, "R"), ("VAT", 14, "R"), ("Net", 24, "R"))
"""Heading, width in millimetres and side of each column of the lines."""
FONT = "Open Sans"
MARGIN = 20
BOTTOM = 275
ROW = 6


def pdf_of(paper: Paper) -> bytes:
    """Give the paper as a PDF. The same paper is the same bytes, whenever it is made."""
    # Not before a paper is made: the library is as large as the rest of a start.
    from datetime import date

    from fpdf import FPDF
    from fpdf.enums import XPos, YPos
    from fpdf.fonts import TTFFont

    pdf = FPDF(format="A4")
    pdf.set_creation_date(local_time(date.fromisoformat(paper.issued_on), 0, 0, "UTC"))
    pdf.set_title(f"{paper.title} {paper.number}")
    pdf.set_author(paper.seller.name)
    pdf.set_margins(MARGIN, MARGIN, MARGIN)
    pdf.set_auto_page_break(auto=True, margin=MARGIN)
    pdf.add_font(FONT, "", font_file())
    # As add_font does it with the name of a file.
    bold = f"{FONT.lower()}B"
    pdf.fonts[bold] = TTFFont(pdf, cast("Path", BytesIO(bold_font())), bold, "B")
    pdf.add_page()
    _head(pdf, paper)
    _lines(pdf, paper)
    _sums(pdf, paper)
    for notice in (*paper.terms, *paper.notices):
        pdf.set_font(FONT, "B", 9)
        pdf.ln(4)
        pdf.multi_cell(0, 5, notice, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_font(FONT, "", 8)
    pdf.ln(8)
    pdf.multi_cell(0, 4, _foot(paper), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    return bytes(pdf.output())


def font_file() -> Path:
    """Give the file of the font, which has Latin with all its accents, Greek and Cyrillic: a name is set as its owner writes it."""
    from importlib.util import find_spec

    spec = find_spec("fontpkg_open_sans")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "files" / "OpenSans[wdth,wght].ttf"


@cache
def bold_font() -> bytes:
    """Give the font at its bold weight as a file of its own. To make it takes several times as long as all else on a paper, so a process
    does it once."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # ships no types
    from fontTools.varLib.instancer import instantiateVariableFont  # type: ignore[import-untyped]  # ships no types

    made = BytesIO()
    with TTFont(font_file(), recalcTimestamp=False, lazy=True) as font:
        instantiateVariableFont(font, {"wght": 700.0}, inplace=True, static=True).save(made)
    return made.getvalue()


def _head(pdf: FPDF, paper: Paper) -> None:
    seller = paper.seller
    pdf.set_font(FONT, "B", 12)
    pdf.cell(0, 6, seller.name, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(FONT, "", 9)
    for text in (*seller.address, f"{seller.city} {seller.postcode}".strip(), f"VAT {seller.tax_id}" if seller.tax_id else ""):
        if text:
            pdf.cell(0, 4.5, text, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(10)
    pdf.set_font(FONT, "B", 18)
    pdf.cell(0, 9, f"{paper.title} {paper.number}" + (" (void)" if paper.void else ""), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(3)
    top = pdf.get_y()
    pdf.set_font(FONT, "", 10)
    pdf.multi_cell(
        80, 5, "\n".join(filter(None, (paper.buyer_name, *_broken(paper.buyer_address)))) or paper.customer, new_x="LMARGIN", new_y="NEXT"
    )
    below = pdf.get_y()
    pdf.set_y(top)
    for name, value in facts(paper):
        pdf.set_x(118)
        pdf.set_font(FONT, "", 9)
        pdf.cell(28, 5, name)
        pdf.set_font(FONT, "B", 9)
        pdf.cell(0, 5, value, align="R", new_x="LMARGIN", new_y="NEXT")
    pdf.set_y(max(below, pdf.get_y()) + 8)


def facts(paper: Paper) -> tuple[tuple[str, str], ...]:
    """The dates and names of a paper, each with its heading."""
    told = (
        ("For invoice", paper.of_invoice),
        ("Date", paper.issued_on),
        ("Tax point", paper.tax_point),
        ("Due", paper.due_on),
        ("Payment", paper.method.replace("-", " ")),
        ("Customer", paper.customer),
        ("Account", paper.account),
        ("Your order", paper.purchase_order),
        ("Reason", paper.reason.replace("-", " ")),
    )
    return tuple((name, value) for name, value in told if value)


def _broken(address: str) -> list[str]:
    return [part.strip() for part in address.split(",")]


def _row(pdf: FPDF, cells: tuple[str, ...], *, bold: bool = False) -> None:
    pdf.set_font(FONT, "B" if bold else "", 9)
    for (_, width, side), text in zip(COLUMNS, cells, strict=True):
        pdf.cell(width, ROW, text, align=side)
    pdf.ln(ROW)


def _lines(pdf: FPDF, paper: Paper) -> None:
    heading = tuple(name for name, *_ in COLUMNS)
    _row(pdf, heading, bold=True)
    _rule(pdf)
    for line in paper.lines:
        text = cast("list[str]", pdf.multi_cell(COLUMNS[0][1], ROW, line.description, dry_run=True, output="LINES"))
        if pdf.get_y() + ROW * len(text) > BOTTOM:
            pdf.add_page()
            _row(pdf, heading, bold=True)
            _rule(pdf)
        first, *more = text
        _row(
            pdf,
            (first, quantity_text(line), paper.unit_price(line), line.rate, paper.money(line.net_minor)),
        )
        for rest in more:
            _row(pdf, (rest, "", "", "", ""))
    _rule(pdf)


def _rule(pdf: FPDF) -> None:
    y = pdf.get_y() + 0.5
    pdf.set_draw_color(150)
    pdf.line(MARGIN, y, 210 - MARGIN, y)
    pdf.ln(1.5)


def _rate(tax: TaxSum) -> str:
    return "Late payment, outside VAT," if tax.group == LATE_PAYMENT else f"VAT {tax.percent} %"


def sums(paper: Paper) -> tuple[tuple[str, str], ...]:
    """The sums of a paper, each with its heading: net, tax by rate and in all, total, and what was to be paid.

    The tax in all is a particular of its own: The Value Added Tax Regulations 1995, reg. 14(1)(l); Directive 2006/112/EC, art. 226(10); EN
    16931 BT-110.
    """
    rates = ((f"{_rate(tax)} on {paper.money(tax.net_minor)}", paper.money(tax.tax_minor)) for tax in paper.taxes)
    told = [("Net", paper.money(paper.net_minor)), *(rates if paper.taxes else [("VAT", paper.money(paper.tax_minor))])]
    if len(paper.taxes) > 1:
        told.append(("VAT in all", paper.money(paper.tax_minor)))
    told.append((f"Total {paper.currency}", paper.money(paper.total_minor)))
    told += ((_origin(part), paper.money(-part.amount_minor)) for part in paper.credits_used)
    if paper.settled_minor and not paper.credits_used:
        told.append(("Credit of the account", paper.money(-paper.settled_minor)))
    if not paper.of_invoice:
        if paper.spread:
            told.append(("To be paid in instalments", paper.money(-paper.spread_minor)))
        told.append(
            (
                f"To pay now {paper.currency}" if paper.spread else f"To pay {paper.currency}",
                paper.money(0 if paper.void else paper.payable_minor),
            )
        )
    return tuple(told)


_ORIGINS = {"deposit": "Deposit released", "goodwill": "Credit for your complaint"}


def _origin(part: CreditPart) -> str:
    """Where a credit came from, as a customer reads it; the id of an order or a complaint tells him nothing."""
    return _ORIGINS.get(part.origin) or f"Credit from {part.of}"


def _sums(pdf: FPDF, paper: Paper) -> None:
    told = sums(paper)
    if pdf.get_y() + ROW * (len(told) + 2) > BOTTOM:
        pdf.add_page()
    for place, (name, value) in enumerate(told):
        last = place == len(told) - 1
        pdf.set_x(100)
        pdf.set_font(FONT, "B" if last else "", 10 if last else 9)
        pdf.cell(66, ROW, name)
        pdf.cell(24, ROW, value, align="R", new_x="LMARGIN", new_y="NEXT")


def _foot(paper: Paper) -> str:
    of = f"This note corrects invoice {paper.of_invoice}, which stays as it was issued. " if paper.of_invoice else ""
    return f"{of}{paper.seller.name}, {', '.join(paper.seller.address)}, {paper.seller.city}. VAT number {paper.seller.tax_id}."
