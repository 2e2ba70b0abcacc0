"""A store in which everything that a view can show has happened: orders of many fates, fallouts open and closed, a job, money held, a late port,
usage on a line with a limit, a debt that is collected, credit notes, books that are closed."""

import json
from datetime import date, timedelta
from pathlib import Path

from o2c.desk.accounts import place_account
from o2c.desk.bulk import Query, bulk
from o2c.desk.collections import hold, open_dispute, promise
from o2c.desk.complaints import open_complaint
from o2c.desk.customers import record_contact, register_customer
from o2c.desk.fallout import Correct, Note, resolve, work
from o2c.desk.invoices import issue_credit_note
from o2c.desk.journeys import note_attempt
from o2c.desk.keys import issue_key, trust_issuer
from o2c.desk.ledger import close_ledger
from o2c.desk.limits import set_limit
from o2c.desk.number_ranges import approve_range
from o2c.desk.partners import link_partner, partner_down, plan_faults
from o2c.desk.payments import deposit
from o2c.desk.prepaid import top_up
from o2c.desk.quota import commit, reserve
from o2c.desk.saving import save_view
from o2c.desk.triggers import set_triggers
from o2c.desk.vouchers import issue_vouchers
from o2c.engine.app import Context
from o2c.entrypoints.verbs_and_views import named
from o2c.files import loading
from o2c.kernel.partner import Answer, Answered, Failed, RefusedBy, Request
from o2c.running.session import Session
from o2c.running.triggers import Watch
from o2c.views.journeys import places_in
from o2c.views.reading import caught_up
from tests.at_hand import TRIGGERS
from tests.desk import DEPOSIT, GOLDEN
from tests.handsets import handset, selling
from tests.hooked import Hooked, Post
from tests.metered import MONTHLY, PRICES, load, metered_line, offering, record, usage
from tests.rules.test_tokens import JWKS
from tests.told import Telling
from tests.world import World, at, customer, line, order, ported, site

ROOT, ANN = Context("root"), Context("ann")
AUDITOR = Context("audrey", roles=("auditor",))
ISSUER = "https://login.example.net/"
SHOP = Context("web-shop", roles=("service",))
RIVAL = Context("rival", roles=("service",))
BROUGHT_IN = "+447700900123"
MEDIA = [{"characteristic": {"emailAddress": "tamsel@example.org"}}, {"characteristic": {"street1": "1 Mill Lane", "postCode": "ZZ1 1AA"}}]
"""How C-1 is reached."""
USER, DEBTOR = "C-73", "C-74"
"""Who uses a line with prices of usage, and whose card is declined for good."""


def away(request: Request) -> Failed:
    """A partner that is away for some hours."""
    return Failed("UNAVAILABLE", request.at + timedelta(hours=3))


def declined(request: Request) -> Answer:
    """A payment provider who declines the card of one customer."""
    return RefusedBy("DECLINED") if request.body["number"].startswith(f"BA-{DEBTOR}-") else Answered()


def lived_through(dsn: str, folder: Path) -> World:
    """A store after ten weeks of trade; its projections are caught up."""
    world = World(dsn, folder).stocked(esims=30, physical=4, numbers=24, customers=6)
    set_triggers(world.app, ROOT, definitions=TRIGGERS.replace("NP-CODE", "NP-NOANS"))
    loading.load_stock(world.app, world.runner, "numbers", world.written("golden.csv", [("msisdn", "class"), (GOLDEN, "golden")]), None)
    _sold_by_usage(world)
    _services(world)
    _stopped(world)
    _moved_on(world)
    _owed(world)
    _used(world)
    _beside_orders(world)
    caught_up(world.app)
    return world


def _sold_by_usage(world: World) -> None:
    """A line with prices of usage beside what a launch sells, a customer who uses it, and one whose card is declined."""
    loading.load_catalogue(world.app, world.written("metered.json", json.dumps([offering()])))
    world.scripted.will("payment", *[declined] * 200)
    register_customer(world.app, ROOT, {**customer("C-1", tier="key-account"), "contactMedium": MEDIA})
    people = (customer(USER), customer(DEBTOR))
    loading.load_customers(world.app, world.written("more.jsonl", "\n".join(map(json.dumps, people))))
    selling(world)
    world.take(
        order("HANDSET", handset(instalments="24"), party="C-1"),
        order("METERED", metered_line(), party=USER),
        order("OWING", *[line(str(n)) for n in range(1, 6)], party=DEBTOR),
    )


def _services(world: World) -> None:
    """Two shops each with a customer of its own; theirs go well."""
    for shop, party, external_id in ((SHOP, "C-71", "SHOP-1"), (RIVAL, "C-72", "RIVAL-1")):
        named("customers.register").ask(shop, world.app, customer(party))
        named("orders.capture").ask(shop, world.app, order(external_id, line(), party=party))
    world.run(at(5, 10))


def _stopped(world: World) -> None:
    """Orders that fall out in all ways, and one that was changed on paper."""
    world.scripted.will("cutover", *[away] * 4)
    world.take(order("LATE", ported(), party="C-1"))
    world.run(at(7))
    world.scripted.will("credit", DEPOSIT)
    world.take(order("DEPOSIT", line(), party="C-2"))
    world.run(at(7, 10))
    deposit(world.app, ROOT, "DEPOSIT", amount="40.00", reference="TFR-1")
    world.scripted.will("identity", RefusedBy("ODD-WORD"))
    world.take(order("ODD", line(), party="C-3"))
    world.run(at(7, 11))
    world.take(
        order("UNNAMED-1", line(), party="C-98"),
        order("UNNAMED-2", line(), party="C-99"),
        *[order(f"CODE-{n}", ported(msisdn=f"+44770092000{n}", code=""), party="C-4") for n in range(4)],
        order("SITE", site("1", line("1.1"), line("1.2", sim="physical")), party="C-5"),
        order("GONE", line(sim="physical"), party="C-6"),
        order("EMPTY", channel="store"),
        order("GOLD", line(), party="C-1"),
    )
    world.take(order("SITE", line(), party="C-5"))


def _moved_on(world: World) -> None:
    """What people did about it, and then weeks go by."""
    world.run(at(7, 11, 15))
    world.cancel("GONE")
    [first, *_] = world.fallouts(reason="NP-CODE")
    work(world.app, ANN, first["fallout"], Note(), note="rang, nobody there")
    resolve(world.app, ANN, first["fallout"], Correct({"portInCode": "ABC123456"}), note="the customer gave the code")
    bulk(world.app, ANN, Query(reason="NP-CODE"), Note(), note="all rang up", threshold_percent=100)
    world.resolve("DQ-PARTY", Correct({"party": "C-2"}), of="UNNAMED-1")
    world.run(at(9, month=3))
    set_limit(world.app, ANN, f"BA-{USER}", amount="1.00")
    issue_vouchers(world.app, ANN, "SPRING", percent="20", months=3, budget="100.00")
    days = {"valid_from": date(2027, 1, 1), "valid_to": date(2027, 12, 31)}
    approve_range(world.app, ANN, 990000001, 990005000, prefix="SETP", approval="18760000001", market="PT", **days)
    top_up(world.app, ANN, f"BA-{USER}", amount="10.00", reference="PAY-7781")
    for session in ("pcf-1", "pcf-2"):
        reserve(world.app, ANN, f"BA-{USER}", session=session, kind="sms", quantity=10)
    commit(world.app, ANN, f"BA-{USER}", session="pcf-1", used=4, request=1)
    world.take(order("UNBILLED", line(), on=at(9, month=3), party=USER))
    world.run(at(15, month=3))
    told = {
        "login": "tamsel@example.org",
        "token": "b-17",
        "error": "HTTP-504",
        "waited_s": 94,
        "offerings": ["lark-line"],
        "value": "24.00",
    }
    note_attempt(world.app, Context("web-shop"), "failed", "web", fields=dict(places_in({"productOrderItem": [line()]})), **told)
    issue_vouchers(world.app, ANN, "SORRY", amount="5.00", months=1, codes=["SORRY-A1"])
    world.run(at(16, month=3))


def _owed(world: World) -> None:
    """A debt of three months, one bill of which is disputed, held and promised; a credit note that was issued, and one that waits for a second person."""
    first, second, last = (f"BA-{DEBTOR}-2026{month}08" for month in ("01", "02", "03"))
    open_dispute(world.app, ANN, second, amount="2.00", note="says it is not hers")
    promise(world.app, ANN, f"BA-{DEBTOR}", amount="5.00", by=date(2026, 3, 20))
    hold(world.app, ANN, f"BA-{DEBTOR}", "vulnerable", until=date(2026, 4, 1), note="told us on the telephone")
    issue_credit_note(world.app, ANN, first, reason="goodwill", comment="a bad week", lines={"1": "1.00"})
    issue_credit_note(world.app, ANN, last, reason="billed-in-error")


def _used(world: World) -> None:
    """Calls up to the limit and a message on the line, a call of a number that is nobody's; then calls become dearer."""
    number, day = str(world.outcome("METERED", "1", "number")["msisdn"]), "2026-03-14T1"
    load(
        world,
        record("call-1", number, start=f"{day}0:00:00Z", quantity=1200, other="+447700900900"),
        record("message-1", number, "sms", start=f"{day}1:00:00Z", quantity=1, sequence=1),
        record("call-2", "+447700900999", start=f"{day}2:00:00Z", sequence=3),
    )
    dearer = [MONTHLY, usage("Calls", "voice", "minute", "0.12"), *PRICES[2:]]
    loading.load_catalogue(world.app, world.written("dearer.json", json.dumps([offering(*dearer, version="2.0")])))


def _beside_orders(world: World) -> None:
    """Contacts, keys, issuers, partners, closed books, a hook that was told all, who looked."""
    place_account(world.app, ANN, "C-1", "GROUP-1", level="entity", pays="itself", contact="Bo Example")
    close_ledger(world.app, ROOT, date(2026, 1, 8))
    save_view(world.app, ANN, "ports without a code", reason="NP-CODE")
    open_complaint(world.app, ANN, "C-1", topic="port", channel="web", order="LATE", note="the number never came")
    record_contact(world.app, ANN, "C-1", medium="call", topic="port", order="LATE", note="asked where the number is")
    record_contact(world.app, ANN, "C-1", medium="call", topic="where-is-my-order", order="LATE", note="asked when it is done")
    telling = Telling(world.app, world.folder)
    telling.start(email="file", letter="file")
    telling.send()
    Watch(Session(world.app, world.folder)).fire()
    issue_key(world.app, ROOT, acts_as="web-shop", roles=["service"], operations=["orders.capture"])
    trust_issuer(world.app, ROOT, ISSUER, audience="o2c", jwks=JWKS, claim="groups", roles={"care-desk": "agent"})
    link_partner(world.app, ROOT, "credit-bureau", url="https://bureau.example.net/", credential="BUREAU_KEY")
    plan_faults(world.app, ROOT, [{"partner": "courier", "kind": "transient", "percent": "5"}])
    partner_down(world.app, ROOT, "clearing-house", reason="they told us")
    hooked = Hooked(world.app, world.folder, post=Post())
    hooked.tell(hooked.subscribe(after="0").hook)
    hooked.deliverer.close()
    named("customers.show").ask(AUDITOR, world.app, "C-1", personal=True, why="a complaint")
