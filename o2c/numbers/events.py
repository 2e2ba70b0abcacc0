"""What can happen to a number, and to the step that assigns one."""

from __future__ import annotations

from o2c.kernel.event import Event
from o2c.kernel.shapes import Done, FellOut, Offered, Requested, Undone, Withdrawn
from o2c.stock.events import StockAnnounced, StockArrived


class NumberRequested(Requested, name="number.requested", step="number"):
    """A number is to be taken from stock; for a line that brings its own, a temporary one."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class NumberAssigned(Done, name="number.assigned", step="number"):
    """A number was taken from stock for the item. A temporary one serves until the port window."""

    example = {"item": "1", "msisdn": "+447700910001", "temporary": False}
    msisdn: str
    temporary: bool


class NumberFellOut(FellOut, name="number.fell-out", step="number"):
    """No number could be assigned; out of stock waits for the next delivery."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "INV-NUM", "fault_class": "business", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "partner", "queue": "inventory", "awaits": "number/normal",
    }  # fmt: skip


class NumberReleased(Undone, name="number.released", step="number"):
    """The item ended and gave its number back."""

    example = {"item": "1", "msisdn": "+447700910001"}
    msisdn: str


class NumberChangeRequested(Requested, name="number.change-requested", step="number-change"):
    """The number brought in is to take the place of the temporary one."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-08T09:00:00Z"}


class NumberChanged(Done, name="number.changed", step="number-change"):
    """The number brought in serves; the temporary one rests."""

    example = {"item": "1", "msisdn": "+447700900123", "replaced": "+447700910001"}
    msisdn: str
    replaced: str


class NumberChangeFellOut(FellOut, name="number.change-fell-out", step="number-change"):
    """The number brought in is held by another line."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NP-NOTPORT", "fault_class": "business",
        "origin": "customer", "recoverability": "correctable", "waiting_for": "customer", "queue": "porting",
    }  # fmt: skip


class NumbersAnnounced(StockAnnounced, name="numbers.announced", step="number-arrival"):
    """A delivery of numbers is to be taken in: rows of MSISDN, class."""

    example = {"due_at": "2026-01-01T00:00:00Z", "rows": [["+447700910001", "normal"]]}


class NumbersArrived(StockArrived, name="numbers.arrived", step="number-arrival"):
    """A delivery of numbers was taken in."""

    example = {"pools": {"number/normal": 1}}


class NumberReceived(Offered, name="number.received"):
    """A number came into stock. Golden ones are never assigned by themselves."""

    example = {"msisdn": "+447700910001", "number_class": "normal"}
    msisdn: str
    number_class: str

    def offer(self) -> tuple[str, str, dict[str, str]]:
        return f"number/{self.number_class}", self.msisdn, {"msisdn": self.msisdn}


class NumberTaken(Withdrawn, name="number.taken"):
    """An order item took the number."""

    example = {"msisdn": "+447700910001", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1"}
    msisdn: str
    order: str
    item: str

    def withdrawal(self) -> tuple[str, str]:
        return "number/normal", self.msisdn


class NumberQuarantined(Requested, name="number.quarantined", step="number-restock"):
    """A number that served rests until `due_at`."""

    example = {"msisdn": "+447700910001", "due_at": "2026-02-08T00:00:00Z"}
    msisdn: str


class NumberRested(Done, Offered, name="number.rested", step="number-restock"):
    """A number rested as long as its market asks; it can be assigned again."""

    example = {"msisdn": "+447700910001"}
    msisdn: str

    def offer(self) -> tuple[str, str, dict[str, str]]:
        return "number/normal", self.msisdn, {"msisdn": self.msisdn}


class NumberBroughtIn(Event, name="number.brought-in"):
    """A number of another operator's range came to us with its customer."""

    example = {"msisdn": "+447700900123", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1"}
    msisdn: str
    order: str
    item: str
