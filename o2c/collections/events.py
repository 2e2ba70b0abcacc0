"""Events of the collections of an account."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.charges import WhileBarred
from o2c.kernel.event import Event, Pii, Upcast
from o2c.kernel.shapes import Done, FellOut, Requested

Level = Literal["", "soft", "hard", "ended"]


class Owed(BaseModel):
    """An invoice that something rests on, with what was open of it and not in dispute, in minor units, and since when it is due."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invoice: str
    open_minor: int
    due_on: str


class Line(BaseModel):
    """A line that is barred, by the order and the item that brought it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: str
    item: str


class LookRequested(Requested, name="collections.look-requested", step="collections", stream="collection"):
    """The account is to be looked at: something changed that it owes, or a day comes on which it could be in another stage."""

    example = {"attempt": 1, "due_at": "2026-01-25T09:00:00Z"}


class Looked(Done, name="collections.looked", step="collections", stream="collection"):
    """The account was looked at; what came of it stands in the events before this one."""

    example = {"attempt": 1}


class LookFellOut(FellOut, name="collections.look-fell-out", step="collections", stream="collection"):
    """The account could not be looked at."""

    # It has kept the version of its code from the beginning.
    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class OfCourse(Event):
    """Base of the events of what an account owes in one currency: how much that is, in minor units, and on which invoices."""

    currency: str
    stage: str
    open_minor: int
    invoices: tuple[Owed, ...]


_RESTS = {"currency": "GBP", "open_minor": 2399, "invoices": [{"invoice": "BA-1001-20260108", "open_minor": 2399, "due_on": "2026-01-22"}]}


class StageEntered(OfCourse, name="collections.stage-entered", stream="collection"):
    """The account is in another stage in this currency, worse or better than the one before (`was`, empty for none). `notices` are the ids
    of the warnings that a bar rests on."""

    example = {**_RESTS, "stage": "soft-bar", "was": "final-notice", "notices": ["0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10"]}
    was: str
    notices: tuple[str, ...] = ()


class DebtPlaced(OfCourse, name="collections.debt-placed", stream="collection"):
    """What is owed of these invoices was placed with an agency, which collects it from now on: our own notices and promises end."""

    example = {**_RESTS, "stage": "agency", "agency": "Example Collections Ltd"}
    agency: str


class Cleared(Event, name="collections.cleared", stream="collection"):
    """Nothing is collected in this currency any more: it was paid, or all of it is in dispute. What was told before warns of nothing
    new."""

    example = {"currency": "GBP", "was": "soft-bar"}
    currency: str
    was: str


class OfNotice(OfCourse):
    """Base of the notices that were given to the customer of the account, by these channels, on the local day `told_on`."""

    notice: str
    customer: str
    channels: tuple[str, ...]
    told_on: str


_TOLD = {
    **_RESTS, "notice": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", "customer": "C-1001", "channels": ["e-mail", "text-message"],
}  # fmt: skip


class Reminded(OfNotice, name="collections.reminded", stream="collection"):
    """The customer was reminded of what is owed."""

    example = {**_TOLD, "stage": "reminder", "told_on": "2026-01-25"}


class Warned(OfNotice, name="collections.warned", stream="collection"):
    """The customer was warned: the account's lines are barred from the local day `barred_from` on, unless what is owed is paid."""

    example = {**_TOLD, "stage": "final-notice", "told_on": "2026-02-01", "barred_from": "2026-02-08"}
    barred_from: str


class BarRequested(Requested, name="collections.bar-requested", step="barring", stream="collection"):
    """The network is to bar the lines of the account at a level, or to lift the bar (an empty one): `soft` leaves emergency calls and all
    that comes in, `hard` leaves emergency calls, `ended` ends the services. `notices` are the ids of the warnings that preceded it: none
    bars without."""

    example = {"attempt": 1, "due_at": "2026-02-08T09:00:00Z", "level": "soft", "notices": ["0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10"]}
    level: Level
    notices: tuple[str, ...] = ()


class Barred(Done, name="collections.barred", step="barring", stream="collection"):
    """The lines of the account are barred at this level, after the warnings named. `while_barred` says whether their days are charged
    meanwhile, by the market's policy of that day; before it was told, they were."""

    upcasts = (Upcast(defaults={"while_barred": "charged"}),)

    example = {
        "attempt": 1, "level": "soft", "notices": ["0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10"],
        "lines": [{"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1"}],
    }  # fmt: skip
    level: Level
    notices: tuple[str, ...]
    lines: tuple[Line, ...]
    while_barred: WhileBarred = "charged"


class BarLifted(Done, name="collections.bar-lifted", step="barring", stream="collection"):
    """The lines of the account serve as before."""

    example = {"attempt": 2, "lines": [{"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1"}]}
    lines: tuple[Line, ...]


class BarringFellOut(FellOut, name="collections.barring-fell-out", step="barring", stream="collection"):
    """The network did not bar the lines of the account, or did not lift the bar."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NET-HLR", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "network",
    }  # fmt: skip


class OfHold(Event):
    """Base of the events of what holds the collections of an account."""

    account: str
    customer: str
    market: str
    # Free text that a person wrote: it may name somebody.
    note: Annotated[str, Pii("note")] = ""


_HELD = {"account": "BA-1001", "customer": "C-1001", "market": "GB@2026-01", "note": "spoke to her on the telephone"}


class HoldPlaced(OfHold, name="collections.hold-placed", stream="collection"):
    """Collections are held for a reason (`kind`), up to and including the local day `until` (empty: until it is released)."""

    example = {**_HELD, "kind": "vulnerable", "until": ""}
    kind: str
    until: str


class HoldReleased(OfHold, name="collections.hold-released", stream="collection"):
    """Collections are no longer held for this reason; for a key account it says that the courtesy contact has taken place."""

    example = {**_HELD, "kind": "key-account"}
    kind: str


class PromiseMade(OfHold, name="collections.promise-made", stream="collection"):
    """The customer promised to pay this much, in minor units, up to and including the local day `by_on`; until then nothing becomes
    worse."""

    example = {**_HELD, "amount_minor": 2399, "currency": "GBP", "by_on": "2026-02-14"}
    amount_minor: int
    currency: str
    by_on: str


class PromiseKept(Event, name="collections.promise-kept", stream="collection"):
    """What was promised came in time."""

    example = {"amount_minor": 2399, "currency": "GBP", "by_on": "2026-02-14"}
    amount_minor: int
    currency: str
    by_on: str


class PromiseBroken(Event, name="collections.promise-broken", stream="collection"):
    """The day of a promise passed, and only `paid_minor` of it had come."""

    example = {"amount_minor": 2399, "currency": "GBP", "by_on": "2026-02-14", "paid_minor": 1000}
    amount_minor: int
    currency: str
    by_on: str
    paid_minor: int


class PlanPart(BaseModel):
    """A part of a debt, in minor units, and the local day up to and including which it is to be paid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    due_on: str
    amount_minor: int


class PlanAgreed(OfHold, name="collections.plan-agreed", stream="collection"):
    """It was agreed to pay what is owed on these invoices in parts, which sum to it exactly; while the plan is kept nothing becomes
    worse."""

    example = {
        **_HELD, "currency": "GBP", "invoices": ["BA-1001-20260108"],
        "parts": [{"due_on": "2026-02-27", "amount_minor": 1200}, {"due_on": "2026-03-27", "amount_minor": 1199}],
    }  # fmt: skip
    currency: str
    parts: tuple[PlanPart, ...]
    invoices: tuple[str, ...]


class PlanPartKept(Event, name="collections.plan-part-kept", stream="collection"):
    """A part of a plan, by its number from 1, came in time, and all parts before it."""

    example = {"currency": "GBP", "number": 1, "due_on": "2026-02-27", "amount_minor": 1200}
    currency: str
    number: int
    due_on: str
    amount_minor: int


class PlanKept(Event, name="collections.plan-kept", stream="collection"):
    """All that was planned has come, in minor units."""

    example = {"currency": "GBP", "amount_minor": 2399}
    currency: str
    amount_minor: int


class PlanBroken(Event, name="collections.plan-broken", stream="collection"):
    """A plan is broken, and collections go on at the stage that is due: by `due_on` it was to bring `due_minor` in all and brought
    `paid_minor` (`late`); or an `invoice` that fell due beside it, with `due_minor` open, was not paid either (`further-debt`). Amounts are
    minor units."""

    example = {"currency": "GBP", "cause": "late", "due_on": "2026-03-27", "due_minor": 2399, "paid_minor": 1200}
    currency: str
    cause: Literal["late", "further-debt"]
    due_on: str
    due_minor: int
    paid_minor: int
    invoice: str = ""


class OfDispute(OfHold):
    """Base of the events of a dispute about an invoice: how much of it is in dispute, in minor units."""

    invoice: str
    currency: str
    amount_minor: int


_DISPUTED = {**_HELD, "invoice": "BA-1001-20260108", "currency": "GBP", "amount_minor": 1000}


class DisputeOpened(OfDispute, name="collections.dispute-opened", stream="collection"):
    """The customer disputes an amount of an invoice: it is not collected until that is settled; the rest of the invoice is."""

    example = dict(_DISPUTED)


class DisputeSettled(OfDispute, name="collections.dispute-settled", stream="collection"):
    """A dispute was settled, for the `customer` (the amount stays uncollected until a credit note takes it off the invoice) or for the
    `operator` (it is collected as before)."""

    example = {**_DISPUTED, "outcome": "customer"}
    outcome: Literal["customer", "operator"]
