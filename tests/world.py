"""A small world to tell stories in: an engine on a fresh database, its stock and customers, partners that answer as told."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stdnum import luhn

from o2c import plan
from o2c.desk.fallout import Resolution, resolve
from o2c.desk.orders import Cancelled, cancel_order
from o2c.engine.app import Context, Engine, Written
from o2c.engine.runner import Runner
from o2c.files import intake, loading
from o2c.invoicing.noted import InvoiceState
from o2c.kernel.partner import Answer, Answered, Link, NeverHeard, Partner, Request, Unknown
from o2c.orders.rollup import item_state, order_state
from o2c.orders.state import OrderState
from o2c.running.roles import arranged_roles
from o2c.simulation.launch import LaunchFiles
from o2c.simulation.launch_data import LINE, SITE, Offering, catalogue, number_stock
from o2c.views.fallouts import list_fallouts
from o2c.views.orders import find_order
from o2c.views.reading import caught_up

Document = dict[str, Any]
Saying = Answer | Callable[[Request], Answer]

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""Monday morning, when most stories begin."""
ADDRESS = "7 Weir Lane, Quenleigh, ZX3 4AB"


def at(day: int, hour: int = 0, minute: int = 0, *, month: int = 1) -> datetime:
    """A time of 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def with_roles(dsn: str) -> list[dict[str, Any]]:
    """Arrange the roles of a store, and give them."""
    with closing(Engine(dsn, plan.KINDS)) as app:
        return arranged_roles(app)


class ScriptedPartner:
    """Answers each step by its plan, one saying a call (`step` or `item/step`); what is not planned is done at once."""

    def __init__(self, **sayings: Sequence[Saying]) -> None:
        self.sayings = {name.replace("_", "-"): list(said) for name, said in sayings.items()}
        self.heard: list[tuple[str, Request]] = []

    def will(self, place: str, *sayings: Saying) -> None:
        """Say these next at a place."""
        self.sayings.setdefault(place, []).extend(sayings)

    def submit(self, request: Request) -> Answer:
        return self._answer("submit", request)

    def query(self, request: Request) -> Answer:
        return self._answer("query", request)

    def asked(self, step: str, how: str = "submit") -> list[Request]:
        return [request for called, request in self.heard if called == how and request.step == step]

    def _answer(self, how: str, request: Request) -> Answer:
        self.heard.append((how, request))
        planned = self.sayings.get(f"{request.item}/{request.step}") or self.sayings.get(request.step)
        saying = planned.pop(0) if planned else Answered()
        return saying(request) if callable(saying) else saying


class RecordingPartner:
    """Does each piece of work once a key and writes down, surviving any death of ours, what it was asked and what it did.

    `withholding` does the work and keeps silent.
    """

    def __init__(self, book: Path, *, withholding: bool = False) -> None:
        self.book, self.withholding = book, withholding
        self.book.touch()

    def submit(self, request: Request) -> Answer:
        self._note("submit", request)
        if request.key not in self.noted("effect"):
            self._note("effect", request)
        return Unknown(request.at + timedelta(minutes=5)) if self.withholding else Answered()

    def query(self, request: Request) -> Answer:
        self._note("query", request)
        return Answered() if request.key in self.noted("effect") else NeverHeard()

    def noted(self, what: str) -> list[str]:
        lines = (line.split(" ", 1) for line in self.book.read_text().splitlines())
        return [key for noted, key in lines if noted == what]

    def _note(self, what: str, request: Request) -> None:
        with self.book.open("a") as out:
            out.write(f"{what} {request.key}\n")


def everywhere(outside: Partner | Link) -> Mapping[str, Partner | Link]:
    """One partner, or one link, in every role."""
    return {step.partner: outside for step in plan.STEPS.values() if step.partner}


def item(
    offering: Offering,
    number: str,
    *,
    relies_on: str | None = None,
    quantity: int = 1,
    place: str | None = None,
    children: Sequence[Document] = (),
    **values: str,
) -> Document:
    """One order item as TMF622 has it."""
    product: Document = {"productCharacteristic": [{"name": name, "value": value} for name, value in values.items()]}
    if place is not None:
        product["place"] = [{"role": "address", "name": place}]
    made: Document = {"id": number, "action": "add", "quantity": quantity, "productOffering": {"id": offering.id}, "product": product}
    if relies_on is not None:
        made["productOrderItemRelationship"] = [{"id": relies_on, "relationshipType": "reliesOn"}]
    if children:
        made["productOrderItem"] = list(children)
    return made


def line(number: str = "1", sim: str = "esim", *, offering: Offering = LINE, term: str = "12", **more: Any) -> Document:
    """A mobile line; its SIM goes to ADDRESS when it is physical."""
    return item(offering, number, **{"place": ADDRESS, "simType": sim, "commitmentMonths": term, **more})


def ported(number: str = "1", msisdn: str = "+447700900123", code: str = "ABC123456", **more: Any) -> Document:
    """An eSIM line that brings its number."""
    return line(number, **{"portInNumber": msisdn, "portInCode": code, **more})


def site(number: str, *children: Document) -> Document:
    """A business site, which is a bundle of what is in it."""
    return item(SITE, number, children=children)


def order(external_id: str, *items: Document, on: datetime = NINE, party: str = "C-1", priority: int = 4, channel: str = "web") -> Document:
    """A TMF622 order of a customer for the account of the same number."""
    return {
        "externalId": external_id,
        "orderDate": on.isoformat().replace("+00:00", "Z"),
        "category": "consumer",
        "priority": str(priority),
        "channel": [{"id": channel}],
        "billingAccount": {"id": f"BA-{party}"},
        "relatedParty": [{"id": party, "role": "customer"}],
        "productOrderItem": list(items),
    }


def customer(key: str, *, pays: str = "card", tier: str = "standard") -> Document:
    """A TMF632 person of age."""
    traits = [{"name": "paymentMethod", "value": pays}, {"name": "tier", "value": tier}]
    named = {"givenName": "Tamsel", "familyName": "Holmquay", "birthDate": "1984-02-29"}
    return {"@type": "Individual", "id": key, **named, "partyCharacteristic": traits}


def sim(serial: int, kind: str) -> tuple[str, str, str]:
    body = f"894498000{serial:09d}"
    return f"{body}{luhn.calc_check_digit(body)}", f"00101000{serial:07d}", kind


class World:
    """An engine on a database, and the outside it talks to. `folder` takes the files it is fed."""

    def __init__(
        self, dsn: str, folder: Path, outside: Partner | Mapping[str, Partner | Link] | None = None, *, clock: str = "simulated"
    ) -> None:
        self.dsn, self.folder = dsn, folder
        self.app = Engine(dsn, plan.KINDS)
        if self.app.reads.clock() is None:
            self.app.create_clock(kind=clock, seed=7)
        self.scripted = ScriptedPartner()
        told = outside if outside is not None else self.scripted
        self.runner = Runner(self.app, told if isinstance(told, Mapping) else everywhere(told))
        self.sims_delivered = 0

    # -- given

    def stocked(self, *, esims: int = 3, physical: int = 3, numbers: int = 6, pays: str = "card", customers: int = 3) -> "World":
        """The catalogue, customers C-1 and on, SIMs and numbers."""
        loading.load_catalogue(self.app, self.written("catalogue.json", json.dumps(catalogue())))
        people = (json.dumps(customer(f"C-{n}", pays=pays)) for n in range(1, customers + 1))
        if customers:
            loading.load_customers(self.app, self.written("customers.jsonl", "\n".join(people)))
        self.sims(esim=esims, physical=physical)
        if numbers:
            rows = [("msisdn", "class"), *number_stock(numbers)]
            loading.load_stock(self.app, self.runner, "numbers", self.written("numbers.csv", rows), None)
        return self

    def registers(self, key: str, *, tier: str = "standard") -> None:
        """A customer, whether known before or not, with a tier."""
        loading.load_customers(self.app, self.written(f"{key}-{tier}.jsonl", json.dumps(customer(key, tier=tier))))

    def sims(self, *, on: datetime | None = None, **counts: int) -> None:
        """A delivery of SIMs by kind, now or for a time."""
        kinds = [kind for kind, count in counts.items() for _ in range(count)]
        rows = [sim(self.sims_delivered + n, kind) for n, kind in enumerate(kinds)]
        self.sims_delivered += len(rows)
        if rows:
            file = self.written(f"sims-{self.sims_delivered}.csv", [("iccid", "imsi", "kind"), *rows])
            loading.load_stock(self.app, self.runner, "sims", file, on)

    def launched(self, files: LaunchFiles) -> "World":
        """Everything of a written launch but its orders."""
        loading.load_catalogue(self.app, files.catalogue)
        loading.load_customers(self.app, files.customers)
        loading.load_stock(self.app, self.runner, "sims", files.sims_now, None)
        loading.load_stock(self.app, self.runner, "numbers", files.numbers, None)
        loading.load_stock(self.app, self.runner, "sims", files.sims_later, files.sims_later_at)
        return self

    def written(self, name: str, content: str | Sequence[Sequence[str]]) -> Path:
        path = self.folder / name
        with path.open("w", newline="") as out:
            if isinstance(content, str):
                out.write(content)
            else:
                csv.writer(out, lineterminator="\n").writerows(content)
        return path

    # -- when

    def take(self, *orders: Document, name: str = "orders.jsonl") -> intake.Counts:
        """Take orders in, in the order given."""
        return self.take_file(self.written(name, "\n".join(json.dumps(document) for document in orders)))

    def take_file(self, path: Path) -> intake.Counts:
        return intake.Intake(self.app, path, self.folder / "quarantine").run()

    def run(self, until: datetime) -> "World":
        self.runner.run(until)
        return self

    def attend(self, passes: int) -> None:
        """Attend to everything on the agenda, due or not, some times over: how a real clock is told in a test that cannot wait."""
        for _ in range(passes):
            self.runner.attend(self.app.reads.lease(at(31, month=12), 10**6, 0), round_=0)

    def resolve(self, reason: str, resolution: Resolution, *, of: str = "", by: str = "agent.smith") -> Written:
        """A person acts on the one open fallout with a reason (of one order, if named)."""
        [found] = self.fallouts(of, reason=reason)
        return resolve(self.app, Context(by), found["fallout"], resolution, note="spoke to the customer")

    def cancel(self, external_id: str, *items: str, command_id: str = "") -> Cancelled:
        """A person cancels an order, or some of its items."""
        context = Context("agent.smith", command_id=command_id)
        return cancel_order(self.app, context, external_id, items=items, note="changed their mind")

    # -- then

    def order(self, external_id: str) -> OrderState:
        return find_order(self.app, external_id)[1]

    def state(self, external_id: str) -> str:
        return order_state(self.order(external_id).progress)

    def items(self, external_id: str) -> dict[str, str]:
        """State by item."""
        return {name: item_state(known) for name, known in self.order(external_id).progress.items.items()}

    def fallouts(self, external_id: str = "", *, reason: str = "") -> list[dict[str, Any]]:
        """Open fallouts, of one order or all."""
        caught_up(self.app)
        return list_fallouts(self.app, reason=reason, order=self.order(external_id).order_id if external_id else "")

    def outcome(self, external_id: str, name: str, step: str) -> dict[str, Any]:
        return dict(self.order(external_id).record(name, step).outcome)

    def invoice(self, number: str) -> InvoiceState:
        state: InvoiceState = self.app.load_one(f"invoice-{number}").state
        return state

    def told(self, external_id: str) -> list[str]:
        """Types of an order's own events, in order."""
        return self.types(find_order(self.app, external_id)[0])

    def types(self, stream: str) -> list[str]:
        return [row["type"] for row in self.app.reads.rows("SELECT type FROM o2c.event WHERE stream = %s ORDER BY version", stream)]

    def when(self, external_id: str, event_type: str) -> datetime:
        """When the first event of a type happened to an order."""
        sql = "SELECT min(occurred_at) AS at FROM o2c.event WHERE stream = %s AND type = %s"
        [row] = self.app.reads.rows(sql, find_order(self.app, external_id)[0], event_type)
        happened: datetime = row["at"]
        return happened

    def log(self) -> dict[str, list[tuple[Any, ...]]]:
        """The whole log without its positions: per stream, type, time, id, cause and body of each event."""
        return dict(_log(self.app))

    def close(self) -> None:
        self.app.close()


def _log(app: Engine) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    sql = """SELECT stream, type, occurred_at, event_id::text AS id, causation::text AS cause, actor, body, personal FROM o2c.event
        ORDER BY stream, version"""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in app.reads.rows(sql):
        found.setdefault(row.pop("stream"), []).append(tuple(row.values()))
    yield from found.items()
