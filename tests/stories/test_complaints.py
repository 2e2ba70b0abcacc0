"""Complaints: raised in one channel and answered in another, deadlocked, or left until the customer may go outside; and what the next channel knows."""

from functools import partial

import pytest

from o2c.checks.diagnose import run_checks
from o2c.complaints import rules
from o2c.complaints.events import ComplaintRaised, ComplaintResolved
from o2c.complaints.offers import OfferBook, checked, in_force, packaged
from o2c.complaints.state import KIND as COMPLAINT
from o2c.complaints.state import ComplaintState
from o2c.desk.complaints import answer_complaint, escalate_complaint, load_offers, open_complaint, resolve_complaint
from o2c.desk.journeys import note_attempt
from o2c.desk.winning_back import order_journey
from o2c.engine.app import Context
from o2c.kernel.refusal import Refused
from o2c.views.balance import show_balance
from o2c.views.complaints import customer_context, list_complaints, show_complaint
from o2c.views.invoices import show_invoice
from o2c.views.journeys import places_in
from o2c.views.offers import list_offers, offer_effects
from o2c.views.reading import caught_up
from tests.balances import unlike_the_books
from tests.lives_of_products import change, in_service, product
from tests.tried import accounted, keyed_once
from tests.world import World, at, line, order

WEB, ANN = Context("care-web", channel="web"), Context("ann", channel="store")


def test_a_complaint_is_answered_in_another_channel(world: World) -> None:
    """Given last week's complaint on the web and an attempt that failed, when the customer comes to a store, then what is open stands on one page with what may be offered and why,
    a month free resolves it instead of a disconnection, and what failed on the web is ordered there and then without being keyed in again."""
    world.take(order("WEB-1", line()))
    world.run(at(5, 12))
    paper = {key: value for key, value in order("-", line()).items() if key in ("productOrderItem", "billingAccount")}
    keyed = {path: value for path, value in places_in(paper) if not path.endswith("quantity")}
    journey = note_attempt(world.app, WEB, "failed", "web", customer="C-1", error="HTTP-504", fields=keyed).journey
    complaint = open_complaint(world.app, WEB, "C-1", topic="delivery", channel="web", order="WEB-1", note="it came late").complaint
    world.run(at(12, 10))
    caught_up(world.app)
    before = customer_context(world.app, "C-1")
    answer_complaint(world.app, ANN, complaint, channel="store", remedy="free-period", note="a month free")
    resolve_complaint(world.app, ANN, complaint, remedy="free-period", channel="store")
    note_attempt(world.app, ANN, "visit", "store", journey=journey, store="S-12")
    order_journey(world.app, ANN, journey, "store", external_id="SHOP-1")
    world.run(at(20, month=3))
    caught_up(world.app)
    after = customer_context(world.app, "C-1")

    assert [row["complaint"] for row in before["complaints"]] == [complaint]
    assert [row["state"] for row in before["journeys"]] == ["open"]
    due = {one.name for one in packaged().offers if not one.held_out("C-1") and one.when != ("promise-broken",)}
    assert {row["offer"] for row in before["offers"]} == due
    [shown] = list_complaints(world.app)
    assert (shown["state"], shown["channels"], shown["remedy"], shown["answers"], shown["outside"]) == (
        "resolved", ["web", "store"], "free-period", 1, False,
    )  # fmt: skip
    assert shown["order"] == world.order("WEB-1").order_id
    assert "note" not in shown
    assert list_complaints(world.app, personal=True)[0]["note"] == "it came late"
    page = show_complaint(world.app, complaint, personal=True)
    assert [(step["type"], step["channel"], step["remedy"], step["note"]) for step in page["steps"]] == [
        ("complaint.raised", "web", "", "it came late"), ("complaint.answered", "store", "free-period", "a month free"), ("complaint.resolved", "store", "free-period", ""),
    ]  # fmt: skip
    assert not any("note" in step for step in show_complaint(world.app, complaint)["steps"])
    with pytest.raises(Refused, match="no complaint"):
        show_complaint(world.app, "none")
    assert (after["complaints"], after["journeys"], after["offers"]) == ([], [], [])
    assert (world.state("WEB-1"), world.state("SHOP-1")) == ("completed", "completed")
    fields = keyed_once(world, "SHOP-1", journey, keyed, "journey.attempt-failed")
    assert ({fields[path]["channel"] for path in keyed}, fields["/externalId"]["channel"]) == ({"web"}, "store")
    assert accounted(world) == {"ordered": 2}


def test_a_complaint_that_nobody_resolves_may_be_taken_outside_after_eight_weeks(world: World) -> None:
    """Given two complaints that nobody resolves, when we send a letter of deadlock about one and eight weeks go by for the other, then both may be taken outside, and not before."""
    left = open_complaint(world.app, WEB, "C-1", topic="bill", channel="mail").complaint
    world.run(at(6))
    locked = open_complaint(world.app, WEB, "C-2", topic="price", channel="call").complaint
    escalate_complaint(world.app, ANN, left, team="care-management")
    escalate_complaint(world.app, ANN, locked, deadlock=True)
    world.run(at(25, month=2))
    early = {row["complaint"]: row["outside"] for row in list_complaints(world.app)}
    world.run(at(27, month=2))

    assert early == {left: False, locked: True}
    late = {row["complaint"]: row for row in list_complaints(world.app)}
    assert {name: row["outside"] for name, row in late.items()} == {left: True, locked: True}
    assert (late[left]["outside_from"], late[left]["team"]) == ("2026-02-26T00:00:00Z", "care-management")
    assert world.types(f"complaint-{left}")[-1] == "complaint.opened-outside"


def test_what_cannot_be_is_refused(world: World) -> None:
    """Another customer's order, an unknown customer, words that are none, and what is over are refused in a line."""
    world.take(order("WEB-1", line()))
    told = {"topic": "bill", "channel": "web"}
    for customer, more, why in (
        ("C-2", {"order": "WEB-1"}, "is not of customer C-2"),
        ("C-404", {}, "register this one first"),
        ("C-1", {"topic": "weather"}, "no such topic"),
        ("C-1", {"invoice": "NOSUCH"}, "NOSUCH"),
    ):
        with pytest.raises(Refused, match=why):
            open_complaint(world.app, WEB, customer, **{**told, **more})  # type: ignore[arg-type] # words that are none
    complaint = open_complaint(world.app, WEB, "C-1", topic="bill", channel="web").complaint
    resolve_complaint(world.app, ANN, complaint, remedy="credit", channel="call")
    assert resolve_complaint(world.app, ANN, complaint, remedy="credit", channel="call").unchanged
    with pytest.raises(Refused, match="is resolved"):
        answer_complaint(world.app, ANN, complaint, channel="call", remedy="none")
    with pytest.raises(Refused, match="no such complaint"):
        resolve_complaint(world.app, ANN, "nosuch", remedy="credit", channel="call")


def test_a_month_free_is_a_credit_that_the_next_bill_uses(world: World) -> None:
    """Given a line at 18.50 net, when its customer's complaint is resolved with a month of it free, then the account has 22.20, the next bill is lower by that and says why, and the
    books agree; told again it counts once."""
    in_service(world)
    complaint = open_complaint(world.app, WEB, "C-1", topic="service", channel="web").complaint
    free = {"remedy": "free-period", "channel": "store", "product": product(world, "FIRST").product}
    resolve_complaint(world.app, ANN, complaint, **free)
    again = resolve_complaint(world.app, ANN, complaint, **free)
    caught_up(world.app)
    [held] = show_balance(world.app, "BA-C-1")
    world.run(at(12, month=2))

    assert again.unchanged
    assert (held["credit_minor"], [(item["what"], item["of"]) for item in held["items"] if item["what"] == "credit"]) == (
        2220,
        [("credit", complaint)],
    )
    [used] = [row["body"] for row in world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'account.credit-used'")]
    assert used["amount_minor"] == 2220
    assert show_invoice(world.app, used["invoice"])["credit_used_minor"] == 2220
    [*_, step] = show_complaint(world.app, complaint)["steps"]
    assert (step["account"], step["amount_minor"], step["currency"], step["product"]) == ("BA-C-1", 2220, "GBP", free["product"])
    assert unlike_the_books(world.app) == []
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []


def test_a_period_that_was_free_is_told_again_by_its_product() -> None:
    """What a period costs may be another amount by then, or the product be over: it is not worked out again. Another product is another wish."""
    state = ComplaintState()
    for event in (ComplaintRaised, ComplaintResolved):
        state = COMPLAINT.evolve(state, event.model_validate(event.example))
    told = partial(rules.resolve, state, remedy="free-period", channel="store", gives=lambda: pytest.fail("it was worked out again"))
    assert not told(free=ComplaintResolved.example["product"])
    with pytest.raises(Refused, match="was resolved with free-period"):
        told(free="another:1")


def test_a_credit_that_cannot_be_given_is_refused(world: World) -> None:
    """Nothing, too much for one person, an account that is another customer's or nobody's, a remedy that is no money, half of what is needed: a line says so, and nothing is written."""
    in_service(world)
    complaint = open_complaint(world.app, WEB, "C-1", topic="service", channel="web").complaint
    other = open_complaint(world.app, WEB, "C-2", topic="service", channel="web").complaint
    money = {"remedy": "credit", "account": "BA-C-1", "amount": "10.00"}
    for whose, more, why in (
        (complaint, {"amount": "0.00"}, "nothing to give|more than"),
        (complaint, {"amount": "100.01"}, "100.01 GBP is more than the 100.00 that one person may give; issue a credit note"),
        (other, {}, "account BA-C-1 is not of customer C-2"),
        (complaint, {"account": "BA-404"}, "no account BA-404"),
        (complaint, {"remedy": "apology"}, "is credit or free-period, not apology"),
        (complaint, {"amount": ""}, "name an account and an amount, or a product"),
        (complaint, {"product": product(world, "FIRST").product}, "name an account and an amount, or a product"),
        (complaint, {"account": "", "amount": "", "product": "nosuch"}, "no such product"),
    ):
        with pytest.raises(Refused, match=why):
            resolve_complaint(world.app, ANN, whose, channel="store", **{**money, **more})  # type: ignore[arg-type] # words that are none
    assert {row["state"] for row in list_complaints(world.app)} == {"open"}
    resolve_complaint(world.app, ANN, complaint, channel="store", **{**money, "amount": "100.00"})  # type: ignore[arg-type] # given as words
    with pytest.raises(Refused, match="was resolved with credit"):
        resolve_complaint(world.app, ANN, complaint, channel="store", **money)  # type: ignore[arg-type] # given as words


def test_an_offer_is_counted_beside_those_who_were_held_out(world: World) -> None:
    """Given complaints of customers who could be offered a month and of those held out, when some of either leave within thirty days, then each is counted in its group once those days are
    over, and the difference is told in points."""
    offer = packaged().offers[0]
    names = [f"C-{n}" for n in range(1, 400)]
    held = [name for name in names if offer.held_out(name)][:2]
    others = [name for name in names if not offer.held_out(name)][:3]
    for name in (*held, *others):
        world.registers(name)
        open_complaint(world.app, WEB, name, topic="service", channel="web")
    left = (held[0], others[0])
    world.sims(esim=3)
    world.take(*[order(f"WEB-{name}", line(), party=name) for name in left])
    world.run(at(6))
    world.take(*[order(f"END-{name}", change(world, f"WEB-{name}", action="delete"), on=at(7), party=name) for name in left])
    world.run(at(25))
    caught_up(world.app)
    before = offer_effects(world.app, days=30)[0]
    world.run(at(10, month=2))
    caught_up(world.app)
    [after, *_] = offer_effects(world.app, days=30)

    assert (before["eligible"], before["held_out"], before["kept_points"]) == (0, 0, None)
    assert after == {
        "offer": "month-free", "remedy": "free-period", "days": 30, "eligible": 3, "left": 1, "held_out": 2, "held_out_left": 1, "kept_points": "16.7",
    }  # fmt: skip


def test_who_is_held_out_is_always_the_same_and_as_many_as_the_offer_says() -> None:
    """The split depends on customer and offer alone, holds out about the percentage, and no offer comes without all of its grounds."""
    book = packaged()
    [offer, *_] = book.offers
    held = [f"C-{n}" for n in range(5_000) if offer.held_out(f"C-{n}")]

    assert held == [f"C-{n}" for n in range(5_000) if offer.held_out(f"C-{n}")]
    assert abs(len(held) / 50 - offer.held_out_percent) < 2
    assert [one.name for one in book.due(held[0], {"complaint-open"})] == []
    assert list(OfferBook("x", (offer,)).due("C-1", set())) == []


OWN = """version = "own-1"
[[offers]]
name = "half-a-year"
remedy = "free-period"
when = ["complaint-open"]
reason = "we are very sorry"
held_out_percent = 0
"""


def test_the_operators_own_offers_take_the_place_of_the_packaged_ones(world: World) -> None:
    """Given offers of the operator's own, when a customer complains, then those are due, by the version of the file, on the page and in what they come to; loaded again nothing happens."""
    open_complaint(world.app, ANN, "C-1", topic="service", channel="web", note="no coverage")
    load_offers(world.app, ANN, definitions=OWN)
    again = load_offers(world.app, ANN, definitions=OWN)
    caught_up(world.app)

    assert again.unchanged
    assert [(row["offer"], row["version"]) for row in list_offers(world.app)] == [("half-a-year", "own-1")]
    assert customer_context(world.app, "C-1")["offers"] == [
        {"offer": "half-a-year", "remedy": "free-period", "reason": "we are very sorry"}
    ]
    assert [row["offer"] for row in offer_effects(world.app)] == ["half-a-year"]


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        pytest.param(("free-period", "a-car"), "no such remedy", id="no such remedy"),
        pytest.param(("complaint-open", "bad-weather"), "no ground", id="no such ground"),
        pytest.param(("held_out_percent = 0", "held_out_percent = 101"), "from 0 to 100", id="more than all"),
        pytest.param(("held_out_percent = 0", ""), "held_out_percent", id="no share"),
        pytest.param(('name = "half-a-year"', 'name = "Half a Year"'), "small letters", id="no name"),
        pytest.param(("own-1", "offers/2026-12"), "version", id="a version that was released"),
        pytest.param(("[[offers]]", "[[offers"), "no offers were loaded", id="no TOML"),
    ],
)
def test_offers_that_cannot_be_loaded(changed: tuple[str, str], word: str) -> None:
    """A file with a flaw is refused with it."""
    with pytest.raises(Refused, match=word):
        checked((), OWN.replace(*changed))


def test_a_file_that_fits_no_more_leaves_the_packaged_offers() -> None:
    """What was right on its day may name a ground that a later program has no more: nobody is left without offers, and nothing fails."""
    assert in_force((OWN.replace("complaint-open", "bad-weather"),)) == packaged()
    assert in_force((OWN,)).version == "own-1"
