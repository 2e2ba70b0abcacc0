"""What becomes of instalments when the service ends: they go on, or all that is left is due with the bill that follows, as was agreed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.instalments.events import InstalmentBilled, InstalmentsAgreed, InstalmentsSettled
from o2c.instalments.state import shares_of
from o2c.invoicing.instalments import all_due, instalments_of
from o2c.invoicing.state import ACCOUNT as KIND
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn
from o2c.kernel.event import Event
from o2c.kernel.periods import next_month
from o2c.markets import registry
from o2c.markets.gb import GB
from o2c.markets.registry import MARKETS
from o2c.views.invoice_papers import invoice_html, invoice_pdf, invoice_ubl
from o2c.views.paper.content import paper_of_invoice
from o2c.views.paper.en16931 import broken
from o2c.views.paper.ubl import ubl_of
from o2c.views.reading import caught_up
from tests.agreeing import disagreements
from tests.balances import unlike_the_books
from tests.desk import DEPOSIT, Desk
from tests.handsets import GROSS_MINOR, selling
from tests.lives_of_products import change
from tests.stories.test_instalments import bought, issued, of_instalments, standing
from tests.world import World, at, line, order

ON_PLAN = "They go on when the service ends, and what is left may be paid at once on any day."
AT_ONCE = "When the service ends, all that is left is due with the bill that follows; it may be paid at once on any day before."
LEFT_MINOR = GROSS_MINOR - 2496
"""What no bill has after the first."""


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    return selling(World(dsn, tmp_path).stocked())


def agreed(monkeypatch: pytest.MonkeyPatch, policy: Any) -> None:
    """The market says so of agreements that are made from now on."""
    monkeypatch.setitem(registry._BY_PIN, GB.pin, replace(GB, invoicing=replace(GB.invoicing, instalments_at_end=policy)))


def end_the_line(world: World) -> None:
    """The line beside the device ends on 20 January."""
    world.take(order("END", change(world, "WEB-1", item_of="2", action="delete"), on=at(20)))


def sound(world: World, desk: Desk) -> None:
    """Oracle, books, assurance and conformance agree."""
    assert disagreements(desk.sees("events", "find")) == []
    assert unlike_the_books(world.app) == []
    caught_up(world.app)
    assert [leak.row() for leak in check_assurance(world.app)] == []
    assert [kept for kept in check_conformance(world.app) if kept.broken] == []


@pytest.mark.parametrize("market", [each for versions in MARKETS.values() for each in versions], ids=lambda each: each.pin)
def test_every_market_says_what_becomes_of_them_and_why(market: Any) -> None:
    """To make all of it due at once is a term of credit that consumer law ties to a default, so that by default they go on."""
    assert market.invoicing.instalments_at_end == "on-plan"
    assert len(market.invoicing.instalments_source) > 20


def test_all_that_is_left_is_on_the_final_bill_where_that_was_agreed(world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line over the settlement figure, without tax again; nothing is billed after it, and nothing is left in the books. The goods' invoice says it before."""
    agreed(monkeypatch, "at-once")
    bought(world, beside=True).run(at(9))
    goods = issued(world)[0]["number"]
    end_the_line(world)
    world.run(at(1, month=2))
    assert (standing(world)["at_end"], standing(world)["next_minor"]) == ("at-once", LEFT_MINOR)
    world.run(datetime(2026, 8, 1, tzinfo=UTC))

    final = issued(world)[-1]
    assert (final["issued_on"], final["final"], of_instalments(world)) == ("2026-02-08", True, [2496, LEFT_MINOR])
    assert (standing(world)["state"], standing(world)["settlement_minor"], len(issued(world))) == ("settled", 0, 3)
    assert AT_ONCE in invoice_html(world.app, goods)["content"]
    page = invoice_html(world.app, final["number"])["content"]
    assert "lark-9, all instalments that were left, as the service has ended" in page
    assert invoice_pdf(world.app, final["number"])["content"]
    assert "574.04" in str(invoice_ubl(world.app, final["number"])["content"])
    sound(world, desk)


def test_they_go_on_where_that_was_agreed_and_the_final_bill_says_how_many(world: World, desk: Desk) -> None:
    """The final bill of the line has its instalment, and says what is left after it and that it goes on; so did the goods' invoice."""
    bought(world, beside=True).run(at(9))
    end_the_line(world)
    world.run(at(9, month=4))

    goods, final = issued(world)[0]["number"], next(body for body in issued(world) if body["final"])
    assert of_instalments(world) == [2496] * 4
    told = "lark-9: 22 instalments are left, 549.08 GBP in all; they go on with later bills, one with each, and may be paid at once on any day."
    assert ON_PLAN in invoice_html(world.app, goods)["content"]
    for paper in (invoice_html(world.app, final["number"]), invoice_ubl(world.app, final["number"])):
        assert told in str(paper["content"])
    assert "instalments are left" not in invoice_html(world.app, issued(world)[-1]["number"])["content"]
    sound(world, desk)


def test_another_line_of_the_account_does_not_keep_the_agreement_going(world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was bought with a line is due as that line ends, on the next bill of the account, which is not its final one."""
    agreed(monkeypatch, "at-once")
    bought(world, beside=True)
    world.take(order("WEB-2", line("1")), name="two.jsonl")
    world.run(at(9))
    end_the_line(world)
    world.run(at(9, month=4))
    [due] = [body for body in issued(world) if LEFT_MINOR in [each["net_minor"] for each in body["lines"] if each["kind"] == "instalment"]]
    assert (due["issued_on"], due["final"]) == ("2026-02-08", False)
    sound(world, desk)


def test_a_policy_of_later_changes_no_agreement(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was agreed stands on the agreement: the market of today is not asked again."""
    bought(world, beside=True).run(at(9))
    agreed(monkeypatch, "at-once")
    end_the_line(world)
    world.run(at(9, month=3))
    assert (standing(world)["at_end"], of_instalments(world)) == ("on-plan", [2496] * 3)


def test_papers_of_the_end_are_valid(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """EN 16931, with the rest beside what was served."""
    agreed(monkeypatch, "at-once")
    bought(world, beside=True).run(at(9))
    end_the_line(world)
    world.run(at(9, month=2))
    states = [world.app.load([name := f"invoice-{body['number']}"])[name].state for body in issued(world)]
    assert [broken(ubl_of(paper_of_invoice(state.issued))) for state in states] == [[]] * 3


OF = {"account": "BA-1", "customer": "C-1", "currency": "GBP"}


def begins(order_id: str, item: str = "1", **more: Any) -> Event:
    body = {
        **ChargeStarted.example,
        **OF,
        "order": order_id,
        "item": item,
        "starts_on": "2026-01-05",
        "goods": False,
        "product": "",
        **more,
    }
    return ChargeStarted.model_validate(body)


def ends(order_id: str, item: str = "1", on: str = "2026-03-01") -> Event:
    return ChargeWithdrawn.model_validate({**ChargeWithdrawn.example, "order": order_id, "item": item, "ended_on": on, "served": True})


def handset_of(order_id: str, at_end: str = "at-once", **more: Any) -> Event:
    body = {**InstalmentsAgreed.example, **OF, "order": order_id, "item": "9", "agreed_on": "2026-01-10", "at_end": at_end, **more}
    return InstalmentsAgreed.model_validate(body)


def account(*events: Event) -> AccountState:
    state = KIND.initial("account-BA-1")
    for event in events:
        state = KIND.evolve(state, event)
    return state


CHANGED = begins("C", product="A:1")
"""An order of later changed the line of order A: it serves the same product."""


@pytest.mark.parametrize(
    ("events", "due"),
    [
        ([begins("A"), handset_of("A")], False),
        ([begins("A"), handset_of("A"), ends("A")], True),
        ([begins("A"), handset_of("A", "on-plan"), ends("A")], False),
        ([begins("A"), begins("A", "2"), handset_of("A"), ends("A")], False),
        ([begins("A"), begins("B"), handset_of("A"), ends("A")], True),
        ([begins("A"), begins("B"), handset_of("A"), ends("B")], False),
        ([begins("A"), handset_of("A"), ends("A"), CHANGED], False),
        ([begins("A"), handset_of("A"), ends("A"), CHANGED, ends("C")], True),
        ([begins("B"), handset_of("A")], False),
        ([begins("B"), handset_of("A"), ends("B")], True),
        ([handset_of("A")], False),
        ([begins("B"), ends("B", on="2026-01-06"), handset_of("A")], False),
        ([begins("A"), begins("D", goods=True, recurring_minor=0), handset_of("A"), ends("A")], True),
    ],
)  # fmt: skip
def test_when_the_service_of_an_agreement_has_ended(events: list[Event], due: bool) -> None:
    """The lines of its order, whatever changed them; of a device that was bought alone, all that the account has beside it, and not what it had before."""
    state = account(*events)
    assert all_due(state, state.instalments["A/9"]) is due


@hypothesis.given(st.integers(1, 200_000), st.integers(2, 36), st.integers(0, 40), st.sampled_from(["on-plan", "at-once"]))
def test_bills_ask_for_the_price_once_whenever_the_service_ends(total: int, count: int, end_after: int, at_end: str) -> None:
    """One instalment a bill, and where that was agreed all that is left with the first bill after the end: in all the price, and nothing twice."""
    state = account(begins("A"), handset_of("A", at_end, total_minor=total, count=count))
    asked, run_on = list[int](), date(2026, 2, 8)
    for number in range(45):
        if number == end_after:
            state = KIND.evolve(state, ends("A"))
        lines, events = instalments_of(state, run_on, f"BA-1-{number}")
        asked += [each.net_minor for each in lines]
        for event in events:
            assert isinstance(event, InstalmentBilled | InstalmentsSettled)
            state = KIND.evolve(state, event)
        run_on = next_month(run_on, 8)
    shares = list(shares_of(total, count))
    wanted = shares if at_end == "on-plan" or end_after >= count else [*shares[:end_after], sum(shares[end_after:])]
    assert asked == [each for each in wanted if each or at_end == "on-plan"][: len(asked)]
    assert (sum(asked), state.instalments["A/9"].left_minor) == (total, 0)


def test_what_is_settled_last_takes_the_deposit(world: World, desk: Desk) -> None:
    """The line has ended and only instalments are billed still, for which the deposit is kept. Who pays all that is left at once gets it off that invoice, and what is left of it back."""
    world.scripted.will("credit", DEPOSIT)
    bought(world, beside=True).run(at(5, 10))
    desk.types("payments", "deposit", "WEB-1", "--amount", "900.00", "--reference", "TFR-1", "--yes")
    world.run(at(9))
    end_the_line(world)
    world.run(at(21))
    desk.types("fallout", "resolve", desk.finds("CR-DEPOSIT"), "--decide", "approve", "--reason", "leaves")
    world.run(at(20, month=2))
    [row] = desk.sees("balance", "show", "BA-C-1")
    assert row["deposits_minor"] == 90_000
    order_id = world.order("WEB-1").order_id
    desk.types("instalments", "settle", "BA-C-1", "--order", order_id, "--item", "1")
    world.run(at(1, month=4))

    last = issued(world)[-1]
    assert last["number"].endswith("-G2")
    assert last["credit_used_minor"] == last["total_minor"]
    [row] = desk.sees("balance", "show", "BA-C-1")
    assert (row["deposits_minor"], row["open_minor"], row["credit_minor"], row["owed_minor"]) == (0, 0, 0, 0)
    # What is left goes back by itself once the account has ended.
    [back] = world.app.reads.rows("SELECT (body->>'amount_minor')::bigint AS minor FROM o2c.event WHERE type = 'refund.completed'")
    assert back["minor"] == 90_000 - last["total_minor"] > 0
    sound(world, desk)
