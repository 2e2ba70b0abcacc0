"""What leaks of an account as a whole: a deposit that is kept, a final bill that is lacking, usage that came after it, a number that
left."""

from __future__ import annotations

from collections.abc import Iterator

from o2c.checks.assurance_rules import Leak
from o2c.checks.instalments_billed import INSTALMENT_RULE
from o2c.checks.order_to_bill import Closing, Deposit, Gone, day_after

DEPOSIT_RULE = (
    "deposit-not-returned",
    "G-RM-RA-RLj",
    "The deposit of an order that is over is kept no longer than until enough bills were paid in time, or the last one came; no more is given back than was kept.",
)
FINAL_BILL_RULE = (
    "ended-without-final-bill",
    "G-RM-RA-RLb",
    "An account of which nothing is served any more gets a final bill of what was served and used until then, within some days.",
)
LATE_USAGE_RULE = (
    "late-usage-not-billed",
    "G-RM-RA-RLb",
    "Usage that came after the final bill, and not too late to be charged, is on a further one within some days.",
)
PORT_OUT_RULE = (
    "port-out-without-final-bill",
    "G-RM-RA-RLb",
    "An account from which a number went to another operator gets a bill of what was served and used until then, within some days.",
)


def kept_too_long(deposit: Deposit) -> Iterator[Leak]:
    """A deposit that is kept though its order is over and no bill is to be waited for, or of which more was given back than was kept."""
    amounts, kept_by = deposit.left_minor, deposit.overkept if deposit.retained else deposit.ended
    if deposit.kept and (amounts < 0 or (kept_by and amounts > 0)):
        first, since = deposit.kept[0].body, kept_by or deposit.ended or deposit.freed[-1]
        ended = tuple(said.event for said in (deposit.ended, deposit.overkept) if said)
        yield Leak(
            DEPOSIT_RULE[0], deposit.order, "", first["account"], amounts, first["currency"], since.at[:10], ended,
            tuple(said.event for said in (*deposit.kept, *deposit.freed)),
        )  # fmt: skip


def never_settled(closing: Closing, today: str, days: int) -> Iterator[Leak]:
    """An account that ended so many days ago, and has had no final bill. What is on no bill is not known, so no amount is named."""
    ended = closing.ended
    if ended is not None and day_after(ended.at[:10], days) <= today:
        order, _, item = closing.ended_last.rpartition("/")
        yield Leak(FINAL_BILL_RULE[0], order, item, closing.account, 0, closing.currency, ended.at[:10], (ended.event,), ())


def never_billed_late(closing: Closing, today: str, days: int) -> Iterator[Leak]:
    """An account whose usage came after its final bill so many days ago, and stands on no bill since. What it comes to is not known before
    it is billed."""
    late = closing.late
    if late is not None and day_after(late.at[:10], days) <= today:
        order, _, item = closing.ended_last.rpartition("/")
        yield Leak(LATE_USAGE_RULE[0], order, item, closing.account, 0, closing.currency, late.at[:10], (late.event,), ())


def not_as_agreed(closing: Closing) -> Iterator[Leak]:
    """An instalment that a bill of the account lacks, and what was called due at once though nothing said so."""
    for amount, since, order, item, agreed, billed in closing.instalments.missed:
        yield Leak(INSTALMENT_RULE[0], order, item, closing.account, amount, closing.currency, since[:10], (agreed,), (billed,))


def never_billed(gone: Gone, today: str, days: int) -> Iterator[Leak]:
    """A number that went to another operator so many days ago, and no bill of its account since. What is on no bill is not known, so no
    amount is named."""
    if day_after(gone.said.at[:10], days) <= today:
        yield Leak(PORT_OUT_RULE[0], gone.order, gone.item, gone.account, 0, gone.currency, gone.said.at[:10], (gone.said.event,), ())
