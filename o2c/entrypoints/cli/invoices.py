"""Invoices on the command line: all that one says, as a PDF, a page and UBL, its void, and credit notes."""

from __future__ import annotations

import sys
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Literal

import typer

from o2c.desk.act import Context, Refused
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.invoice_papers import invoice_html, invoice_name, invoice_pdf, invoice_ubl, show_paper
from o2c.views.reading import amount_text
from o2c.views.shown import RenderedShown

invoices = typer.Typer(no_args_is_help=True, help="Invoices: all that one says, as a PDF, a page or UBL, and its void.")
credit_notes = typer.Typer(
    no_args_is_help=True, help="Credit notes: look what one would come to, issue it, and approve one that somebody else asked for."
)
Invoice = Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice: its number, or its name (account and day).")]
Note = Annotated[str, typer.Option(metavar="NOTE", help="One of its credit notes instead: its number or its name.")]
File = Annotated[str, typer.Option("-f", "--file", metavar="FILE", help="Where to write it; stdout when left out.")]
Reason = Annotated[
    Literal["billed-in-error", "goodwill", "not-served", "price", "withdrawn"],
    typer.Option(help="Why: billed by mistake, a courtesy, not served, a wrong price, goods that came back."),
]
Lines = Annotated[
    list[str] | None,
    typer.Option("--line", metavar="PLACE=AMOUNT", help="So much of a line, without tax: 1=5.00. Left out: all that is left."),
]
LINE_COLUMNS = ("line", "item", "description", "quantity", "unit", "unit_price_minor", "price_per", "tax_percent", "net_minor")
"""What a person reads of a line; its place is what `--line` of a credit note names."""
Comment = Annotated[str, typer.Option(metavar="TEXT", help="More about it; kept as a personal note.")]


@invoices.command("show")
def invoices_show(
    invoice: Invoice,
    personal: Annotated[bool, typer.Option("--personal", help="The customer's name and address, and comments on notes too.")] = False,
    output: Output = Format.table,
) -> None:
    """Show all that an invoice says: supplier, lines, the sums of each rate, and what credit notes took off it.

    Example: o2c invoices show BA-1001-20260108
    """
    with looking() as session:
        paper = show_paper(session.app, invoice, personal=personal)
    lines = [{"line": place, **line} for place, line in enumerate(paper["lines"], 1)]
    show_one({**paper, "lines": lines} if output is Format.table else paper, output, columns={"lines": LINE_COLUMNS})


@invoices.command("pdf")
def invoices_pdf(invoice: Invoice, note: Note = "", file: File = "") -> None:
    """Write an invoice, or a credit note, as a PDF, with the customer's name and address.

    Example: o2c invoices pdf BA-1001-20260108 --file invoice.pdf
    """
    with looking() as session:
        _write(invoice_pdf(session.app, invoice, note=note, personal=True), file)


@invoices.command("html")
def invoices_html(invoice: Invoice, note: Note = "", file: File = "") -> None:
    """Write an invoice, or a credit note, as a page for a browser and for print, with the customer's name and address.

    Example: o2c invoices html BA-1001-20260108 --file invoice.html
    """
    with looking() as session:
        _write(invoice_html(session.app, invoice, note=note, personal=True), file)


@invoices.command("ubl")
def invoices_ubl(invoice: Invoice, note: Note = "", file: File = "") -> None:
    """Write an invoice, or a credit note, as UBL 2.1 by EN 16931, with the customer's name and address.

    Example: o2c invoices ubl BA-1001-20260108
    """
    with looking() as session:
        _write(invoice_ubl(session.app, invoice, note=note, personal=True), file)


def _write(paper: RenderedShown, file: str) -> None:
    content = b64decode(paper["content"]) if paper["media_type"] == "application/pdf" else paper["content"].encode()
    if file:
        Path(file).write_bytes(content)
        err.print(f"{paper['name']} written to {file}")
    else:
        sys.stdout.buffer.write(content)


@invoices.command("void")
def invoices_void(invoice: Invoice, reason: Reason, actor: Actor, comment: Comment = "", command_id: CommandId = "") -> None:
    """Declare an invoice void of which nothing was paid: it keeps its number, and nothing of it is to be paid.

    No other bill has the days that it billed: of one that is wrong in part, credit that part instead. Once money came, a credit note is
    the way; money that still comes is a credit of the account.

    Example: o2c invoices void BA-1001-20260108 --reason billed-in-error --actor ann
    """
    from o2c.desk.invoices import void_invoice  # needs the rules; what only shows does not

    with opened() as session:
        name = invoice_name(session.app, invoice)
        void_invoice(session.app, Context(actor, command_id=command_id), name, reason=reason, comment=comment)
        err.print(f"invoice {name} is void")


@credit_notes.command("issue")
def credit_notes_issue(
    invoice: Invoice,
    reason: Reason,
    actor: Actor,
    line: Lines = None,
    comment: Comment = "",
    command_id: CommandId = "",
) -> None:
    """Issue a credit note for an invoice, of amounts of its lines or of all that is left.

    What was paid already becomes a credit of the account, the rest lowers what is open. Over more than the market's limit the note waits
    until somebody else approves it.

    Example: o2c credit-notes issue BA-1001-20260108 --line 1=0.50 --reason goodwill --actor ann
    """
    from o2c.desk.invoices import issue_credit_note

    with opened() as session:
        name = invoice_name(session.app, invoice)
        context = Context(actor, command_id=command_id)
        issue_credit_note(session.app, context, name, reason=reason, comment=comment, lines=_lines(line))
        stands = show_paper(session.app, name)
        open_ = amount_text(stands["open_minor"], stands["currency"])
        for waiting in stands["waiting_notes"]:
            told = (
                "for a number (BIL-SERIES)"
                if waiting["awaits_number"]
                else f"for somebody else: `o2c credit-notes approve {name} {waiting['note']}`"
            )
            err.print(f"credit note {waiting['note']} waits {told}")
        err.print(f"invoice {name} is {stands['state']}, open {open_}, {len(stands['notes'])} credit notes")


@credit_notes.command("preview")
def credit_notes_preview(
    invoice: Invoice,
    line: Lines = None,
    output: Output = Format.table,
) -> None:
    """Show what a credit note would come to, and whether somebody else would have to approve it. Nothing is written.

    Example: o2c credit-notes preview BA-1001-20260108 --line 1=0.50
    """
    from o2c.views.credit_notes import preview_credit_note

    with looking() as session:
        show_one(preview_credit_note(session.app, invoice, lines=_lines(line)), output)


def _lines(texts: list[str] | None) -> dict[str, str] | None:
    """What is credited by the place of its line; None for all that is left. Raises Refused for a line that is named twice, or without an
    amount."""
    found: dict[str, str] = {}
    for place, named, amount in (text.partition("=") for text in texts or ()):
        if not named or place in found:
            why = "is named twice" if named else "has no amount"
            raise Refused(f"line {place[:20]} {why}; write each once, with its amount: --line 1=5.00")
        found[place] = amount
    return found or None


@credit_notes.command("approve")
def credit_notes_approve(
    invoice: Invoice,
    note: Annotated[str, typer.Argument(metavar="NOTE", help="The name of the note, as `o2c invoices show` has it.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Approve a credit note that somebody else asked for; it is issued.

    Example: o2c credit-notes approve BA-1001-20260108 BA-1001-20260108-C1 --actor bob
    """
    from o2c.desk.invoices import approve_credit_note

    with opened() as session:
        name = invoice_name(session.app, invoice)
        approve_credit_note(session.app, Context(actor, command_id=command_id), name, note)
        err.print(f"credit note {note} is issued")
