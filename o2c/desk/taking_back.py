"""The desk for money that is taken off an invoice again: chargebacks, those that were won, and payments that were recorded for the wrong
invoice."""

from __future__ import annotations

from datetime import datetime

from o2c.desk.act import Deed, act
from o2c.desk.payments import NEARLY_DUE, known_before
from o2c.engine.app import Context, Engine, Written
from o2c.invoicing.noted import InvoiceState
from o2c.kernel.charges import account_stream, invoice_stream
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.payments import taking_back
from o2c.payments.step import STEP as PAYMENT
from o2c.views.invoices import issued_invoice
from o2c.views.reading import minor_of
from o2c.views.taking_back import meant_invoice

CHARGEBACKS_OF = "SELECT stream FROM o2c.event WHERE type = 'payment.charged-back' AND body ->> 'case' = %s ORDER BY position"
"""The invoices of which a chargeback was told, by its case. Parameter: the case."""


def charge_back(
    app: Engine, context: Context, invoice: str, *, case: str, amount: str = "", payment: str = "", reason: str = ""
) -> Written:
    """Take down that the payer's bank took a payment back that had come by card or debit: the invoice is open again, and collections are
    told.

    `case` is the payment provider's name for the chargeback: told twice it is one, and the answer says `repeated`. `amount` is decimal text
    in the invoice's currency, all that is left of the payment where none is named; `payment` is the provider's reference of it, needed
    where several came; `reason` is the provider's code. What the payment made of a credit of the account is taken back first, as far as it
    is left. Raises Refused: missing (no such invoice or payment), usage (a bank transfer, several payments, no case), conflict (more than
    is left: what was refunded, moved or charged back is not taken twice; the case with another amount, or told of another invoice; somebody
    was faster).
    """
    state, case = issued_invoice(app, invoice), _case(case)
    assert state.issued is not None
    _refuse_told_elsewhere(app, invoice, case)
    currency, whose = state.issued.currency, account_stream(state.issued.account)
    amount_minor = minor_of(amount, currency) if amount else None
    beside = app.load([whose])

    def take(state: InvoiceState, at: datetime) -> Decision:
        work = _work(app, invoice_stream(invoice), state)
        how = {"case": case, "payment": payment.strip(), "reason": reason.strip()[:100]}
        return taking_back.charge_back(work, beside[whose].state, amount_minor=amount_minor, today=_today(work, at), **how)

    wish = ["charge back", case, amount_minor, payment, reason]
    return known_before(act(app, context, "payments.chargeback", Deed(invoice_stream(invoice), (take,), wish, beside=beside)))


def win_back(app: Engine, context: Context, invoice: str, *, case: str) -> Written:
    """Take down that a chargeback was answered and won: its money is back, and pays the invoice again; what is above that is a credit.

    Told twice it is one, and the answer says `repeated`. Raises Refused: missing (no such invoice or chargeback), usage (no case).
    """
    issued_invoice(app, invoice)
    case = _case(case)

    def take(state: InvoiceState, at: datetime) -> Decision:
        work = _work(app, invoice_stream(invoice), state)
        return taking_back.win_back(work, case=case, today=_today(work, at), begun_by=_begun_by(app, at))

    return known_before(act(app, context, "payments.chargeback-won", Deed(invoice_stream(invoice), (take,), ["win back", case])))


def move_payment(
    app: Engine, context: Context, invoice: str, *, to: str, reason: str, amount: str = "", payment: str = "", key: str = ""
) -> Written:
    """Move money that was recorded for the wrong invoice to the invoice that it was meant for; both say where it came from and went to.

    `to` is an invoice, or an account: then the oldest of its invoices that is open, else its last one. `amount` is decimal text, all that
    is left of the payment where none is named; `payment` is its reference, needed where several came. The same `key` moves it once, and the
    answer says `repeated`; without one, the same payment moves to the same place once. Raises Refused: missing (no such invoice, account or
    payment), usage (another currency, the same invoice, several payments, no reason), conflict (more than is left of the payment: what was
    refunded, charged back or used does not move; the key with another amount; somebody was faster).
    """
    state, target = issued_invoice(app, invoice), meant_invoice(app, to)
    assert state.issued is not None
    if not reason.strip():
        raise Refused(f"invoice {invoice}: say why the payment moves; it stands with both invoices")
    currency, whose, there = state.issued.currency, account_stream(state.issued.account), invoice_stream(target)
    amount_minor = minor_of(amount, currency) if amount else None
    case = key.strip() or f"M-{derived_id('move', invoice, target, payment.strip(), str(amount_minor))[:8]}"
    beside = app.load([whose, there])

    def take(state: InvoiceState, at: datetime) -> Decision:
        work, other = (_work(app, name, of) for name, of in ((invoice_stream(invoice), state), (there, beside[there].state)))
        how = {"case": case, "payment": payment.strip(), "author": context.actor, "comment": reason.strip(), "today": _today(work, at)}
        return taking_back.move(work, beside[whose].state, other, amount_minor=amount_minor, begun_by=_begun_by(app, at), **how)

    wish = ["move payment", case, target, amount_minor, payment, reason]
    return known_before(act(app, context, "payments.move", Deed(invoice_stream(invoice), (take,), wish, beside=beside)))


def _refuse_told_elsewhere(app: Engine, invoice: str, case: str) -> None:
    """Raises Refused (conflict) for a chargeback that was told of another invoice: the provider names one payment by it."""
    for row in app.reads.rows(CHARGEBACKS_OF, case):
        if row["stream"] != invoice_stream(invoice):
            other = row["stream"].removeprefix("invoice-")
            raise Refused(
                f"invoice {invoice}: chargeback {case} was told of invoice {other}; look which of the two it is about", kind="conflict"
            )


def _work(app: Engine, stream: str, state: InvoiceState) -> Work:
    return app.work(stream, state, "", PAYMENT.name)


def _case(case: str) -> str:
    if not case.strip():
        raise Refused("say the payment provider's name for the chargeback: by it the same one is known when it is told again")
    return case.strip()[:100]


def _today(work: Work, at: datetime) -> str:
    return local_date(at, work.market.zone).isoformat()


def _begun_by(app: Engine, at: datetime) -> datetime:
    return app.clock().latest(at) + NEARLY_DUE
