"""One gate before every operation: what is another's is not there, what is personal is masked or taken down first, and what cannot be taken down is not shown."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from o2c.desk import disclosing
from o2c.desk.fallout import Assign, Claim, Force
from o2c.desk.keys import issue_key
from o2c.engine.app import Context
from o2c.entrypoints.verbs_and_views import VERBS, VIEWS
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.views.following import Wanted
from o2c.views.reading import caught_up
from tests.desk import Desk
from tests.world import World, at, line, order, ported

OPERATIONS = {entry.name: entry for entry in (*VERBS, *VIEWS)}
SHOP, RIVAL = (Context(name, roles=("service",)) for name in ("web-shop", "rival"))
ANN, BEN = (Context(name, roles=(role,)) for name, role in (("ann", "agent"), ("ben", "supervisor")))
ANALYST, AUDITOR, OFFICER, ADMIN = (Context(role, roles=(role,)) for role in ("analyst", "auditor", "privacy-officer", "admin"))
NUMBER = "+447700900123"


@pytest.fixture
def served(world: World) -> World:
    """A web shop registered Tamsel Holmquay and captured an order that came to be, and one whose port was barred; a rival did the same for another."""
    world.sims(esim=6)
    world.scripted.will("porting", *[RefusedBy("BARRED")] * 20)
    for service, party, orders in ((SHOP, "C-71", ("WEB-1", "WEB-2")), (RIVAL, "C-72", ("RIV-1", "WEB-1"))):
        names = {"@type": "Individual", "id": party, "givenName": "Tamsel", "familyName": "Holmquay", "birthDate": "1980-02-29"}
        ask(world, service, "customers.register", names)
        for external_id in orders:
            item = ported(msisdn=NUMBER) if external_id == "WEB-2" else line()
            ask(world, service, "orders.capture", order(external_id, item, party=party))
    world.run(at(12))
    caught_up(world.app)
    return world


def ask(world: World, who: Context, operation: str, *arguments: Any, **options: Any) -> Any:
    return OPERATIONS[operation].ask(who, world.app, *arguments, **options)


def refused(world: World, who: Context, operation: str, *arguments: Any, **options: Any) -> str:
    """Which kind of refusal comes back."""
    with pytest.raises(Refused) as caught:
        ask(world, who, operation, *arguments, **options)
    return caught.value.kind


def records(world: World, **filters: Any) -> list[dict[str, Any]]:
    return list(ask(world, Context("operator"), "access.records", **filters))


def fallout(world: World) -> str:
    [found] = world.fallouts("WEB-2")
    return str(found["fallout"])


OF_ORDER = ("orders.show", "orders.plan", "orders.timeline")


def seen(answer: Any) -> Any:
    return list(answer) if isinstance(answer, Iterator) else answer


def test_a_service_sees_its_own(served: World) -> None:
    """Its orders by their name, though another has one of the same, its customers and their invoices, and of lists what it captured."""
    for operation in OF_ORDER:
        assert seen(ask(served, SHOP, operation, "WEB-1"))
    assert ask(served, SHOP, "orders.show", "WEB-1")["customer_id"] == "C-71"
    assert ask(served, RIVAL, "orders.show", "WEB-1")["customer_id"] == "C-72"
    assert [row["external_id"] for row in ask(served, SHOP, "orders.list")] == ["WEB-1", "WEB-2"]
    assert [row["external_id"] for row in ask(served, SHOP, "orders.list", captured_by="rival")] == ["WEB-1", "WEB-2"]
    [few] = [ask(served, SHOP, "orders.list", limit=1)]
    assert (len(few), few.more) == (1, 1)
    assert ask(served, SHOP, "customers.show", "C-71", personal=True)["name"] == "Tamsel Holmquay"
    [invoice] = ask(served, SHOP, "customers.show", "C-71")["invoices"]
    assert ask(served, SHOP, "payments.show", invoice["invoice"])["customer"] == "C-71"
    assert refused(served, RIVAL, "payments.show", invoice["invoice"]) == "missing"
    assert records(served) == []


@pytest.mark.parametrize("operation", [*OF_ORDER, "orders.cancel", "ports.cancel", "customers.show", "customers.contact", "payments.show"])
def test_what_is_anothers_is_as_if_it_were_not_there(served: World, operation: str) -> None:
    """The same words for what another began, by name and by id, as for what there is not; and nothing happened to it."""
    about: dict[str, Any] = {
        "orders.cancel": {"note": "no"},
        "ports.cancel": {"note": "no"},
        "customers.contact": {"medium": "call", "topic": "bill"},
    }
    options = about.get(operation, {})
    [billed] = ask(served, ANN, "customers.show", "C-72")["invoices"][:1]
    names = {"customers": ("C-72", "C-99"), "payments": (billed["invoice"], "BA-C-99-20260107")}
    theirs, none = names.get(operation.partition(".")[0], ("RIV-1", "RIV-9"))
    told = []
    for name in (theirs, none):
        with pytest.raises(Refused) as caught:
            seen(ask(served, SHOP, operation, name, **options))
        assert caught.value.kind == "missing"
        told.append(str(caught.value).replace(name, "NAME"))
    assert told[0] == told[1]
    if operation.startswith("orders"):
        assert refused(served, SHOP, operation, served.order("RIV-1").order_id, **options) == "missing"
    assert served.state("RIV-1") != "cancelled"


def test_who_is_let_in_is_told_before_anything_is_looked_up(served: World) -> None:
    """What is one's own comes back by its id, though another bears its name; another's is as if it were not there; others see all or nothing."""
    cancel, show = OPERATIONS["orders.cancel"], OPERATIONS["orders.show"]
    own = show.admit(SHOP, served.app, name="WEB-1")
    assert own == {"name": ask(served, SHOP, "orders.show", "WEB-1")["order"]}
    assert cancel.admit(SHOP, served.app, name="WEB-1", note="no") == {**own, "note": "no"}
    assert show.admit(ANN, served.app, name="RIV-1") == show.admit(ANALYST, served.app, name="RIV-1") == {"name": "RIV-1"}
    assert OPERATIONS["streams.show"].admit(ANN, served.app, name="order-1", identifiers=True) == {"name": "order-1", "identifiers": True}
    told = []
    for name in ("RIV-1", "RIV-9"):
        with pytest.raises(Refused) as caught:
            show.admit(SHOP, served.app, name=name)
        told.append((caught.value.kind, str(caught.value).replace(name, "NAME")))
    assert told[0] == told[1]
    with pytest.raises(Refused, match="access streams"):
        OPERATIONS["streams.show"].admit(ANN, served.app, name="access-C-71")


def test_a_service_that_calls_the_desk_itself_cancels_its_own_alone(served: World) -> None:
    """The desk asks whose order it is, whatever face forgot to."""
    from o2c.desk.orders import cancel_order

    with pytest.raises(Refused, match="web-shop has no order-") as caught:
        cancel_order(served.app, SHOP, "RIV-1", note="not ours")
    assert caught.value.kind == "missing"
    ask(served, SHOP, "orders.capture", order("WEB-3", line(), party="C-71"))
    assert cancel_order(served.app, SHOP, "WEB-3", note="ours").state == "cancelled"
    assert "cancellation.requested" not in served.told("RIV-1")


def test_personal_data_is_shown_by_role_and_taken_down(served: World) -> None:
    """Agent, auditor and privacy officer see the name, and it is on record; without asking nobody sees it, and it is not; the analyst never does."""
    for who in (ANN, AUDITOR, OFFICER):
        assert "name" not in ask(served, who, "customers.show", "C-71")
        assert records(served, actor=who.actor) == []
        assert ask(served, who, "customers.show", "C-71", personal=True, why="he called")["name"] == "Tamsel Holmquay"
        [record] = records(served, actor=who.actor, personal=True)
        assert {key: record[key] for key in ("customer", "operation", "subjects", "roles", "why")} == {
            "customer": "C-71", "operation": "customers.show", "subjects": ["customer C-71"], "roles": list(who.roles), "why": "he called",
        }  # fmt: skip
        assert "birth-date" in record["kinds"]
    assert "name" not in ask(served, ANALYST, "customers.show", "C-71", personal=True)
    assert refused(served, ADMIN, "customers.show", "C-71", personal=True) == "forbidden"
    assert len(records(served)) == 3
    assert "Holmquay" not in json.dumps(
        served.app.reads.rows("SELECT body::text, personal::text FROM o2c.event WHERE stream = 'access-C-71'")
    )


def test_the_operator_is_taken_down_nowhere(served: World) -> None:
    """Whoever has the machine has the database: a record of what he looked at would promise what it cannot hold."""
    assert ask(served, Context("root"), "customers.show", "C-71", personal=True)["name"] == "Tamsel Holmquay"
    assert records(served) == []


def test_numbers_are_masked_for_the_analyst(served: World) -> None:
    """In rows, pages, texts and events; places in the log are left as they are."""
    plain, masked = (ask(served, who, "customers.show", "C-71") for who in (ANN, ANALYST))
    numbers = [row["msisdn"] for row in plain["numbers"]]
    assert numbers
    assert [row["msisdn"] for row in masked["numbers"]] == [f"{number[:5]}***{number[-3:]}" for number in numbers]
    events = list(ask(served, ANALYST, "events.find", Wanted(customer="C-71"), identifiers=True))
    told = json.dumps([event.as_json() for event in events])
    assert not [number for number in (*numbers, NUMBER) if number in told]
    assert {event.position for event in events} == {
        event.position for event in ask(served, AUDITOR, "events.find", Wanted(customer="C-71"))
    }
    timeline = json.dumps(seen(ask(served, ANALYST, "orders.timeline", "WEB-2")))
    assert NUMBER not in timeline
    assert NUMBER in json.dumps(seen(ask(served, ANN, "orders.timeline", "WEB-2")))


def test_events_are_given_in_full_to_who_asks_and_may(served: World) -> None:
    """Masked for everybody else; what is given in full is on record for each customer in it, before the first event comes out."""

    def numbers_in(who: Context, **options: Any) -> bool:
        pages = ask(served, who, "events.tail", Wanted(order=served.order("WEB-2").order_id), wait=False, **options)
        return NUMBER in json.dumps([event.as_json() for page in pages for event in page])

    assert not numbers_in(AUDITOR)
    assert records(served) == []
    first = next(ask(served, AUDITOR, "events.find", Wanted(), identifiers=True))
    assert {row["customer"] for row in records(served)} >= {"C-71"}
    assert first.position
    assert numbers_in(OFFICER, identifiers=True) == (NUMBER in json.dumps(seen(ask(served, ANN, "orders.timeline", "WEB-2"))))
    [last] = records(served, actor="privacy-officer")
    assert last["subjects"] == [f"order {served.order('WEB-2').order_id}"]


def test_a_list_takes_down_every_customer_in_it(served: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by a name, two customers are on record in one append; found by an order's id, nobody is."""
    monkeypatch.setenv("O2C_LOOKUP_KEY", "ab" * 32)
    found = ask(served, ANN, "orders.find", tmp_path, "Tamsel Holmquay", why="no number at hand")
    assert {row["customer"] for row in found} >= {"C-71", "C-72"}
    told = records(served)
    assert {row["customer"] for row in told} >= {"C-71", "C-72"}
    position = "SELECT DISTINCT command_id, position / 65536 AS transaction FROM o2c.event WHERE type = 'personal-data.disclosed'"
    assert len({row["transaction"] for row in served.app.reads.rows(position)}) == 1
    ask(served, ANN, "orders.find", tmp_path, "RIV-1")
    assert len(records(served)) == len(told)
    assert refused(served, ANALYST, "orders.find", tmp_path, "RIV-1") == "forbidden"


def test_what_cannot_be_taken_down_is_not_shown(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server that takes no writes, and where the append fails, the answer stays inside; without personal data it comes as usual."""
    served.app.takes_writes = False
    assert refused(served, AUDITOR, "customers.show", "C-71", personal=True) == "unavailable"
    assert ask(served, AUDITOR, "customers.show", "C-71")["customer"] == "C-71"
    served.app.takes_writes = True
    monkeypatch.setattr(disclosing, "taken_down", lambda *_: [Refused("held up")])
    assert refused(served, AUDITOR, "customers.show", "C-71", personal=True) == "unavailable"
    monkeypatch.undo()
    assert records(served) == []
    assert ask(served, AUDITOR, "customers.show", "C-71", personal=True)["name"]


def test_two_looks_at_once_are_two_records(served: World) -> None:
    """Every look is one of its own, also under one command id and at the same moment."""
    from concurrent.futures import ThreadPoolExecutor

    who = replace(ANN, command_id="5f9c1d0e-5b1a-4a55-9a67-2f0f9d1b6c11")
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda _: ask(served, who, "customers.show", "C-71", personal=True), range(8)))
    assert len(records(served, customer="C-71")) == 8


def test_records_are_found(served: World, desk: Desk) -> None:
    """By customer, by who looked, and since when; on the command line too, and only for auditor and privacy officer beside."""
    for who, customer in ((ANN, "C-71"), (AUDITOR, "C-72")):
        ask(served, who, "customers.show", customer, personal=True)
    [row] = desk.sees("access", "records", "--customer", "C-72")
    assert (row["actor"], row["customer"]) == ("auditor", "C-72")
    assert [row["actor"] for row in desk.sees("access", "records", "--by", "ann")] == ["ann"]
    assert desk.sees("access", "records", "--since", "2999-01-01") == []
    assert len(desk.sees("access", "records", "--limit", "1")) == 1
    assert [kept["customer"] for kept in ask(served, OFFICER, "access.records")] == ["C-72", "C-71"]
    for who in (ANN, BEN, ANALYST, ADMIN, SHOP):
        assert refused(served, who, "access.records") == "forbidden"
    assert {row["operation"] for row in desk.sees("access", "permissions")} >= {"orders.show", "fallout.resolve/agree"}


def test_why_is_a_note_like_others(served: World) -> None:
    """It is shown to who asks for it, and that look is on record as well."""
    ask(served, ANN, "customers.show", "C-71", personal=True, why="the neighbour complained")
    assert "why" not in ask(served, AUDITOR, "access.records")[0]
    assert ask(served, AUDITOR, "access.records", personal=True)[0]["why"] == "the neighbour complained"
    newest, _ = records(served)
    assert (newest["operation"], newest["kinds"], newest["customer"]) == ("access.records", ["note"], "C-71")


def test_who_looked_is_no_news_for_others(served: World) -> None:
    """Among the events of the log, a record of who looked, a key and an issuer are sealed to who may not list them; each keeps its place."""
    made = issue_key(served.app, ADMIN, acts_as="reports", roles=["analyst"])
    ask(served, OFFICER, "customers.show", "C-71", personal=True)
    wanted = Wanted(types=("personal-data.disclosed", "key.issued"))
    told = {
        who.actor: [(event.actor, event.customer, bool(event.data)) for event in ask(served, who, "events.find", wanted)]
        for who in (ANN, BEN, ANALYST, OFFICER, AUDITOR, Context("root"))
    }
    sealed, key, look = ("***", None, False), ("admin", None, True), ("privacy-officer", "C-71", True)
    assert told == {
        "ann": [sealed, sealed], "ben": [sealed, sealed], "analyst": [sealed, sealed],
        "privacy-officer": [sealed, look], "auditor": [key, look], "root": [key, look],
    }  # fmt: skip
    for stream in ("access-C-71", f"key-{made.prefix}", "issuers-main"):
        assert refused(served, ANN, "streams.show", stream) == "forbidden"
    assert [event.customer for event in ask(served, AUDITOR, "streams.show", "access-C-71")] == ["C-71"]
    within = replace(AUDITOR, scopes=frozenset({"events.find"}))
    assert {event.actor for event in ask(served, within, "events.find", wanted)} == {"***"}
    pages = ask(served, ANN, "events.tail", wanted, wait=False)
    assert {event.actor for page in pages for event in page} == {"***"}


def test_a_fallout_in_clear_is_on_record(served: World) -> None:
    """Which fallout, and of whom; the analyst is told that the values are hidden."""
    shown = ask(served, ANN, "fallout.show", fallout(served), personal=True)
    assert isinstance(shown["values"], list)
    [record] = records(served)
    assert (record["customer"], record["subjects"]) == ("C-71", [f"fallout {fallout(served)}"])
    assert isinstance(ask(served, ANALYST, "fallout.show", fallout(served), personal=True)["values"], str)


def test_a_supervisor_is_the_second_person(served: World) -> None:
    """An agent proposes to force and a supervisor agrees; no agent agrees, and none gives a fallout to somebody else."""
    served.scripted.will("delivery", *[RefusedBy("ADDRESS")] * 20)
    ask(served, SHOP, "orders.capture", order("WEB-3", line(sim="physical"), party="C-71"))
    served.run(at(15))
    caught_up(served.app)
    [stuck] = served.fallouts("WEB-3")
    name = stuck["fallout"]
    other = replace(ANN, actor="cat")

    assert refused(served, ANN, "fallout.work", name, Assign(to="cat")) == "forbidden"
    ask(served, ANN, "fallout.work", name, Claim())
    ask(served, ANN, "fallout.resolve", name, Force(), note="handed over in the shop")
    assert refused(served, other, "fallout.resolve", name, Force(), note="I agree") == "forbidden"
    assert refused(served, ANN, "fallout.resolve", name, Force(), note="I agree with myself") == "conflict"
    assert "step.forced" not in served.told("WEB-3")
    ask(served, BEN, "fallout.resolve", name, Force(), note="seen as well")
    assert "step.forced" in served.told("WEB-3")
