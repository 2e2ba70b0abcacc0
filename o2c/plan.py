"""The one list of steps, kinds of stream and reactions, and the data that maps product specifications to steps and waits.

The only file that knows several capabilities; the engine and all above it are generic over it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any, cast

from o2c.access.state import ACCESS, ISSUERS, KEY
from o2c.activation.step import CANCEL as ACTIVATION_CANCEL
from o2c.activation.step import CHANGE as SERVICE_CHANGE
from o2c.activation.step import CHANGE_CANCEL as SERVICE_CHANGE_CANCEL
from o2c.activation.step import STEP as ACTIVATION
from o2c.appointment.step import CANCEL as APPOINTMENT_CANCEL
from o2c.appointment.step import STEP as APPOINTMENT
from o2c.catalogue.state import KIND as CATALOGUE
from o2c.catalogue.state import CatalogueState
from o2c.charging.step import STEP as CHARGING
from o2c.collections.events import DisputeSettled
from o2c.collections.state import KIND as COLLECTION
from o2c.collections.step import BARRING
from o2c.collections.step import STEP as COLLECTIONS
from o2c.complaints.state import KIND as COMPLAINT
from o2c.complaints.state import OFFERS
from o2c.complaints.step import STEP as COMPLAINT_CLOCK
from o2c.credit.policy import policies_of
from o2c.credit.step import NOTICE as CREDIT_NOTICE
from o2c.credit.step import STEP as CREDIT
from o2c.credit.step import credit_step
from o2c.customers.agreements import KIND as CARE
from o2c.customers.state import KIND as CUSTOMER
from o2c.delivery.step import STEP as DELIVERY
from o2c.devices.state import KIND as DEVICE
from o2c.devices.step import ARRIVAL as DEVICE_ARRIVAL
from o2c.devices.step import RESTOCK as DEVICE_RESTOCK
from o2c.devices.step import STEP as DEVICE_STEP
from o2c.esim.step import CANCEL as ESIM_CANCEL
from o2c.esim.step import DOWNLOAD as ESIM_DOWNLOAD
from o2c.esim.step import STEP as ESIM
from o2c.fallout.codes import packaged
from o2c.fallout.record import KIND as FALLOUT
from o2c.fallout.state import KIND as CODES
from o2c.fallout.state import RATES
from o2c.hooks.state import KIND as HOOK
from o2c.identity.step import STEP as IDENTITY
from o2c.intake.state import KIND as INTAKE
from o2c.inventory.step import STEP as INVENTORY
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.range_state import KIND as RANGES
from o2c.invoicing.reaction import NOT_OWED, UNSERVED, WRITTEN_OFF, credits_disputed
from o2c.invoicing.state import ACCOUNT
from o2c.invoicing.step import NOTE, OVERDUE, RELIEF, bill_run_step, credit_return_step, one_off_step
from o2c.jobs.state import KIND as JOB
from o2c.journeys.state import KIND as JOURNEY
from o2c.journeys.state import POLICY as JOURNEY_POLICY
from o2c.journeys.state import PROSPECTS
from o2c.journeys.step import FORGETTING
from o2c.journeys.step import STEP as JOURNEY_LOOK
from o2c.kernel.reaction import Reaction
from o2c.kernel.reasons import CodeBook
from o2c.kernel.step import Step
from o2c.kernel.stream import StreamKind
from o2c.ledger.state import KIND as LEDGER
from o2c.markets import registry
from o2c.markets.base import Market
from o2c.messages.state import KIND as MESSAGE
from o2c.messages.state import MESSAGING
from o2c.numbers.reaction import PORTED_OUT
from o2c.numbers.state import KIND as NUMBER
from o2c.numbers.step import ARRIVAL as NUMBER_ARRIVAL
from o2c.numbers.step import CHANGE as NUMBER_CHANGE
from o2c.numbers.step import RESERVATION
from o2c.numbers.step import RESTOCK as NUMBER_RESTOCK
from o2c.numbers.step import STEP as NUMBER_STEP
from o2c.orders.ceasing import CEASED, PIECES
from o2c.orders.in_life import BEGUN
from o2c.orders.step import DUPLICATE, VALIDATION
from o2c.orders.step import KIND as ORDER
from o2c.orders.suspending import STEP as SUSPENSION
from o2c.orders.voucher_expiry import STEP as VOUCHER_EXPIRY
from o2c.partners.reaction import PARTNER_CAME_UP
from o2c.partners.state import KIND as PARTNER
from o2c.partners.step import PROBE
from o2c.payments.settling import settled
from o2c.payments.step import STEP as PAYMENT
from o2c.porting.step import CANCEL as PORTING_CANCEL
from o2c.porting.step import CUTOVER
from o2c.porting.step import STEP as PORTING
from o2c.products.reaction import NOTICED
from o2c.products.state import KIND as PRODUCT
from o2c.products.step import CODE as PORTING_CODE
from o2c.products.step import CUTOVER as PORT_OUT_CUTOVER
from o2c.products.step import END_NOTICE, OFF_WITH_BASE, REACTIVATION, SWITCH_OFF, SWITCH_OUT
from o2c.qualification.step import STEP as QUALIFICATION
from o2c.quota.state import KIND as QUOTA
from o2c.quota.step import STEP as PREPAID_EXPIRY
from o2c.refunds.rules import request as refund_request
from o2c.refunds.state import KIND as REFUND
from o2c.refunds.step import STEP as REFUND_STEP
from o2c.saved.state import KIND as SAVED_VIEWS
from o2c.sim.state import KIND as SIM
from o2c.sim.step import ARRIVAL as SIM_ARRIVAL
from o2c.sim.step import RESTOCK as SIM_RESTOCK
from o2c.sim.step import STEP as SIM_STEP
from o2c.stock.reaction import STOCK_CAME, stock_expected
from o2c.stock.state import KIND as DELIVERY_OF_STOCK
from o2c.switching.step import CANCEL as SWITCH_CANCEL
from o2c.switching.step import MATCH as SWITCH_MATCH
from o2c.switching.step import ORDER as SWITCH_ORDER
from o2c.switching.step import TRIGGER as SWITCH_TRIGGER
from o2c.triggers.state import FIRING, TRIGGERS
from o2c.triggers.step import STEP as TRIGGER_TASK
from o2c.usage.state import KIND as USAGE
from o2c.usage.state import ZONES
from o2c.vouchers.state import KIND as VOUCHER
from o2c.withdrawals.state import KIND as WITHDRAWAL
from o2c.withdrawals.step import AWAITED as WITHDRAWAL_TO_COME
from o2c.withdrawals.step import OFF as WITHDRAWAL_SWITCH_OFF
from o2c.withdrawals.step import RETURN as GOODS_RETURN
from o2c.withdrawals.step import refund_step

BILL_RUN, ONE_OFF_INVOICE = bill_run_step(settled), one_off_step(settled)
CREDIT_RETURN, WITHDRAWAL_REFUND = credit_return_step(settled, refund_request), refund_step(refund_request)
STEPS: Mapping[str, Step] = {
    step.name: step
    for step in (
        *(VALIDATION, DUPLICATE, IDENTITY, CREDIT),
        CREDIT_NOTICE,
        *(SIM_STEP, NUMBER_STEP, DEVICE_STEP, PORTING, DELIVERY, ESIM, ACTIVATION, ESIM_DOWNLOAD, CUTOVER, NUMBER_CHANGE),
        *(QUALIFICATION, APPOINTMENT, CHARGING, SERVICE_CHANGE, INVENTORY),
        *(PORTING_CANCEL, ESIM_CANCEL, APPOINTMENT_CANCEL, ACTIVATION_CANCEL, SERVICE_CHANGE_CANCEL),
        *(SWITCH_MATCH, SWITCH_ORDER, SWITCH_TRIGGER, SWITCH_CANCEL),
        *(
            SIM_ARRIVAL,
            NUMBER_ARRIVAL,
            SIM_RESTOCK,
            NUMBER_RESTOCK,
            RESERVATION,
            BILL_RUN,
            OVERDUE,
            NOTE,
            PAYMENT,
            COLLECTIONS,
            BARRING,
            PROBE,
        ),
        *(DEVICE_ARRIVAL, DEVICE_RESTOCK, ONE_OFF_INVOICE, CREDIT_RETURN, PREPAID_EXPIRY, RELIEF, REFUND_STEP, VOUCHER_EXPIRY, SUSPENSION),
        *(PORTING_CODE, SWITCH_OFF, PORT_OUT_CUTOVER, REACTIVATION, END_NOTICE, SWITCH_OUT, OFF_WITH_BASE),
        *(JOURNEY_LOOK, FORGETTING, COMPLAINT_CLOCK),
        *(WITHDRAWAL_TO_COME, WITHDRAWAL_SWITCH_OFF, GOODS_RETURN, WITHDRAWAL_REFUND),
        TRIGGER_TASK,
    )
}
KINDS: Mapping[str, StreamKind] = {
    kind.category: kind
    for kind in (
        ORDER,
        PRODUCT,
        SIM,
        NUMBER,
        DEVICE,
        CUSTOMER,
        CATALOGUE,
        DELIVERY_OF_STOCK,
        ACCOUNT,
        INVOICE,
        RANGES,
        COLLECTION,
        REFUND,
        LEDGER,
        INTAKE,
        PARTNER,
        CODES,
        RATES,
        FALLOUT,
        JOB,
        ACCESS,
        KEY,
        ISSUERS,
        HOOK,
        USAGE,
        ZONES,
        QUOTA,
        SAVED_VIEWS,
        VOUCHER,
        JOURNEY,
        COMPLAINT,
        PROSPECTS,
        MESSAGE,
        MESSAGING,
        WITHDRAWAL,
        TRIGGERS,
        OFFERS,
        CARE,
        JOURNEY_POLICY,
        FIRING,
    )
}

PLAN_VERSION = "2026-12"
Wanted = Mapping[str, str]
StepRow = tuple[str, tuple[str, ...], Callable[[Wanted], bool]]


def _always(wanted: Wanted) -> bool:
    return True


def _physical(wanted: Wanted) -> bool:
    return wanted.get("simType") != "esim"


def _esim(wanted: Wanted) -> bool:
    return wanted.get("simType") == "esim"


def _porting(wanted: Wanted) -> bool:
    return "portInNumber" in wanted


def _switching(wanted: Wanted) -> bool:
    return "switchFrom" in wanted


# Step, the steps of the same item it waits for (those that are planned), and when it is planned.
PLANS: Mapping[str, tuple[StepRow, ...]] = {
    "spec-mobile": (
        ("sim", (), _always),
        ("number", (), _always),
        ("porting", (), _porting),
        ("delivery", ("sim",), _physical),
        ("esim", ("sim",), _esim),
        ("activation", ("sim", "number", "delivery", "esim"), _always),
        ("esim-download", ("activation",), _esim),
        ("charging", ("activation", "esim-download"), _always),
        ("cutover", ("porting",), _porting),
        ("number-change", ("cutover",), _porting),
    ),
    "spec-access": (
        ("qualification", (), _always),
        ("switch-match", ("qualification",), _switching),
        ("switch-order", ("switch-match",), _switching),
        ("appointment", ("qualification", "switch-order"), _always),
        ("activation", ("appointment",), _always),
        ("switch-trigger", ("activation",), _switching),
        ("charging", ("activation",), _always),
    ),
    "spec-device": (
        ("device", (), _always),
        ("delivery", ("device",), _always),
        ("charging", ("delivery",), _always),
    ),
    "spec-add-on": (
        ("activation", (), _always),
        ("charging", ("activation",), _always),
    ),
}
SPECIFICATIONS = frozenset(PLANS)

# The steps that change a product in service: step, those of the same item it waits for, and when it is planned, by the attributes that
# change.
ChangeRow = tuple[str, tuple[str, ...], Callable[[Collection[str], Wanted], bool]]
_SERVING = frozenset({"offering", "sim", "number", "place", "status", "termination"})


def _attribute(name: str, of: Callable[[Wanted], bool] = _always) -> Callable[[Collection[str], Wanted], bool]:
    return lambda attributes, wanted: name in attributes and of(wanted)


CHANGES: tuple[ChangeRow, ...] = (
    ("sim", (), _attribute("sim")),
    ("number", (), _attribute("number")),
    ("delivery", ("sim",), _attribute("sim", _physical)),
    ("esim", ("sim",), _attribute("sim", _esim)),
    ("qualification", (), _attribute("place")),
    ("appointment", ("qualification",), _attribute("place")),
    ("service-change", ("sim", "number", "delivery", "esim", "appointment"), lambda attributes, wanted: bool(_SERVING & set(attributes))),
    ("esim-download", ("service-change",), _attribute("sim", _esim)),
    ("inventory", ("service-change", "esim-download"), lambda attributes, wanted: True),
)


_DRAWS = {step.name: step.draw for step in STEPS.values() if step.draw}
REACTIONS: tuple[Reaction, ...] = (
    STOCK_CAME,
    PARTNER_CAME_UP,
    UNSERVED,
    credits_disputed(DisputeSettled),
    WRITTEN_OFF,
    NOT_OWED,
    CEASED,
    PIECES,
    PORTED_OUT,
    BEGUN,
    NOTICED,
    stock_expected(drawing=frozenset(_DRAWS), sources=frozenset(source for draw in _DRAWS.values() for source in draw.sources)),
)
"""What follows of an event in other streams than its own, by itself."""


@dataclass(frozen=True)
class PlanBook:
    """What planning and advancing need; `catalogue` reads a version of the catalogue's stream, `loaded_codes` gives the reason codes."""

    catalogue: Callable[[int], CatalogueState]
    steps: Mapping[str, Step] = field(default_factory=lambda: STEPS)
    plan_version: str = PLAN_VERSION
    loaded_codes: Callable[[], CodeBook] = packaged
    plans: Mapping[str, tuple[StepRow, ...]] = field(default_factory=lambda: PLANS)

    @property
    def codes(self) -> CodeBook:
        """The reason codes: the packaged ones, with what the operator loaded over them."""
        return self.loaded_codes()

    def market(self, pin: str) -> Market:
        """The market that an order or account pinned."""
        return cast("Market", registry.market(pin))

    def steps_of(self, specification: str, characteristics: Wanted) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The steps of a product specification, in order, each with those of the same item it waits for."""
        rows = [(step, waits) for step, waits, planned in self.plans.get(specification, ()) if planned(characteristics)]
        names = {step for step, _ in rows}
        return tuple((step, tuple(wait for wait in waits if wait in names)) for step, waits in rows)

    def steps_of_change(
        self, specification: str, attributes: Collection[str], characteristics: Wanted
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The steps that change these attributes of a product, as `steps_of` gives them. Nothing is switched on or off for goods."""
        rows = [(step, waits) for step, waits, planned in CHANGES if planned(attributes, characteristics)]
        if specification == "spec-device":
            rows = [row for row in rows if row[0] == "inventory"]
        names = {step for step, _ in rows}
        return tuple((step, tuple(wait for wait in waits if wait in names)) for step, waits in rows)

    def crediting(self, document: Mapping[str, Any], version: str) -> PlanBook:
        """The book with the credit gate under the policies of a document. ValueError as `policies_of`."""
        policies = policies_of(document, version, frozenset(registry.MARKETS))
        return replace(self, steps={**self.steps, CREDIT.name: credit_step(policies)})

    def timed(self, leads: Mapping[str, timedelta], waits: Mapping[str, Mapping[str, tuple[str, ...]]]) -> PlanBook:
        """The book with other times from the request of a step until it is due, by step, and other waits, by specification and step.

        ValueError for a step that there is not, that is due by a rule of its own or is no part of a specification, and for steps that wait
        in a circle.
        """
        steps, plans = dict(self.steps), dict(self.plans)
        for name, lead in leads.items():
            if name not in steps or steps[name].due or steps[name].requested is None:
                raise ValueError(f"plan.steps.{name}: no step of that name is due a time after its request")
            steps[name] = replace(steps[name], lead=lead)
        for specification, others in waits.items():
            rows = plans.get(specification, ())
            if unknown := {name for step, named in others.items() for name in (step, *named)} - {row[0] for row in rows}:
                raise ValueError(f"plan.waits.{specification} has no step {min(unknown)}")
            plans[specification] = tuple((step, others.get(step, named), planned) for step, named, planned in rows)
            _in_line(specification, plans[specification])
        return replace(self, steps=steps, plans=plans)

    def patient(self, silences: Mapping[str, int]) -> PlanBook:
        """The book with another number of questions after a silence, by step. ValueError for a step that no partner carries out."""
        for name in silences:
            if name not in self.steps or not self.steps[name].ask:
                raise ValueError(f"plan.steps.{name}: no partner carries out a step of that name")
        return replace(self, steps={**self.steps, **{name: replace(self.steps[name], silences_max=n) for name, n in silences.items()}})


def _in_line(specification: str, rows: tuple[StepRow, ...]) -> None:
    try:
        TopologicalSorter({step: waits for step, waits, _ in rows}).prepare()
    except CycleError as error:
        raise ValueError(f"plan.waits.{specification}: {' waits for '.join(reversed(error.args[1]))}") from None
