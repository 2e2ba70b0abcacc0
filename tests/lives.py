"""The lives of the golden folds: by kind of stream, what happened in each, as events with what differs from their examples."""

from collections.abc import Mapping, Sequence
from typing import Any

from o2c.orders.state import suspicion
from tests.lives_of_business import BOUGHT, PAYING, PLACED
from tests.lives_of_changes import CHANGED_IN_FLIGHT, OF_PORT, PORT_CANCELLED
from tests.lives_of_devices import OF_DELIVERIES, OF_DEVICES, OF_INSTALMENTS, OF_INVOICES
from tests.lives_of_goods_in_service import OF_NUMBERS_GONE, OF_PRODUCTS
from tests.lives_of_journeys import OF_JOURNEYS, TRIED
from tests.lives_of_messages import OF_MESSAGES
from tests.lives_of_payments import BILLED_LATE, CHARGED_BACK, CREDIT_TAKEN_BACK, GIVEN_UP, PAID_IN_PARTS, PAID_LATE, RANGED
from tests.lives_of_usage import OF_PREPAID, OF_USAGE
from tests.lives_of_withdrawals import OF_WITHDRAWALS
from tests.vouched import LIFE as VOUCHED

ORDER = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"
Told = tuple[str, Mapping[str, Any]]
_NO, _TWO = {"item": ""}, {"item": "2"}
_PORT, _RUN, _PAY = {"step": "porting"}, {"item": "", "step": "bill-run"}, {"item": "", "step": "payment", "query": True}
_CAME = {"fallout": suspicion(ORDER, "2c26b46b68ffc68f")}
_WISH = {"portInNumber": "+447700900123", "portInCode": "ABC123456", "simType": "physical"}
_CAPTURED: Told = ("order.captured", {
    "lines": [{"item": "1", "action": "add", "quantity": "1", "offering": "mobile-line"},
              {"item": "2", "action": "add", "quantity": "1", "offering": "roaming", "relies_on": ["1"]}],
    "details": [{"characteristics": _WISH, "place": "1 Mill Lane, Testford, ZZ1 1AA"}, {}],
})  # fmt: skip
_ITEM: Mapping[str, Any] = {
    "recurring_minor": 1999, "one_time_minor": 1000, "promised_on": "2026-01-08", "start_on": "2026-01-05", "wished_on": "2026-01-06",
}  # fmt: skip
_PLANNED: Told = ("order.planned", {"items": [
    {"item": "1", "line": "1", "offering": "mobile-line", "specification": "spec-mobile", "characteristics": _WISH, **_ITEM, "steps": [
        {"step": "sim"}, {"step": "number"}, {"step": "porting"}, {"step": "delivery", "waits": ["sim"]},
        {"step": "activation", "waits": ["sim", "number", "delivery"]}, {"step": "charging", "waits": ["activation"]},
        {"step": "cutover", "waits": ["porting", "activation"]}, {"step": "number-change", "waits": ["cutover"]}]},
    {"item": "2", "line": "2", "offering": "roaming", "specification": "spec-add-on", "characteristics": {}, "relies_on": ["1"], **_ITEM,
     "steps": [{"step": "activation", "waits": ["1/activation"]}, {"step": "charging", "waits": ["activation"]}]},
]})  # fmt: skip
_GATES: tuple[Told, ...] = (
    _CAPTURED, ("validation.requested", {}), ("order.validated", {}), ("identity.requested", {}), ("identity.passed", {}),
    ("credit.requested", {}), ("credit.approved", {}), _PLANNED,
)  # fmt: skip
LIVES: Mapping[str, Mapping[str, Sequence[Told]]] = {
    "order": {
        **BOUGHT, "wish corrected, then changed by its channel": (
            _CAPTURED, ("validation.requested", {}), ("validation.fell-out", {}),
            ("fallout.correction-applied", {**_NO, "step": "validation", "changes": {
                "party": "C-1002", "account": "BA-1002", "catalogue": "13", "line.1.offering": "mobile-plus", "line.2.relies_on": "1,3",
                "line.1.simType": "esim", "line.2.place": "2 Mill Lane, Testford, ZZ1 1AA"}}),
            ("validation.requested", {"attempt": 2}), ("order.resubmitted", {}), ("duplicate.suspected", {}),
        ),
        "rejected": (
            _CAPTURED, ("validation.requested", {}), ("order.validated", {}), ("identity.requested", {}), ("identity.fell-out", {}),
            ("fallout.decided", {"step": "identity", "decision": "decline"}), ("identity.failed", {}), ("order.rejected", {})),
        "changed while its parcel waits, by a paper that brings no number and one line less": (*_GATES, *CHANGED_IN_FLIGHT),
        "waiting for a partner, the customer and us": (
            *_GATES, ("sim.requested", {}), ("sim.assigned", {}), ("porting.requested", {}), ("porting.fell-out", {}),
            ("number.requested", {}), ("number.fell-out", {"waiting_for": "us"}), ("delivery.requested", {}), ("partner.accepted", {}),
            ("partner.silent", {"step": "delivery", "attempt": 2}), ("order.jeopardy-raised", {}), ("order.jeopardy-raised", {"item": "2"}), ("order.jeopardy-cleared", {}),
        ),
        "completed": (
            *_GATES, ("promise.made", {}), ("promise.revised", {}), ("sim.requested", {}), ("sim.assigned", {"kind": "physical"}), ("number.requested", {}),
            ("number.assigned", {"temporary": True}), ("porting.requested", {}), ("porting.fell-out", {}),
            ("fallout.correction-applied", {"changes": {"portInCode": "XYZ987654", "place": "3 Mill Lane, Testford, ZZ1 1AA"}}),
            ("porting.requested", {"attempt": 2}), ("porting.scheduled", {"attempt": 2}), ("delivery.requested", {}),
            ("partner.accepted", {}), ("delivery.delivered", {}), ("activation.requested", {}), ("activation.fell-out", {}),
            ("retry.scheduled", {}), ("activation.requested", {"attempt": 2}), ("service.activated", {"attempt": 2}),
            ("charging.requested", {}), ("charging.started", {}), ("activation.requested", _TWO), ("service.activated", _TWO),
            ("charging.started", _TWO), ("cutover.number-ported-in", {}), ("number.changed", {}), ("order.completed", {}),
        ),
        "a deposit at the gate, a number kept, and given up": (
            *_GATES[:5], ("credit.requested", {}), ("credit.fell-out", {}), ("deposit.received", {"amount_minor": 4000, "missing_minor": 6000}),
            ("deposit.received", {}), ("credit.approved", {"decided_by": "deposit"}), _PLANNED, ("number.earmarked", {}),
            ("number.earmark-dropped", {}), ("deposit.released", {}),
        ),
        "money that came once it was declined": (
            *_GATES[:5], ("credit.requested", {}), ("credit.fell-out", {}), ("credit.declined", {}), ("order.rejected", {}),
            ("deposit.received", {"wanted_minor": 0}), ("deposit.released", {}),
        ),
        "a parcel lost": (
            *_GATES, ("sim.requested", {}), ("sim.assigned", {"kind": "physical"}), ("delivery.requested", {}), ("delivery.handed-over", {}),
            ("delivery.fell-out", {"reason": "LOG-LOST", "waiting_for": "us"}), ("sim.lost", {}), ("step.renewed", {}),
            ("sim.requested", {"attempt": 2}), ("sim.assigned", {"attempt": 2, "iccid": "8944770000000000017", "kind": "physical"}),
            ("delivery.requested", {"attempt": 2}),
        ),
        "failed": (
            *_GATES, ("sim.assigned", {}), ("number.assigned", {}), ("porting.fell-out", {}),
            ("fallout.decided", {"item": "1", "step": "porting", "decision": "fail"}), ("item.failed", {}), ("sim.released", {}),
            ("step.cancelled", {"item": "1", **_PORT}), ("item.cancelled", _TWO), ("order.failed", {}),
        ),
        "stock that was announced, and is not any more": (
            *_GATES, ("sim.requested", {}), ("sim.fell-out", {}), ("stock.expected", {}), ("number.requested", {}),
            ("number.fell-out", {}), ("stock.expected", {"step": "number", "expected_at": None, "detail": ""}),
        ),
        "stopped by a defect": (*_GATES, ("sim.requested", {}), ("step.stopped", {"item": "1", "step": "sim"})),
        "its partners down": (*_GATES, ("activation.requested", {}), ("call.parked", {}), ("call.resumed", {}), ("call.parked", _PORT)),
        "a resubmission settled": (*_GATES, ("order.resubmitted", {}), ("duplicate.suspected", _CAME), ("duplicate.settled", _CAME)),
        "a resubmission refused": (
            *_GATES, ("order.resubmitted", {}), ("duplicate.suspected", _CAME), ("duplicate.settled", {**_CAME, "decision": "decline", "order": ""}),
            ("order.resubmission-refused", {}),
        ),
        "completed in part": (
            *_GATES, ("step.forced", {"item": "1", "step": "delivery"}), ("service.activated", {}), ("activation.fell-out", _TWO),
            ("item.failed", _TWO), ("order.amended", {}), ("order.partially-completed", {}), ("item.taken-into-use", {}), ("item.ceased", {}),
        ),
        "cancelled": (*_GATES, ("item.cancelled", {"item": "1", "base": "3"}), ("item.cancelled", _TWO), ("order.cancelled", {})),
        "cancelled when its partners had dropped its work": (
            *_GATES, ("sim.assigned", {}), ("porting.requested", {}), ("porting.scheduled", {}), ("delivery.requested", {}), ("partner.silent", {}),
            ("cancellation.requested", {}), ("cancellation.refused", {}), ("cancellation.requested", {}), ("cancellation.accepted", {}),
            ("item.cancelled", {**_TWO, "base": ""}), ("porting-cancel.requested", {}), ("item.cancelled", {"item": "1", "base": ""}),
            ("step.cancelled", {"item": "1", "step": "delivery"}), ("sim.released", {}), ("porting-cancel.fell-out", {}),
            ("step.forced", {"item": "1", "step": "porting-cancel"}), ("order.cancelled", {}),
        ),
        "a port given up for a line that came late, then late itself": (
            *_GATES, ("porting.requested", {}), ("porting.scheduled", {}), ("cutover.requested", {}), ("cutover.postponed", {}),
            ("porting.requested", {"attempt": 2, "replaces": "2026-01-06T09:00:00Z"}), ("porting.postponed", {}), ("service.activated", {}),
            ("porting.requested", {"attempt": 3, "replaces": "2026-01-06T09:00:00Z"}), ("porting.rescheduled", {"attempt": 3}),
            ("cutover.requested", {"attempt": 2}), ("cutover.fell-out", {"attempt": 2}), ("porting.window-missed", {}), ("cutover.postponed", {}),
            ("porting.requested", {"attempt": 4}), ("porting.window-kept", {"attempt": 4}), ("cutover.requested", {"attempt": 3}),
        ),
        "a port cancelled on its own, that came all the same": (
            *_GATES, ("number.assigned", {"temporary": True}), ("porting.requested", {}), ("porting.scheduled", {}), ("cutover.requested", {}),
            *PORT_CANCELLED, ("porting.window-kept", {}), ("step.renewed", {"step": "cutover"}), ("step.renewed", {"step": "number-change"}),
            ("porting-cancel.refused", {}), ("cutover.requested", {"attempt": 2}),
        ),
        "a port cancelled on its own": (
            *_GATES, ("number.assigned", {"temporary": True}), ("porting.requested", {}), ("porting.scheduled", {}), ("cutover.requested", {}),
            *PORT_CANCELLED, ("promise.revised", {"promised_on": "2026-01-07"}), ("porting-cancel.confirmed", {}),
        ),
        "a port cancelled before the plan": (
            _CAPTURED, ("validation.requested", {}), ("cancellation.requested", {**OF_PORT, "items": []}), ("cancellation.accepted", OF_PORT),
        ),
    },
    "sim": {
        "assigned": (("sim.received", {}), ("sim.taken", {})),
        "returned": (("sim.received", {}), ("sim.taken", {}), ("sim.returned", {}), ("sim.restocked", {})),
        "scrapped": (("sim.received", {}), ("sim.taken", {}), ("sim.scrapped", {})),
        "standing still": (("sim.received", {}), ("sim.taken", {}), ("sim.returned", {}), ("sim.restock-fell-out", {})),
        "stopped": (("sim.received", {}), ("sim.returned", {}), ("step.stopped", {**_NO, "step": "sim-restock"})),
    },
    "device": OF_DEVICES,
    "product": OF_PRODUCTS,
    "number": {
        "assigned": (("number.received", {}), ("number.taken", {})),
        "golden": (("number.received", {"number_class": "golden"}),),
        "kept and taken": (("number.received", {"number_class": "golden"}), ("number.reserved", {}), ("number.taken", {})),
        "kept and given back": (("number.received", {}), ("number.reserved", {}), ("number.reservation-released", {})),
        "kept too long": (("number.received", {}), ("number.reserved", {}), ("number.reservation-lapsed", {})),
        "resting": (("number.received", {}), ("number.taken", {}), ("number.quarantined", {}), ("number.rested", {})),
        "claimed and taken": (("number.received", {}), ("number.taken", {}), ("number.quarantined", {}), ("number.reserved", {}), ("number.taken", {})),
        "claimed in vain": (("number.received", {}), ("number.quarantined", {}), ("number.reserved", {}), ("number.claim-dropped", {})),
        "never used": (("number.received", {}), ("number.quarantined", {"use": "never-used", "claimable": False, "free_by": "2026-02-15T00:00:00Z"})),
        "brought in": (("number.brought-in", {}),), **OF_NUMBERS_GONE,
        "brought in, then returned": (("number.brought-in", {}), ("number.quarantined", {}), ("number.returned", {})),
        "brought in, claimed by its customer and given back": (
            ("number.brought-in", {}), ("number.quarantined", {}), ("number.reserved", {}), ("number.taken", {}), ("number.quarantined", {}),
        ),
        "standing still in its rest": (("number.received", {}), ("number.quarantined", {}), ("number.restock-fell-out", {})),
        "standing still while kept": (("number.received", {}), ("number.reserved", {}), ("number.reservation-fell-out", {})),
        "stopped": (("number.received", {}), ("number.quarantined", {}), ("step.stopped", {**_NO, "step": "number-restock"})),
    },
    **OF_JOURNEYS, "customer": {
        **TRIED, **PLACED, "moved": (("customer.registered", {}), ("customer.preferences-stated", {}), ("customer.registered", {"address": "2 Mill Lane, Testford, ZZ1 1AA"})),
        "approved, with a second order": (
            ("customer.registered", {}), ("credit.decided", {}), ("credit.committed", {"order": "A"}), ("credit.committed", {"order": "B"}),
            ("credit.released", {"order": "A"}), ("credit.released", {"order": "B", "released_minor": 7976}),
        ),
        "asked for a deposit, and told why": (
            ("customer.registered", {}), ("credit.decided", {"result": "deposit", "committed_minor": 0}), ("credit.notice-owed", {}),
            ("credit.notice-owed", {"order": "A"}), ("customer.contacted", {"topic": "credit-notice"}),
        ),
    },
    "catalogue": {
        "republished": (
            ("catalogue.offering-published", {}), ("catalogue.offering-published", {"offering": "roaming", "sellable": False}),
            ("catalogue.offering-published", {"version": "1.1", "status": "Retired", "valid_to": "2026-03-01T00:00:00Z"}),
        ),
        "a draft, and a version that another took the place of": (
            ("catalogue.offering-published", {}), ("catalogue.offering-published", {"version": "2.0", "status": "Draft"}),
            ("catalogue.offering-published", {"version": "1.1"}), ("catalogue.offering-published", {"status": "Retired"}),
        ),
        "a price rises": (("catalogue.offering-published", {}), ("catalogue.price-rise-announced", {})),
        "published before offerings had prices": (("catalogue.offering-published", {"prices": [], "recurring_minor": 1999, "one_time_minor": 1000}),),
    },
    "voucher": VOUCHED,
    "delivery": {**OF_DELIVERIES, "announced": (("sims.announced", {}),), "arrived": (("sims.announced", {}), ("sims.arrived", {})), "standing still": (("sims.announced", {}), ("sims.fell-out", {})),
                 "numbers standing still": (("numbers.announced", {}), ("numbers.fell-out", {})), "stopped": (("sims.announced", {}), ("step.stopped", {**_NO, "step": "sim-arrival"}))},
    "account": {
        **OF_INSTALMENTS, **BILLED_LATE, **PAYING,
        "opened": (("account.opened", {}),),
        **OF_USAGE,
        **CREDIT_TAKEN_BACK, "money held, used and paid back": (
            ("account.opened", {}), ("account.deposit-kept", {"amount_minor": 4000}), ("account.deposit-kept", {"amount_minor": 1000}), ("account.deposit-kept", {"order": "2"}),
            ("account.deposit-freed", {"amount_minor": 5000}), ("account.deposit-freed", {"order": "2", "becomes": "credit"}),
            ("account.credit-received", {}), ("account.charge-started", {}), ("account.credit-used", {"amount_minor": 2399}),
            ("account.money-returned", {"amount_minor": 6000, "of_owed_minor": 5000}),
        ),
        "given back by the provider": (
            ("account.opened", {}), ("account.credit-received", {"amount_minor": 20_000}), ("account.refund-wanted", {"amount_minor": 15_000}),
            ("account.refund-reserved", {"amount_minor": 15_000, "of_credit_minor": 15_000, "approved_by": "bob"}),
            ("account.refund-reserved", {"refund": "BA-1001-R2"}),
            ("account.money-returned", {"amount_minor": 15_000, "of_owed_minor": 15_000, "refund": "BA-1001-R1"}),
        ),
        "billed": (
            ("account.charge-started", {}), ("account.charge-started", {"item": "2", "starts_on": "2026-01-09"}),
            ("account.bill-run-requested", {}), ("account.billed", {}),
        ),
        "billed by the month and by the year": (
            ("account.charge-started", {"terms": {"period_unit": "year"}}), ("account.charge-started", {"item": "2"}),
            ("account.bill-run-requested", {}), ("account.billed", {}),
            ("account.bill-run-requested", {"run_on": "2026-02-08"}),
            ("account.billed", {"run_on": "2026-02-08", "billed_to": "2026-03-08", "own_periods_to": {}}),
        ),
        "withdrawn, then not billed": (
            ("account.charge-started", {}), ("account.bill-run-requested", {}), ("account.charge-withdrawn", {}),
            ("step.cancelled", {**_NO, "step": "bill-run"}),
        ),
        "billed, then withdrawn": (
            ("account.charge-started", {}), ("account.bill-run-requested", {}), ("account.billed", {}),
            ("account.charge-withdrawn", {}), ("account.days-not-served", {}),
        ),
        "served to its end, then the final bill": (
            ("account.charge-started", {}), ("account.bill-run-requested", {}), ("account.billed", {}), ("account.charge-started", {"item": "2", "starts_on": "2026-01-09"}),
            ("account.charge-withdrawn", {"served": True}), ("account.days-not-served", {}), ("account.charge-withdrawn", {"item": "2", "served": True}),
            ("account.bill-run-requested", {"run_on": "2026-02-08"}), ("account.billed", {"run_on": "2026-02-08", "billed_to": "2026-03-08", "final": True}),
        ),
        "barred, not charged, and served again": (
            ("account.charge-started", {}), ("account.bill-run-requested", {}), ("account.billed", {}),
            ("account.charge-rested", {"rested_from": "2026-01-20", "credited": False}), ("account.charge-resumed", {"resumed_on": "2026-01-25"}), ("account.charge-rested", {"rested_from": "2026-01-25"}), ("account.days-not-served", {"ended_on": "2026-01-25"}),
            ("account.bill-run-requested", {"run_on": "2026-02-08"}), ("account.billed", {"run_on": "2026-02-08", "billed_to": "2026-03-08", "invoice": ""}), ("account.charge-resumed", {}),
        ),
        "standing still": (
            ("account.charge-started", {}), ("account.bill-run-requested", {"attempt": 2}), ("account.bill-run-fell-out", {"attempt": 2}),
            ("retry.scheduled", {**_NO, "step": "bill-run"}), ("partner.accepted", {**_NO, "step": "bill-run"}),
            ("partner.silent", {**_NO, "step": "bill-run"}), ("fallout.decided", {**_NO, "step": "bill-run"}),
            ("step.stopped", {**_NO, "step": "bill-run"}),
        ),
        "waiting": (("account.charge-started", {}), ("account.bill-run-requested", {}), ("call.parked", _RUN), ("call.resumed", _RUN)),
    },
    "invoice": {
        "its provider down": (("invoice.issued", {}), ("payment.requested", {}), ("call.parked", _PAY), ("call.resumed", _PAY)),
        "paid late": (
            ("invoice.issued", {}), ("payment.requested", {}), ("payment.fell-out", {}), ("invoice.overdue-check-requested", {}),
            ("invoice.overdue", {}), ("fallout.correction-applied", {**_NO, "step": "payment", "changes": {"method": "pay-by-link"}}),
            ("payment.requested", {"attempt": 2}), ("partner.accepted", {**_NO, "step": "payment", "attempt": 2}),
            ("partner.silent", {**_NO, "step": "payment", "attempt": 2}), ("payment.received", {"attempt": 2, "method": "pay-by-link"}),
        ),
        "paid in parts by bank while the provider has it": (
            ("invoice.issued", {}), ("payment.requested", {}), ("partner.accepted", {**_NO, "step": "payment"}),
            ("payment.part-received", {}), ("payment.received", {"amount_minor": 1399, "remittance": "TFR-88214"}),
            ("step.cancelled", {**_NO, "step": "payment"}),
        ),
        "credited in part, then more after a second person agreed": (
            ("invoice.issued", {}), ("payment.requested", {}), ("credit-note.issued", {}),
            ("credit-note.requested", {"note": "BA-1001-20260108-C2", "lines": {"1": 800}}),
            ("credit-note.issued", {"note": "BA-1001-20260108-C2", "reason": "goodwill", "approved_by": "bob"}),
        ),
        "written off, its tax relieved, then recovered in part": (
            ("invoice.issued", {}), ("payment.requested", {}), ("payment.fell-out", {}), ("invoice.overdue", {}), ("invoice.written-off", {}),
            ("step.cancelled", {**_NO, "step": "payment"}), ("invoice.relief-requested", {}), ("invoice.tax-relieved", {}),
            ("payment.part-received", {}), ("invoice.write-off-reversed", {"amount_minor": 1000, "tax_minor": 167}),
        ),
        "its relief standing still": (("invoice.issued", {}), ("invoice.written-off", {}), ("invoice.relief-requested", {}), ("invoice.relief-fell-out", {})),
        "void": (("invoice.issued", {}), ("payment.requested", {}), ("invoice.voided", {})),
        **OF_INVOICES, **CHARGED_BACK, "covered by credit": (("invoice.issued", {"credit_used_minor": 2399}),),
        "declined": (("invoice.issued", {}), ("payment.requested", {"attempt": 3}), ("payment.fell-out", {"attempt": 3})),
        "unwatched": (
            ("invoice.issued", {}), ("payment.requested", {}), ("invoice.overdue-check-requested", {}), ("payment.received", {}),
            ("step.cancelled", {**_NO, "step": "overdue"}),
        ),
        "stopped": (
            ("invoice.issued", {}), ("payment.requested", {}), ("invoice.overdue-check-requested", {}), ("invoice.overdue-fell-out", {}),
            ("retry.scheduled", {**_NO, "step": "payment"}), ("step.stopped", {**_NO, "step": "payment"}),
            ("step.forced", {**_NO, "step": "payment"}),
        ),
    },
    "refund": {
        "paid by another method": (
            ("refund.opened", {}), ("refund.requested", {}), ("refund.fell-out", {}),
            ("fallout.correction-applied", {**_NO, "step": "refund", "changes": {"method": "bank-transfer"}}),
            ("refund.requested", {"attempt": 2, "method": "bank-transfer"}), ("partner.accepted", {**_NO, "step": "refund", "attempt": 2}),
            ("partner.silent", {**_NO, "step": "refund", "attempt": 2}), ("refund.completed", {"attempt": 2, "method": "bank-transfer"}),
        ),
        **GIVEN_UP, "its provider down": (
            ("refund.opened", {}), ("refund.requested", {}), ("call.parked", {**_NO, "step": "refund"}), ("call.resumed", {**_NO, "step": "refund"}),
            ("refund.fell-out", {"reason": "PAY-TMO"}), ("retry.scheduled", {**_NO, "step": "refund"}), ("retry.stopped", {**_NO, "step": "refund"}),
            ("fallout.decided", {**_NO, "step": "refund"}), ("step.stopped", {**_NO, "step": "refund"}),
            ("step.forced", {**_NO, "step": "refund"}), ("step.cancelled", {**_NO, "step": "refund"}),
        ),
    },
    "withdrawal": OF_WITHDRAWALS,
    "collection": {
        "barred, paid": (
            ("collections.arrears-changed", {}), ("collections.look-requested", {}), ("collections.stage-entered", {"stage": "final-notice", "was": ""}),
            ("collections.reminded", {}), ("collections.warned", {}), ("collections.looked", {}), ("collections.look-requested", {}),
            ("collections.stage-entered", {}), ("collections.bar-requested", {}), ("collections.looked", {}), ("collections.barred", {}),
            ("collections.arrears-changed", {"open_minor": 0, "cause": "payment"}), ("collections.look-requested", {}), ("collections.cleared", {}),
            ("collections.bar-requested", {"attempt": 2, "level": "", "notices": []}), ("collections.looked", {}), ("collections.bar-lifted", {}),
        ),
        "disputed, settled for each side, credited": (
            ("collections.arrears-changed", {}), ("collections.dispute-opened", {}), ("collections.dispute-settled", {"outcome": "operator"}),
            ("collections.dispute-opened", {}), ("collections.dispute-settled", {}), ("collections.dispute-opened", {"amount_minor": 500}),
            ("collections.arrears-changed", {"open_minor": 1999, "cause": "credit"}),
        ),
        "promised, broken, promised again, kept": (
            ("collections.arrears-changed", {}), ("collections.promise-made", {}),
            ("collections.arrears-changed", {"open_minor": 1399, "cause": "payment"}), ("collections.promise-broken", {}),
            ("collections.promise-made", {"amount_minor": 1399}), ("collections.promise-kept", {"amount_minor": 1399}),
        ),
        **PAID_IN_PARTS, **PAID_LATE,
        "promised": (("collections.arrears-changed", {}), ("collections.promise-made", {})),
        "held": (
            ("collections.hold-placed", {}), ("collections.hold-placed", {"kind": "dispute", "until": "2026-02-01"}),
            ("collections.hold-placed", {"kind": "key-account"}), ("collections.hold-released", {}),
            ("collections.arrears-changed", {"disputed_minor": 399, "cause": "dispute"}),
        ),
        "standing still": (
            ("collections.arrears-changed", {}), ("collections.look-requested", {}), ("collections.look-fell-out", {}),
            ("step.cancelled", {**_NO, "step": "collections"}), ("collections.bar-requested", {}), ("partner.accepted", {**_NO, "step": "barring"}),
            ("partner.silent", {**_NO, "step": "barring"}), ("call.parked", {**_NO, "step": "barring"}), ("call.resumed", {**_NO, "step": "barring"}),
            ("collections.barring-fell-out", {}), ("retry.scheduled", {**_NO, "step": "barring"}), ("step.stopped", {**_NO, "step": "barring"}),
            ("step.forced", {**_NO, "step": "barring"}),
        ),
    },
    "partner": {"linked, then simulated again": (("partner.linked", {}), ("partner.simulated", {})), "linked": (("partner.linked", {}),),
                "with planned faults, linked": (("partner.faults-planned", {}), ("partner.linked", {})),
                "down and up again": (("partner.went-down", {}), ("partner.came-up", {}), ("partner.calls-resumed", {})),
                "found down": (
                    ("partner.went-down", {}), ("partner.probe-requested", {}), ("partner.probe-opened", {}), ("partner.probed", {}),
                    ("partner.probe-fell-out", {}),
                )},
    "fallout": {
        "asked, escalated, handed over, forced": (
            ("fallout.claimed", {}), ("fallout.information-requested", {}), ("fallout.resumed", {}), ("fallout.assigned", {"queue": "care"}),
            ("fallout.paused", {}), ("fallout.escalated", {}), ("fallout.origin-changed", {}), ("fallout.force-proposed", {}),
        ),
        "left alone, given back": (
            ("fallout.claimed", {}), ("fallout.snoozed", {}), ("fallout.noted", {}), ("fallout.ticket-linked", {}), ("fallout.released", {}),
            ("fallout.reopened", {}), ("fallout.settled", {}),
        ),
    },
    **{kind: {"loaded twice": ((f"{kind}.loaded", {}), (f"{kind}.loaded", {"version": "2027-01"}))} for kind in ("codes", "rates", "zones")},
    "key": {
        "used and revoked": (("key.issued", {}), ("key.used", {}), ("key.revoked", {})),
        "issued again": (("key.issued", {}), ("key.revoked", {}), ("key.issued", {"operations": None})),
    },
    "usage": {
        "a file": (("usage.loaded", {}),),
        "deleted twice": (("usage.purged", {}), ("usage.purged", {"before": "2025-02-08T00:00:00Z", "records": 3})),
    },
    "quota": {
        "reserved, committed, released": (
            ("prepaid.topped-up", {}), ("prepaid.expiry-requested", {}), ("quota.reserved", {}), ("quota.committed", {}),
            ("quota.reserved", {"session": "s-2", "request": 1}), ("quota.released", {"session": "s-2"}), ("quota.reserved", {"session": "s-3"}),
        ),
        "used beside its sessions": (("prepaid.topped-up", {}), ("prepaid.usage-charged", {}), ("prepaid.usage-charged", {"charged_minor": 68, "tax_minor": 11, "uncharged_minor": 0})),
        **OF_PREPAID, "expired": (("prepaid.topped-up", {}), ("prepaid.expiry-requested", {}), ("prepaid.expired", {"amount_minor": 1000})),
        "a defect, tried again": (
            ("prepaid.topped-up", {}), ("prepaid.expiry-requested", {}), ("prepaid.expiry-fell-out", {}),
            ("retry.scheduled", {**_NO, "step": "prepaid-expiry"}), ("prepaid.expiry-requested", {"attempt": 2}),
            ("partner.accepted", {**_NO, "step": "prepaid-expiry"}), ("partner.silent", {**_NO, "step": "prepaid-expiry"}),
            ("call.parked", {**_NO, "step": "prepaid-expiry"}), ("call.resumed", {**_NO, "step": "prepaid-expiry"}),
            ("step.cancelled", {**_NO, "step": "prepaid-expiry"}),
        ),
        "set right by a person": (
            ("prepaid.expiry-requested", {}), ("step.forced", {**_NO, "step": "prepaid-expiry"}), ("step.skipped", {**_NO, "step": "prepaid-expiry"}),
        ),
    },
    "issuers": {
        "trusted, and no more": (("issuer.trusted", {}), ("issuer.trusted", {"issuer": "https://other.example.org"}), ("issuer.distrusted", {})),
        "trusted again": (("issuer.trusted", {}), ("issuer.distrusted", {}), ("issuer.trusted", {"life_s_max": 600})),
    },
    "access": {
        "looked at twice": (("personal-data.disclosed", {}), ("personal-data.disclosed", {"operation": "customers.show"})),
    },
    "ledger": {
        "a day, the next one": (("ledger.closed", {}), ("ledger.closed", {"day": "2026-02-28", "since": "2026-01-31", "upto": 65536000009})),
    },
    **OF_MESSAGES, "views": {
        "saved, otherwise, forgotten, again": (
            ("view.saved", {}), ("view.saved", {"filters": {"queue": "porting"}}), ("view.saved", {"name": "mine"}), ("view.forgotten", {}), ("view.forgotten", {"name": "mine"}), ("view.saved", {}),
        ),
    },
    "hook": {
        "rotated, gone, resumed, ended": (
            ("hook.subscribed", {}), ("hook.private-address-allowed", {}), ("hook.secret-rotated", {}), ("hook.suspended", {}), ("hook.resumed", {}), ("hook.unsubscribed", {}),
        ),
        "dead": (("hook.subscribed", {}), ("hook.suspended", {"reason": "dead"}), ("hook.resend-requested", {})),
    },
    "job": {
        "finished": (("job.started", {}), ("job.items-tried", {}), ("job.finished", {})),
        "stopped": (("job.started", {"fallouts": ["f-1", "f-2"]}),
                    ("job.items-tried", {"items": [{"fallout": "f-1", "result": "failed", "why": "it is closed"}]}), ("job.stopped", {})),
    },
    **RANGED, "intake": {"gone through twice": (("intake.closed", {}), ("intake.closed", {"intake": "intake-3b1f/2"}))},
}  # fmt: skip
