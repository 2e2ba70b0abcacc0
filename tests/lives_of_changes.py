"""What happens to an order that is changed while it is carried out, from its plan on; and whose port alone is cancelled."""

from collections.abc import Mapping, Sequence
from typing import Any

Told = tuple[str, Mapping[str, Any]]
_ITEM: Mapping[str, Any] = {
    "recurring_minor": 1999, "one_time_minor": 1000, "promised_on": "2026-01-08", "start_on": "2026-01-05", "wished_on": "2026-01-06",
}  # fmt: skip
OF_PORT = {"item": "1", "part": "port-in"}
PORT_CANCELLED: Sequence[Told] = (
    ("cancellation.requested", {**OF_PORT, "items": []}), ("cancellation.accepted", OF_PORT), ("porting-cancel.requested", {}),
    ("number.kept", {}), ("step.given-up", {"step": "cutover"}), ("step.given-up", {"step": "porting"}),
)  # fmt: skip
_REVISED: Told = ("order.revised", {
    "lines": [{"item": "1", "action": "add", "quantity": "1", "offering": "mobile-line"}],
    "details": [{"characteristics": {"simType": "physical"}, "place": "2 Mill Lane, Testford, ZZ1 1AA"}], "removed": ["2"],
    "items": [{"item": "1", "line": "1", "offering": "mobile-line", "specification": "spec-mobile", "characteristics": {"simType": "physical"}, **_ITEM, "steps": [
        {"step": "sim"}, {"step": "number"}, {"step": "delivery", "waits": ["sim"]},
        {"step": "activation", "waits": ["sim", "number", "delivery"]}, {"step": "charging", "waits": ["activation"]}]}],
    "steps": [{"item": "1", "step": "delivery", "action": "redo"},
              {"item": "1", "step": "porting", "action": "undo", "waiting": True, "recall": "porting-cancel"}],
})  # fmt: skip
CHANGED_IN_FLIGHT: Sequence[Told] = (
    ("sim.requested", {}), ("sim.assigned", {}), ("porting.requested", {}), ("delivery.requested", {}),
    ("order.revision-refused", {}), ("step.cancelled", {"step": "delivery"}), ("porting-cancel.requested", {}), _REVISED,
    ("item.cancelled", {"item": "2"}), ("step.renewed", {"step": "delivery"}), ("delivery.requested", {"attempt": 2}),
    ("porting-cancel.confirmed", {}), ("step.given-up", {"step": "porting"}), ("step.given-up", {"step": "cutover"}),
    ("order.suspended", {}), ("promise.revised", {}), ("order.suspension-fell-out", {"waiting_for": "us"}), ("order.resumed", {}),
    ("order.suspended", {"attempt": 2}),
)  # fmt: skip
