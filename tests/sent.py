"""Requests made of the examples of the description, for a store in which everything has happened (`tests/rich.py`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from o2c.entrypoints.http import examples as told
from o2c.entrypoints.http.calls import BY_HAND, Call, calls
from o2c.views.access import list_keys
from o2c.views.complaints import list_complaints
from o2c.views.hooks import list_hooks
from o2c.views.journeys import list_journeys
from o2c.views.messages import list_messages
from o2c.views.order_link import order_link
from tests.desk import GOLDEN
from tests.rich import BROUGHT_IN
from tests.world import World

CALLS: Mapping[str, Call] = {call.operation.name: call for call in calls()}
OPERATIONS = sorted({*CALLS, *BY_HAND})
ORDERS = {
    "orders.amend": "CODE-3", "orders.annotate": "CODE-1", "orders.assess": "CODE-1", "orders.cancel": "CODE-2", **dict.fromkeys(("orders.suspend", "orders.resume"), "DEPOSIT"), "ports.cancel": "CODE-0", "numbers.reserve": "DEPOSIT", "payments.deposit": "DEPOSIT",
}  # fmt: skip
"""The orders that an operation needs to stand as they do; others take one that is done."""


@dataclass(frozen=True)
class Sent:
    """A request: its method, path, query, body and headers."""

    method: str
    path: str
    query: Mapping[str, Any]
    body: Any
    headers: Mapping[str, str]


class StandIns:
    """What stands in a store for what the examples name."""

    def __init__(self, world: World) -> None:
        [job] = world.app.reads.rows("SELECT stream FROM o2c.event WHERE type = 'job.started' LIMIT 1")
        [invoice] = world.app.reads.rows("SELECT invoice FROM projection.invoices WHERE customer_id = 'C-1' ORDER BY invoice LIMIT 1")
        [sim] = world.app.reads.rows("SELECT key FROM projection.stock WHERE kind = 'sim' AND state = 'assigned' ORDER BY key LIMIT 1")
        [product] = world.app.reads.rows("SELECT product FROM projection.products ORDER BY product LIMIT 1")
        self.messages = [row["message"] for row in list_messages(world.app, state="sent", limit=2)]
        self.waiting = {name: world.fallouts(name, reason="NP-CODE")[0]["fallout"] for name in ("CODE-1", "CODE-2")}
        self.of_all = {
            told.FALLOUT: self.waiting["CODE-2"], told.LINK: order_link(world.app, world.folder, "CODE-1")["link"], told.JOB: job["stream"].removeprefix("job-"), told.INVOICE: invoice["invoice"],
            told.HOOK: list_hooks(world.app)[0]["hook"], told.COMPLAINT: list_complaints(world.app)[0]["complaint"], told.JOURNEY: list_journeys(world.app)[0]["journey"], told.PREFIX: next(row["prefix"] for row in list_keys(world.app) if row["operations"] == ["orders.capture"]), told.ICCID: sim["key"], told.PRODUCT: product["product"],
            "BA-C-1001": "BA-C-1", "C-1001": "C-1",
        }  # fmt: skip

    def of(self, operation: str) -> dict[str, str]:
        """What stands for what, in the example of one operation."""
        number = GOLDEN if operation.startswith("numbers.re") else BROUGHT_IN
        answered = {told.FALLOUT: self.waiting["CODE-1"]} if operation == "orders.answer" else {}
        # What came back goes by the next medium, and is not sent again by hand meanwhile.
        message = self.messages[operation == "messages.bounced"]
        return {**self.of_all, **answered, told.MESSAGE: message, told.MSISDN: number, told.ORDER: ORDERS.get(operation, "SHOP-1")}

    def put(self, operation: str, value: Any) -> Any:
        """A value of an example with what stands in the store in it."""
        if isinstance(value, str):
            for name, real in self.of(operation).items():
                value = value.replace(name, real)
            return value
        if isinstance(value, dict):
            return {key: self.put(operation, part) for key, part in value.items()}
        return [self.put(operation, part) for part in value] if isinstance(value, list) else value


def sent(operation: str, stand_ins: StandIns, *, key: str = "") -> Sent:
    """The request of an example. `key` is the Idempotency-Key."""
    example = {name: stand_ins.put(operation, value) for name, value in told.EXAMPLES[operation].items()}
    call = CALLS.get(operation)
    if call is None:
        return Sent("GET", "/api/v1/events", example, None, {})
    path = "/api/v1" + call.path.replace(f"{{{call.identity}:path}}", str(example.get(call.identity, "")))
    rest = {name: value for name, value in example.items() if name != call.identity}
    headers = {"Idempotency-Key": key or told.WISH} if call.verb else {}
    if call.operation.decided_by:
        headers["If-Match"] = told.ANY_VERSION
    if call.whole:
        return Sent(call.method, path, {name: value for name, value in rest.items() if name != call.whole}, rest[call.whole], headers)
    if call.method == "GET":
        return Sent("GET", path, rest, None, headers)
    return Sent("POST", path, {}, rest or None, headers)
