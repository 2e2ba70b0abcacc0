"""Stories of many customers in one store: each is a generator that says until when it lets time pass, and all of them live through the same weeks."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.act import Context
from o2c.desk.fallout import Resolution
from o2c.files import loading
from o2c.kernel.partner import Answer, Answered, Request
from o2c.markets import registry
from o2c.markets.gb import GB
from o2c.plan import STEPS
from o2c.products.events import product_of
from o2c.products.state import ProductState
from o2c.simulation.launch_data import LINE_ADD_ONS, Offering
from o2c.views.following import Wanted, find_events
from o2c.views.messages import show_message
from o2c.views.orders import find_order
from o2c.views.reading import caught_up
from projections.engine import operations as engine
from tests import lives_of_products as products
from tests.agreeing import disagreements
from tests.handsets import selling
from tests.histories import differing
from tests.told import Telling
from tests.world import NINE, Document, Saying, ScriptedPartner, World, customer, order

RECALLED = {step.ending.recall: name for name, step in STEPS.items() if step.ending.recall}
"""By the step that asks a partner to drop something, the step by which the partner got it."""
ANN, STORE = Context("ann"), Context("dora", channel="store")
CALL_GUARD = LINE_ADD_ONS[1]
HOLD_DAYS = 7
"""How long the market of these stories keeps a number whose SIM was replaced from leaving."""
CONNECTION, MONTH, SECOND_MONTH = 750, 1850, 650
FIRST_BILL = [("1", "one-time", CONNECTION), ("1", "part-period", 179), ("1", "period", MONTH)]
"""Of a line that is on since the 5th and billed on the 8th: the connection, three of 31 days, and the month ahead; net, in pence."""
HOME = "home.example"
"""Where customers have their e-mail, until they say otherwise."""
LINES = """SELECT body ->> 'issued_on' AS day, line ->> 'item' AS item, line ->> 'kind' AS kind, (line ->> 'net_minor')::int AS net
FROM o2c.event, jsonb_array_elements(body -> 'lines') AS line WHERE type = %s AND body ->> 'account' = %s ORDER BY position"""


class PartnerOfMany(ScriptedPartner):
    """Answers each story by its own plan: sayings are of a stream, or of all that begin so. It knows what it did."""

    def __init__(self) -> None:
        super().__init__()
        self.of_streams: dict[str, ScriptedPartner] = defaultdict(ScriptedPartner)
        self.did: list[Request] = []

    def _answer(self, how: str, request: Request) -> Answer:
        self.heard.append((how, request))
        found = next((told for start, told in self.of_streams.items() if request.stream.startswith(start)), None)
        answer: Answer = found._answer(how, request) if found else Answered()
        if isinstance(answer, Answered):
            self.did.append(request)
        return answer


class WorldOfMany(World):
    """A world whose partners answer each of its stories by that story's plan."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.partner = PartnerOfMany()
        super().__init__(dsn, folder, self.partner)
        self.telling = Telling(self.app, folder)


@dataclass
class Customer:
    """The customer of a story: what is ordered, asked and found for them. Orders are called by a name of the story's own; `now` is the time in it."""

    world: WorldOfMany
    party: str
    now: datetime = NINE

    @property
    def partner(self) -> PartnerOfMany:
        return self.world.partner

    @property
    def account(self) -> str:
        return f"BA-{self.party}"

    # -- given and when

    def orders(self, name: str, *items: Document, **more: Any) -> None:
        """Send an order, now."""
        self.world.take(order(self.id_of(name), *items, **{"on": self.now, "party": self.party, **more}))

    def partners_say(self, name: str, place: str, *sayings: Saying) -> None:
        """What partners say next to an order, at a step (`step` or `item/step`); what nobody planned is done at once."""
        self.partner.of_streams[find_order(self.world.app, self.id_of(name))[0]].will(place, *sayings)

    def payments_say(self, *sayings: Saying) -> None:
        """What the payment provider says next about the invoices of the account."""
        self.partner.of_streams[f"invoice-{self.account}-"].will("payment", *sayings)

    def settles(self, name: str, reason: str, how: Resolution) -> None:
        """A person acts on the one open fallout of an order with a reason."""
        self.world.resolve(reason, how, of=self.id_of(name))

    def change(self, of: str, *, action: str = "modify", offering: Offering | None = None, **more: Any) -> Document:
        """An item about the product that item 1 of an order became."""
        return products.change(self.world, self.id_of(of), action=action, offering=offering, **more)

    # -- then

    def id_of(self, name: str) -> str:
        return f"{self.party}/{name}"

    def state(self, name: str) -> str:
        return self.world.state(self.id_of(name))

    def items(self, name: str) -> dict[str, str]:
        return self.world.items(self.id_of(name))

    def ended(self, *names: str) -> str:
        """How these orders ended: all alike, or in words that differ."""
        return " ".join(sorted({self.state(name) for name in names}))

    def outcome(self, name: str, step: str, item: str = "1") -> dict[str, Any]:
        return self.world.outcome(self.id_of(name), item, step)

    def when(self, name: str, event_type: str) -> datetime:
        return self.world.when(self.id_of(name), event_type)

    def waits(self, name: str) -> list[str]:
        """The codes under which an order waits for somebody."""
        return [row["reason"] for row in self.world.fallouts(self.id_of(name))]

    def product(self, of: str, item: str = "1") -> ProductState:
        return products.product(self.world, self.id_of(of), item)

    def product_id(self, of: str, item: str = "1") -> str:
        return product_of(self.world.order(self.id_of(of)).order_id, item)

    def outside(self, name: str) -> dict[str, list[str]]:
        """What partners have of an order, by item: the steps that they did and were not asked to drop."""
        stream, held = find_order(self.world.app, self.id_of(name))[0], defaultdict[str, set[str]](set)
        for request in self.partner.did:
            if request.stream == stream and request.item:
                held[request.item].add(request.step)
                if request.step in RECALLED:
                    held[request.item] -= {request.step, RECALLED[request.step]}
        return {item: sorted(steps) for item, steps in sorted(held.items()) if steps}

    def asked(self, step: str, name: str = "", *, stream: str = "") -> list[Request]:
        """What a partner was asked for by a step, of an order, or of another stream."""
        of = stream or find_order(self.world.app, self.id_of(name))[0]
        return [request for request in self.partner.asked(step) if request.stream == of]

    def open_bills(self) -> dict[str, int]:
        """What is open of each invoice of the account, in minor units, by its number."""
        sql = "SELECT body ->> 'number' AS number FROM o2c.event WHERE type = 'invoice.issued' AND body ->> 'account' = %s"
        numbers = [row["number"] for row in self.world.app.reads.rows(sql, self.account)]
        return {number: minor for number in numbers if (minor := self.world.invoice(number).open_minor)}

    def bills(self, account: str = "") -> dict[str, list[tuple[str, str, int]]]:
        """The lines of each invoice of the account, by its day: (item, kind, net in minor units)."""
        told = defaultdict[str, list[tuple[str, str, int]]](list)
        for row in self.world.app.reads.rows(LINES, "invoice.issued", account or self.account):
            told[row["day"][5:]].append((row["item"], row["kind"], row["net"]))
        return dict(told)

    def credited(self) -> list[tuple[str, int]]:
        """The lines of all credit notes of the account: (item, net in minor units)."""
        return [(row["item"], row["net"]) for row in self.world.app.reads.rows(LINES, "credit-note.issued", self.account)]

    def returned(self) -> list[tuple[str, int]]:
        """The money that went back to the customer: (day, minor units)."""
        sql = """SELECT body ->> 'returned_on' AS day, (body ->> 'amount_minor')::int AS minor FROM o2c.event
        WHERE type = 'account.money-returned' AND body ->> 'account' = %s ORDER BY position"""
        return [(row["day"][5:], row["minor"]) for row in self.world.app.reads.rows(sql, self.account)]

    def written_to(self, milestone: str) -> list[tuple[str, str]]:
        """When the customer was told of a milestone, and at which address: (day and hour, e-mail), the first first."""
        self.world.telling.send()
        rows = self.world.telling.rows(customer=self.party, milestone=milestone, state="sent")
        told = [show_message(self.world.app, row["message"], personal=True) for row in rows]
        return [(row["sent_at"][5:13], whole["addresses"]["email"]) for row, whole in zip(rows, told, strict=True)]

    def last_of(self, kind: str, name: str) -> str:
        """The latest event of a SIM, a number or a device."""
        return self.world.types(f"{kind}-{name}")[-1]


Tale = Callable[[Customer], Iterator[datetime]]
TALES: dict[str, Tale] = {}
"""The tales of a run by the names of their scenarios, in the order in which they are written."""


def scenario(name: str) -> Callable[[Tale], Tale]:
    """A tale is that of a scenario."""

    def named(tale: Tale) -> Tale:
        TALES[name] = tale
        return tale

    return named


@contextmanager
def peopled(dsn: str, folder: Path) -> Iterator[WorldOfMany]:
    """Stock and a customer for every tale who is written to by e-mail, a telephone on sale, and a market with a hold after another SIM."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._BY_PIN, GB.pin, replace(GB, life=replace(GB.life, sim_swap_hold_days=HOLD_DAYS)))
        world = WorldOfMany(dsn, folder)
        selling(world.stocked(esims=40, physical=20, numbers=80, customers=0))
        registered(world, *(f"C-{n}" for n in range(1, len(TALES) + 1)))
        world.telling.start()
        yield world
        world.close()


def wrong_in(world: World) -> list[Any]:
    """What the oracle of money, the declared rules, assurance, the checks and the projections find."""
    caught_up(world.app)
    engine.catch_up(world.dsn)
    return [
        *disagreements(event.as_json() for event in find_events(world.app, Wanted())),
        *(leak.row() for leak in check_assurance(world.app)),
        *differing(world.dsn),
        *(check for check in run_checks(world.app) if check.state == "failed"),
        *(violation.row() for kept in check_conformance(world.app) for violation in kept.broken),
    ]


def registered(world: World, *parties: str, mail: str = HOME) -> None:
    """Customers of age who pay by card, and have their e-mail at a host: new ones, or as they are from now on."""
    reached = {party: {"contactMedium": [{"characteristic": {"emailAddress": f"{party}@{mail}"}}]} for party in parties}
    people = "\n".join(json.dumps({**customer(party), **reached[party]}) for party in parties)
    loading.load_customers(world.app, world.written(f"{parties[0]}-and-on.jsonl", people))


def lived_through(world: WorldOfMany, tales: Mapping[str, Tale]) -> dict[str, Exception]:
    """Tell all of them side by side, each for a customer of its own (C-1 and on); by name, what went wrong in it."""
    cast = {name: Customer(world, f"C-{number}") for number, name in enumerate(tales, 1)}
    told = {name: tell(cast[name]) for name, tell in tales.items()}
    wrong: dict[str, Exception] = {}
    waiting = [(NINE, place, name) for place, name in enumerate(tales)]
    while waiting:
        now, place, name = heappop(waiting)
        world.run(now)
        cast[name].now = now
        try:
            heappush(waiting, (next(told[name]), place, name))
        except StopIteration:
            continue
        except Exception as error:  # noqa: BLE001 - the test of its scenario raises it, and the others go on
            wrong[name] = error
    return wrong
