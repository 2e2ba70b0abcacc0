"""Events of a number, and of the step that assigns one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from o2c.kernel.event import Names, Pii, Upcast
from o2c.kernel.shapes import (
    CODE_KEPT,
    Done,
    FellOut,
    Freed,
    GivenUp,
    HeldByItem,
    LetGo,
    Offered,
    OutOfStock,
    Requested,
    SetAside,
    Undone,
    Withdrawn,
)
from o2c.kernel.telephones import country_code
from o2c.stock.events import StockAnnounced, StockArrived


def pool_named(code: str, number_class: str) -> str:
    """Name the stock pool of a country code and a class: one market's numbers are never given to another's lines."""
    return f"number/{code}/{number_class}"


def _pool(msisdn: str, number_class: str) -> str:
    return pool_named(country_code(msisdn), number_class)


def _offer(number_class: str, msisdn: str) -> tuple[str, str, dict[str, str]]:
    return _pool(msisdn, number_class), msisdn, {"msisdn": msisdn}


class NumberRequested(Requested, name="number.requested", step="number", stream="order"):
    """A number is to be taken from stock; for a line that brings its own, a temporary one."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class NumberAssigned(Done, name="number.assigned", step="number", stream="order"):
    """A number was taken from stock for the item. A temporary one serves until the port window."""

    example = {"item": "1", "msisdn": "+447700910001", "temporary": False}
    msisdn: Annotated[str, Names("number")]
    temporary: bool


class NumberFellOut(OutOfStock, name="number.fell-out", step="number", stream="order"):
    """No number could be assigned; out of stock waits for the next delivery, which is due at `expected_at` if it is announced."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "INV-NUM", "fault_class": "business", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "partner", "queue": "inventory", "awaits": "number/44/normal",
        "detail": "expected on 2026-02-02", "expected_at": "2026-02-02T00:00:00Z",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"expected_at": None}), CODE_KEPT)


class NumberReleased(Undone, name="number.released", step="number", stream="order"):
    """The item ended and gave its number back."""

    noun: ClassVar[str] = "number"
    example = {"item": "1", "msisdn": "+447700910001"}
    msisdn: Annotated[str, Names("number")]


class NumberEarmarked(SetAside, name="number.earmarked", step="number", stream="order"):
    """A person set a number aside for the item, golden ones among them; the step takes it in place of one from stock."""

    example = {"item": "1", "msisdn": "+447700910001", "number_class": "golden", "note": "asked for in the shop"}
    msisdn: Annotated[str, Names("number")]
    number_class: str
    note: Annotated[str, Pii("note")] = ""


class NumberClaimed(SetAside, name="number.claimed", step="number", stream="order"):
    """A number that rests was set aside for the item of its former customer; without the claim it rests until `rests_until`."""

    example = {
        "item": "1", "msisdn": "+447700910001", "number_class": "normal", "rests_until": "2026-02-08T00:00:00Z", "note": "wants it back",
    }  # fmt: skip
    msisdn: Annotated[str, Names("number")]
    number_class: str
    rests_until: datetime
    note: Annotated[str, Pii("note")] = ""


class NumberEarmarkDropped(LetGo, name="number.earmark-dropped", step="number", stream="order"):
    """The number is not kept for the item any more: a person released it, its time ran out, or the item ended."""

    example = {"item": "1", "msisdn": "+447700910001", "why": "lapsed"}
    msisdn: Annotated[str, Names("number")]
    why: Literal["released", "lapsed", "ended"]


class NumberChangeRequested(Requested, name="number.change-requested", step="number-change", stream="order"):
    """The network is to serve the line by the number brought in, in place of the temporary one."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-08T09:00:00Z"}


class NumberChanged(Done, name="number.changed", step="number-change", stream="order"):
    """The network serves the line by the number brought in; the temporary one is off, and rests."""

    example = {"item": "1", "msisdn": "+447700900123", "replaced": "+447700910001"}
    msisdn: Annotated[str, Names("number")]
    replaced: Annotated[str, Names("number")]


class NumberKept(GivenUp, name="number.kept", step="number-change", stream="order"):
    """The port-in of the line was given up: its number from stock was a temporary one and is its own from now on."""

    example = {"item": "1", "msisdn": "+447700910001"}
    msisdn: Annotated[str, Names("number")]


class NumberChangeFellOut(FellOut, name="number.change-fell-out", step="number-change", stream="order"):
    """The number brought in is held by another line, or the network refused, failed, or did not answer."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NP-NOTPORT", "fault_class": "business",
        "origin": "customer", "recoverability": "correctable", "waiting_for": "customer", "queue": "porting",
    }  # fmt: skip


class NumbersAnnounced(StockAnnounced, name="numbers.announced", step="number-arrival", stream="delivery"):
    """A delivery of numbers is to be taken in: rows of MSISDN, class."""

    example = {"due_at": "2026-01-01T00:00:00Z", "rows": [["+447700910001", "normal"]]}


class NumbersArrived(StockArrived, name="numbers.arrived", step="number-arrival", stream="delivery"):
    """A delivery of numbers was taken in."""

    example = {"pools": {"number/44/normal": 1}}


class NumbersFellOut(FellOut, name="numbers.fell-out", step="number-arrival", stream="delivery"):
    """A delivery of numbers could not be taken in."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class NumberReceived(Offered, name="number.received", stream="number"):
    """A number came into stock. Golden ones are never assigned by themselves."""

    example = {"msisdn": "+447700910001", "number_class": "normal"}
    msisdn: Annotated[str, Names("number")]
    number_class: str

    def offer(self) -> tuple[str, str, dict[str, str]]:
        """Put the number into the pool of its country and class."""
        return _offer(self.number_class, self.msisdn)


class NumberTaken(Withdrawn, HeldByItem, name="number.taken", stream="number"):
    """An order item took the number."""

    example = {"msisdn": "+447700910001", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1"}
    msisdn: Annotated[str, Names("number")]

    def withdrawal(self) -> tuple[str, str]:
        """Take the number out of its country's pool of normal numbers; a golden one was withdrawn when it was reserved."""
        return _pool(self.msisdn, "normal"), self.msisdn


class NumberQuarantined(Requested, Freed, name="number.quarantined", step="number-restock", stream="number"):
    """A number that was given back rests until `due_at`; then it is on offer again or, if it was brought in, goes back to its range holder.

    Version 2 says what it was (`use`), whose, whether that `customer` may claim it while it rests, and the time by which it must be on
    offer again (`free_by`, None for no maximum), all as the market of its order had it. An older rest has no use and no customer on record.
    """

    example = {
        "msisdn": "+447700910001", "due_at": "2026-02-08T00:00:00Z", "use": "in-use", "customer": "C-1001", "claimable": True, "free_by": None,
    }  # fmt: skip
    upcasts = (Upcast(defaults={"use": "", "customer": "", "claimable": False, "free_by": None}),)
    msisdn: Annotated[str, Names("number")]
    use: Literal["never-used", "temporary", "in-use", ""]
    customer: str
    claimable: bool
    free_by: datetime | None


class NumberClaimDropped(Requested, Freed, name="number.claim-dropped", step="number-restock", stream="number"):
    """The former customer's order did not take the number that was reserved for it; it rests on until `due_at`, as it would have."""

    example = {"msisdn": "+447700910001", "due_at": "2026-02-08T00:00:00Z", "reserved_item": "1"}
    msisdn: Annotated[str, Names("number")]
    reserved_item: str


class NumberRested(Done, Offered, name="number.rested", step="number-restock", stream="number"):
    """A number rested as long as its market asks; it can be assigned again. Version 2 says its class: golden stays golden."""

    example = {"msisdn": "+447700910001", "number_class": "normal"}
    upcasts = (Upcast(defaults={"number_class": "normal"}),)
    msisdn: Annotated[str, Names("number")]
    number_class: str

    def offer(self) -> tuple[str, str, dict[str, str]]:
        """Put the number back into the pool of its country and class."""
        return _offer(self.number_class, self.msisdn)


class NumberReturned(Done, name="number.returned", step="number-restock", stream="number"):
    """A number that was brought in rested as long as its market asks and went back to the holder of its range; a customer may bring it in
    again."""

    example = {"msisdn": "+447700900123"}
    msisdn: Annotated[str, Names("number")]


class NumberReserved(Requested, Withdrawn, HeldByItem, name="number.reserved", step="reservation", stream="number"):
    """The number is kept for an order's item and out of stock until `due_at`, when the reservation lapses."""

    example = {
        "item": "1", "msisdn": "+447700910001", "number_class": "golden", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff",
        "customer": "C-1001", "due_at": "2026-01-12T09:00:00Z",
    }  # fmt: skip
    msisdn: Annotated[str, Names("number")]
    number_class: str
    customer: str

    def withdrawal(self) -> tuple[str, str]:
        """Take the number out of the pool of its country and class."""
        return _pool(self.msisdn, self.number_class), self.msisdn


class NumberReservationReleased(Done, Offered, Freed, name="number.reservation-released", step="reservation", stream="number"):
    """The number was given back, by a person or because the item ended; it stands where it stood before."""

    example = {"item": "1", "msisdn": "+447700910001", "number_class": "golden"}
    msisdn: Annotated[str, Names("number")]
    number_class: str

    def offer(self) -> tuple[str, str, dict[str, str]]:
        """Put the number back into the pool of its country and class."""
        return _offer(self.number_class, self.msisdn)


class NumberReservationLapsed(Done, Offered, Freed, name="number.reservation-lapsed", step="reservation", stream="number"):
    """Nobody took the number in the time it was kept; it stands where it stood before."""

    example = {"item": "1", "msisdn": "+447700910001", "number_class": "golden"}
    msisdn: Annotated[str, Names("number")]
    number_class: str

    def offer(self) -> tuple[str, str, dict[str, str]]:
        """Put the number back into the pool of its country and class."""
        return _offer(self.number_class, self.msisdn)


class NumberBroughtIn(HeldByItem, name="number.brought-in", stream="number"):
    """A number of another operator's range came to us with its customer."""

    example = {"msisdn": "+447700900123", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1"}
    msisdn: Annotated[str, Names("number")]


class NumberPortedOut(Freed, name="number.ported-out", stream="number"):
    """The number serves at another operator. It does not rest here, and is not ours to give: one of our own range comes back when we are
    told that it ceased there, as a number that is loaded."""

    example = {"msisdn": "+447700910001", "operator": "Other Mobile"}
    msisdn: Annotated[str, Names("number")]
    operator: str


class NumberRestockFellOut(FellOut, name="number.restock-fell-out", step="number-restock", stream="number"):
    """A number that rested could not be put on offer again."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class ReservationFellOut(FellOut, name="number.reservation-fell-out", step="reservation", stream="number"):
    """The end of a reservation could not be settled."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
