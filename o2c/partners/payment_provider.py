"""The payment provider, simulated: cards and direct debits at once, links and bank transfers when the customer pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from o2c.kernel.partner import Accepted, Answer, Answered, RefusedBy, Request
from o2c.partners import faults

CARD_DECLINED_PERCENT = 3.0
DEBIT_RETURNED_PERCENT = 1.5
CARD_NOT_REFUNDABLE_PERCENT = 2.0
ACCOUNT_CLOSED_PERCENT = 1.0
REFUND_DAYS_MAX = 3
LINK_NEVER_USED_PERCENT = 4.0
TRANSFER_LATE_PERCENT = 5.0
LINK_USED_DAYS_MAX = 9
LINK_EXPIRES_DAYS = 30
LINK_CHECKED_DAYS = 7
TRANSFER_DAYS_MIN, TRANSFER_DAYS_MAX = 3, 13
LATE_DAYS_MIN, LATE_DAYS_MAX = 3, 20
OPENS = time(8, tzinfo=UTC)
DAY_MINUTES = 24 * 60
SOONEST = timedelta(hours=1)
"""The shortest time between a demand and a payment: nobody pays at the very moment of being asked."""


@dataclass(frozen=True, slots=True)
class SimulatedPaymentProvider:
    """The time of a payment depends on the invoice and its dates alone, so a query needs no memory of the submit."""

    seed: int

    def submit(self, request: Request) -> Answer:
        """Collect a card or a direct debit at once, or wait for the customer to use a link or make a transfer.

        Refusals: DECLINED (card), RETURNED (direct debit), EXPIRED (a link that was never used). A refund goes back to a card at once and
        to a bank account in some days; its refusals: NOT-REFUNDABLE (the card is closed), ACCOUNT-CLOSED.
        """
        if "refund" in request.body:
            return self._refunded(request)
        match request.body["method"]:
            case "card":
                return self._collected(request, "DECLINED", CARD_DECLINED_PERCENT)
            case "direct-debit":
                return self._collected(request, "RETURNED", DEBIT_RETURNED_PERCENT)
            case "pay-by-link" if not self._pays(request):
                return self._unused(request)
        return Accepted(self._reference(request), max(self._pays_at(request), request.at + SOONEST))

    def query(self, request: Request) -> Answer:
        """Give the outcome of a demand: paid (`amount_minor`, `reference`), refused, or to be asked about again."""
        if "refund" in request.body:
            return self._refunded(request, since=self._refund_arrives_at(request))
        if request.body["method"] in ("card", "direct-debit") or not self._pays(request):
            return self.submit(request)
        pays_at = self._pays_at(request)
        return self._paid(request) if request.at >= pays_at else Accepted(self._reference(request), pays_at)

    def _refunded(self, request: Request, since: datetime | None = None) -> Answer:
        """What came of a refund: a card's is done at once, a bank account's when it arrives, of which a query knows."""
        if request.body["method"] == "card":
            if faults.happens(self.seed, request, "not refundable", CARD_NOT_REFUNDABLE_PERCENT):
                return RefusedBy("NOT-REFUNDABLE")
        elif faults.happens(self.seed, request, "account closed", ACCOUNT_CLOSED_PERCENT):
            return RefusedBy("ACCOUNT-CLOSED")
        elif since is None or request.at < since:
            return Accepted(faults.reference("RFD", self.seed, request), max(self._refund_arrives_at(request), request.at + SOONEST))
        return Answered({"amount_minor": int(request.body["amount_minor"]), "reference": faults.reference("RFD", self.seed, request)})

    def _refund_arrives_at(self, request: Request) -> datetime:
        """On one of the days after it was opened."""
        return opening(request, "opened_on") + timedelta(days=1 + faults.whole(self.seed, request, "refund days", REFUND_DAYS_MAX))

    def _collected(self, request: Request, code: str, percent: float) -> Answer:
        return RefusedBy(code) if faults.happens(self.seed, request, code, percent) else self._paid(request)

    def _paid(self, request: Request) -> Answer:
        return Answered({"amount_minor": int(request.body["open_minor"]), "reference": self._reference(request)})

    def _reference(self, request: Request) -> str:
        return faults.reference("PMT", self.seed, request)

    def _pays(self, request: Request) -> bool:
        """Everybody pays a transfer in the end; some never use their link."""
        if request.body["method"] != "pay-by-link":
            return True
        return not faults.happens(self.seed, request, "never used", LINK_NEVER_USED_PERCENT)

    def _unused(self, request: Request) -> Answer:
        """Looked at every week until the link expires."""
        expires_at = opening(request, "issued_on") + timedelta(days=LINK_EXPIRES_DAYS)
        if request.at >= expires_at:
            return RefusedBy("EXPIRED")
        return Accepted(self._reference(request), min(request.at + timedelta(days=LINK_CHECKED_DAYS), expires_at))

    def _pays_at(self, request: Request) -> datetime:
        if request.body["method"] == "pay-by-link":
            minutes = faults.whole(self.seed, request, "used", LINK_USED_DAYS_MAX * DAY_MINUTES + 1)
            return opening(request, "issued_on") + timedelta(minutes=minutes)
        return self._arrives_at(request)

    def _arrives_at(self, request: Request) -> datetime:
        """A transfer comes some days after issue and before it is due, a late one some days after that, in the working hours of the day."""
        within_day = timedelta(minutes=faults.whole(self.seed, request, "minute", 8 * 60 + 1))
        if faults.happens(self.seed, request, "late", TRANSFER_LATE_PERCENT):
            days = LATE_DAYS_MIN + faults.whole(self.seed, request, "late days", LATE_DAYS_MAX - LATE_DAYS_MIN + 1)
            return opening(request, "due_on") + timedelta(days=days) + within_day
        days = TRANSFER_DAYS_MIN + faults.whole(self.seed, request, "days", TRANSFER_DAYS_MAX - TRANSFER_DAYS_MIN + 1)
        issued, due = opening(request, "issued_on"), opening(request, "due_on")
        return min(issued + timedelta(days=days), max(issued, due - timedelta(days=1))) + within_day


def opening(request: Request, name: str) -> datetime:
    """Give 08:00 UTC on an ISO date of the request's body."""
    return datetime.combine(date.fromisoformat(request.body[name]), OPENS)
