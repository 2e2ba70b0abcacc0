"""Invoices in Python: all that one says and its papers, its void, credit notes, and the money that accounts hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from o2c.desk import invoices, number_ranges
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.credit_notes import preview_credit_note
from o2c.views.invoice_papers import invoice_html, invoice_pdf, invoice_ubl, show_paper
from o2c.views.invoices import money_owed
from o2c.views.number_ranges import list_ranges
from o2c.views.reading import all_seen

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Invoices:
    """The part of `OrderToCash` that is about invoices and credit notes."""

    _session: Session

    @answered
    def invoice(self, invoice: str, *, personal: bool = False) -> shown.InvoicePaperShown:
        """All that an invoice says, and what was taken off it. See `views.invoice_papers.show_paper`."""
        return show_paper(self._session.app, invoice, personal=personal)

    @answered
    def invoice_pdf(self, invoice: str, *, note: str = "", personal: bool = False) -> shown.RenderedShown:
        """An invoice, or a credit note of it, as a PDF in base64. See `views.invoice_papers.invoice_pdf`."""
        return invoice_pdf(self._session.app, invoice, note=note, personal=personal)

    @answered
    def invoice_html(self, invoice: str, *, note: str = "", personal: bool = False) -> shown.RenderedShown:
        """An invoice, or a credit note of it, as a page. See `views.invoice_papers.invoice_html`."""
        return invoice_html(self._session.app, invoice, note=note, personal=personal)

    @answered
    def invoice_ubl(self, invoice: str, *, note: str = "", personal: bool = False) -> shown.RenderedShown:
        """An invoice, or a credit note of it, as UBL 2.1 by EN 16931. See `views.invoice_papers.invoice_ubl`."""
        return invoice_ubl(self._session.app, invoice, note=note, personal=personal)

    @answered
    def void_invoice(self, invoice: str, context: Context, *, reason: str, comment: str = "") -> Written:
        """Declare an invoice void of which nothing was paid. See `desk.invoices.void_invoice`."""
        return invoices.void_invoice(self._session.app, context, invoice, reason=reason, comment=comment)

    @answered
    def issue_credit_note(
        self, invoice: str, context: Context, *, reason: str, comment: str = "", lines: Mapping[str, str] | None = None
    ) -> Written:
        """Issue a credit note for an invoice, or ask for one that somebody else approves. See `desk.invoices.issue_credit_note`."""
        return invoices.issue_credit_note(self._session.app, context, invoice, reason=reason, comment=comment, lines=lines)

    @answered
    def preview_credit_note(self, invoice: str, *, lines: Mapping[str, str] | None = None) -> shown.CreditNotePreviewShown:
        """What a credit note would come to, before it is issued. See `views.credit_notes.preview_credit_note`."""
        return preview_credit_note(self._session.app, invoice, lines=lines)

    @answered
    def approve_credit_note(self, invoice: str, note: str, context: Context) -> Written:
        """Issue a credit note that somebody else asked for. See `desk.invoices.approve_credit_note`."""
        return invoices.approve_credit_note(self._session.app, context, invoice, note)

    @answered
    def approve_number_range(
        self,
        first: int,
        last: int,
        context: Context,
        *,
        prefix: str,
        approval: str,
        valid_from: date,
        valid_to: date | None = None,
        low_at: int | None = None,
        low_days: int = number_ranges.LOW_DAYS,
        market: str = "GB",
        papers: str = "invoices",
    ) -> Written:
        """Let invoices, or credit notes, take their numbers from a range that the authority approved. See
        `desk.number_ranges.approve_range`."""
        return number_ranges.approve_range(
            self._session.app,
            context,
            first,
            last,
            prefix=prefix,
            approval=approval,
            valid_from=valid_from,
            valid_to=valid_to,
            low_at=low_at,
            low_days=low_days,
            market=market,
            papers=papers,
        )

    @answered
    def close_number_range(self, number_range: str, context: Context) -> Written:
        """Take no further number of a range. See `desk.number_ranges.close_range`."""
        return number_ranges.close_range(self._session.app, context, number_range)

    @answered
    def number_ranges(self, *, market: str = "") -> list[shown.NumberRangeShown]:
        """Ranges of numbers that were approved, and what is left of each. See `views.number_ranges.list_ranges`."""
        return list_ranges(self._session.app, market=market)

    @answered
    def owed(self, *, limit: int | None = None) -> list[shown.OwedShown]:
        """The money that accounts hold for their customers, those that owe some back first."""
        all_seen(self._session.app)
        return money_owed(self._session.app, limit=limit)
