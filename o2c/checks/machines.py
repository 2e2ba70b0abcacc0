"""The state machines that the trade declares beside those of orders and items: which event brings a state, and which state may follow
which.

Data and nothing else. That the states are those of the folds in `state.py` of each capability is held by a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

BEFORE = ""
"""The state of a thing that the log has told nothing of."""


@dataclass(frozen=True, slots=True)
class Machine:
    """States by the stored name of the event that brings them, and by state the states that may follow; an event named in none changes
    nothing.

    Where several events bring one state, `leaves` names the states that each of them leaves; an event that is not there leaves any.
    """

    states: Mapping[str, str]
    allowed: Mapping[str, frozenset[str]]
    leaves: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def may(self, state: str, event: str) -> bool:
        """Whether an event may move a thing out of a state."""
        return self.states[event] in self.allowed.get(state, ()) and state in self.leaves.get(event, (state,))

    def transitions(self) -> Iterator[tuple[str, str, str]]:
        """Every move that is declared: the state before, the event, and the state that it brings."""
        for state in self.allowed:
            yield from ((state, event, after) for event, after in self.states.items() if after != state and self.may(state, event))


def _machine(states: Mapping[str, str], leaves: Mapping[str, str] | None = None, **allowed: str) -> Machine:
    """A machine with the states that may follow, or that an event leaves, written as words; `before` stands for the beginning, `_` for the
    dash in a name."""
    rows = {_named(state): frozenset(after.split()) for state, after in allowed.items()}
    return Machine(states, rows, {event: frozenset(map(_named, words.split())) for event, words in (leaves or {}).items()})


def _named(word: str) -> str:
    return BEFORE if word == "before" else word.replace("_", "-")


SIM = _machine(
    {
        "sim.received": "available",
        "sim.restocked": "available",
        "sim.taken": "assigned",
        "sim.returned": "returned",
        "sim.scrapped": "scrapped",
    },
    {"sim.received": "before", "sim.restocked": "returned"},
    before="available",
    available="assigned",
    assigned="returned scrapped",
    returned="available",
    scrapped="",
)
DEVICE = _machine(
    {
        "device.received": "available",
        "device.restocked": "available",
        "device.taken": "assigned",
        "device.returned": "returned",
        "device.blocked": "blocked",
        "device.unblocked": "returned",
        "device.given-up": "blocked",
        "device.scrapped": "scrapped",
    },
    {"device.received": "before", "device.restocked": "returned", "device.unblocked": "blocked", "device.given-up": "assigned returned"},
    before="available",
    available="assigned blocked",
    assigned="returned blocked scrapped",
    returned="available blocked scrapped",
    blocked="blocked returned scrapped",
    scrapped="",
)
NUMBER = _machine(
    {
        "number.received": "available",
        "number.rested": "available",
        "number.reservation-released": "available",
        "number.reservation-lapsed": "available",
        "number.reserved": "reserved",
        "number.taken": "assigned",
        "number.quarantined": "quarantined",
        "number.claim-dropped": "quarantined",
        "number.brought-in": "ported-in",
        "number.returned": "returned",
        "number.ported-out": "ported-out",
    },
    {
        "number.received": "before ported_out",
        "number.rested": "quarantined",
        "number.reservation-released": "reserved",
        "number.reservation-lapsed": "reserved",
        "number.quarantined": "assigned ported_in",
        "number.claim-dropped": "reserved",
    },
    before="available ported-in",
    available="reserved assigned",
    reserved="available assigned quarantined",
    assigned="quarantined ported-out",
    quarantined="available reserved returned",
    ported_in="quarantined ported-out",
    returned="ported-in",
    ported_out="available ported-in",
)
INVOICE = _machine(
    {
        "invoice.issued": "issued",
        "payment.part-received": "part-paid",
        "invoice.overdue": "overdue",
        "payment.received": "paid",
        "payment.charged-back": "reopened",
        "payment.moved": "reopened",
        "invoice.voided": "void",
    },
    before="issued",
    issued="part-paid overdue paid void",
    part_paid="overdue paid reopened",
    overdue="part-paid paid void reopened",
    paid="reopened",
    reopened="part-paid overdue paid",
    void="",
)
CHARGE = _machine(
    {
        "account.charge-started": "running",
        "account.charge-rested": "resting",
        "account.charge-resumed": "resumed",
        "account.charge-withdrawn": "withdrawn",
    },
    before="running",
    running="resting withdrawn",
    resting="resumed withdrawn",
    resumed="resting withdrawn",
    withdrawn="",
)
PRODUCT = _machine(
    {
        "product.started": "active",
        "product.suspended": "suspended",
        "product.resumed": "serving",
        "product.terminated": "terminated",
    },
    before="active",
    active="suspended terminated",
    suspended="serving terminated",
    serving="suspended terminated",
    terminated="",
)
PORT_OUT = _machine(
    {
        "port-out.authorised": "authorised",
        "port-out.withdrawn": "withdrawn",
        "port-out.switched-off": "off",
        "port-out.completed": "gone",
        "port-out.failed": "failed",
        "reactivation.completed": "stayed",
    },
    before="authorised",
    authorised="off withdrawn",
    withdrawn="authorised",
    off="gone failed",
    failed="stayed",
    stayed="authorised",
    gone="",
)
SWITCH_OUT = _machine(
    {
        "switch-out.matched": "matched",
        "switch-out.ordered": "ordered",
        "switch-out.withdrawn": "withdrawn",
        "switch-out.triggered": "triggered",
        "switch-out.completed": "gone",
    },
    before="matched",
    matched="ordered withdrawn",
    ordered="withdrawn triggered",
    withdrawn="matched",
    triggered="gone",
    gone="",
)
END_NOTICE = _machine(
    {"end-notice.awaited": "awaited", "end-notice.given": "given"},
    before="awaited",
    awaited="given",
    given="awaited",
)
WITHDRAWAL = _machine(
    {
        "withdrawal-to-come.came": "came",
        "withdrawal.declared": "declared",
        "goods-return.proven-sent": "sent",
        "goods-return.received": "received",
        "goods-return.credited": "credited",
        "goods-return.graded": "graded",
        "withdrawal-refund.settled": "settled",
    },
    before="came declared",
    came="declared",
    declared="sent received graded settled",
    sent="received credited graded",
    received="sent credited graded",
    credited="received graded settled",
    graded="settled",
    settled="received graded",
)
PORT = _machine(
    {
        "porting.requested": "asked",
        "porting.scheduled": "agreed",
        "porting.rescheduled": "agreed",
        "porting.window-kept": "agreed",
        "porting.postponed": "given-up",
        "porting.window-missed": "missed",
        "cutover.number-ported-in": "ported",
        "porting-cancel.requested": "being-dropped",
        "porting-cancel.confirmed": "dropped",
    },
    {
        **dict.fromkeys(("porting.scheduled", "porting.rescheduled"), "asked"),
        "porting.window-kept": "asked being_dropped",  # it is moved no more, or dropped no more
    },
    before="asked",
    asked="agreed given-up being-dropped",
    agreed="asked missed ported being-dropped",
    given_up="asked being-dropped",
    missed="asked",  # in the same append
    ported="",
    being_dropped="agreed dropped",
    dropped="asked",  # by a changed paper that brings another number
)
ON = _machine(
    {
        "activation.requested": "asked",
        "service.activated": "on",
        "activation-cancel.requested": "being-switched-off",
        "activation-cancel.confirmed": "off",
    },
    before="asked",
    asked="on being-switched-off",
    on="being-switched-off",
    being_switched_off="asked off",  # what a person counts as done is told by no event of its own
    off="asked",  # by a changed paper
)
CHANGE_OF_SERVICE = _machine(
    {
        "service-change.requested": "asked",
        "service.changed": "changed",
        "service-change-cancel.requested": "being-taken-back",
        "service-change-cancel.confirmed": "as-it-stood",
    },
    before="asked",
    asked="changed being-taken-back",
    changed="being-taken-back",
    being_taken_back="as-it-stood",
    as_it_stood="",
)
OFF_WITH_BASE = _machine({"product-off.requested": "asked", "product-off.completed": "off"}, before="asked", asked="off", off="")
PROFILE = _machine(
    {
        "esim.requested": "asked",
        "esim.confirmed": "ready",
        "esim.downloaded": "on-a-device",
        "esim-cancel.requested": "being-called-off",
        "esim-cancel.confirmed": "called-off",
    },
    before="asked",
    asked="ready on-a-device being-called-off",  # what a person counts as done is told by no event of its own
    ready="on-a-device being-called-off",
    on_a_device="",
    being_called_off="asked called-off",
    called_off="asked",  # by a changed paper
)
VISIT = _machine(
    {
        "appointment.requested": "asked",
        "appointment.kept": "kept",
        "appointment-cancel.requested": "being-called-off",
        "appointment-cancel.confirmed": "called-off",
    },
    before="asked",
    asked="kept being-called-off",
    kept="asked",  # at another address, by a changed paper
    being_called_off="asked called-off",
    called_off="asked",  # by a changed paper
)
SWITCH_IN = _machine(
    {
        "switch-match.requested": "asked",
        "switch-match.completed": "matched",
        "switch-order.completed": "ordered",
        "switch-trigger.completed": "ours",
        "switch-cancel.requested": "being-called-off",
        "switch-cancel.confirmed": "called-off",
    },
    before="asked",
    asked="matched ordered ours being-called-off",  # what a person counts as done is told by no event of its own
    matched="asked ordered ours being-called-off",  # asked again: the reference was too old
    ordered="asked ours being-called-off",
    ours="",
    being_called_off="asked called-off",
    called_off="asked",  # by a changed paper that names another provider
)
SUSPENSION = _machine(
    {
        "order.suspended": "suspended",
        "order.suspension-fell-out": "overrun",
        "order.resumed": "resumed",
    },
    before="suspended",
    suspended="overrun resumed",
    overrun="suspended resumed",
    resumed="suspended",
)
JOURNEY = _machine(
    {
        "journey.started": "open",
        "journey.ordered": "ordered",
        "journey.followed": "followed",
        "journey.lost": "lost",
    },
    before="open followed",  # whoever is known by another token is led to the journey of the same person at once
    open="ordered followed lost",
    ordered="",
    followed="",
    lost="ordered",  # by an order that names it
)
COMPLAINT = _machine(
    {
        "complaint.raised": "open",
        "complaint.answered": "answered",
        "complaint.deadlocked": "outside",
        "complaint.opened-outside": "outside",
        "complaint.resolved": "resolved",
    },
    before="open",
    open="answered outside resolved",
    answered="outside resolved",
    outside="answered resolved",
    resolved="",
)
