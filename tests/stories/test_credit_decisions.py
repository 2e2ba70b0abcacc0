"""A decision about credit: one search, reused while it holds, its limit kept over all orders of the customer, and who is told of a no."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.customers.events import CreditDecided
from o2c.desk.act import act_on_all
from o2c.desk.customers import register_customer
from o2c.desk.fallout import Decide, Retry, deed_of
from o2c.engine.app import Context
from o2c.kernel.decision import Decision
from o2c.kernel.partner import Answer, Answered, Failed, RefusedBy, Request, Unknown
from o2c.kernel.refusal import Refused
from o2c.markets import registry
from o2c.markets.base import CreditRules
from o2c.markets.gb import GB
from o2c.views.customers import show_customer
from o2c.views.reading import caught_up
from tests.desk import DEPOSIT
from tests.world import NINE, World, at, customer, line, order

DECISION = timedelta(days=GB.credit.decision_days)


@pytest.fixture
def world(store_dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(store_dsn, tmp_path).stocked(esims=9, numbers=9)
    yield made
    made.close()


@pytest.fixture
def with_duty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The market of the story has the duty of a notice within 30 days."""
    duty = CreditRules(decision_days=30, notice_days=30, source="15 USC 1681m(a)")
    monkeypatch.setitem(registry._BY_PIN, GB.pin, replace(GB, credit=duty))


def limit(percent: int) -> Any:
    """The bureau approves up to so much of what it is asked about."""
    return lambda request: Answered({"limit_minor": request.body["commitment_minor"] * percent // 100})


def searches(world: World) -> int:
    return len(world.scripted.asked("credit"))


def approved(world: World, external_id: str) -> dict[str, Any]:
    """What the order's approval says; empty without one."""
    return world.outcome(external_id, "", "credit") if "credit.approved" in world.told(external_id) else {}


def of_customer(world: World, name: str = "C-1") -> dict[str, Any]:
    caught_up(world.app)
    return show_customer(world.app, name)["credit"]


@pytest.mark.parametrize("code", ["REFER", "DEPOSIT"])
def test_a_retry_makes_no_second_search(world: World, code: str) -> None:
    """What the bureau said holds: the step falls out again under it, however often somebody retries, and a person can still decide."""
    world.scripted.will("credit", RefusedBy(code), Answered(), Answered())
    world.take(order("WEB-1", line()))
    world.run(at(6))
    for day in (7, 8):
        world.resolve(f"CR-{code}", Retry())
        world.run(at(day))

    assert (searches(world), world.state("WEB-1")) == (1, "pending")
    world.resolve(f"CR-{code}", Decide(approve=True))
    assert world.run(at(9)).state("WEB-1") == "completed"


def test_an_order_that_was_referred_before_answers_were_kept_is_not_searched_again(world: World) -> None:
    """The customer's stream has no answer, the order's own record has one: that holds."""
    world.scripted.will("credit", RefusedBy("REFER"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    kept = world.app.load_one("customer-C-1")
    world.app._known.put("customer-C-1", replace(kept, state=replace(kept.state, credit=type(kept.state.credit)())))
    world.resolve("CR-REFER", Retry())
    world.run(at(7))

    assert (searches(world), [one["reason"] for one in world.fallouts("WEB-1")]) == (1, ["CR-REFER"])


def test_a_second_order_reuses_the_decision(world: World) -> None:
    """No search is made for it, and its approval says whose search it rests on and until when."""
    world.take(order("WEB-1", line()))
    world.run(at(6))
    world.take(order("WEB-2", line(), on=at(8)), name="second.jsonl")
    world.run(at(9))

    first, second = approved(world, "WEB-1"), approved(world, "WEB-2")
    assert searches(world) == 1
    assert (first["reused_from"], second["reused_from"]) == ("", world.order("WEB-1").order_id)
    assert second["search"] == first["search"] != ""
    assert second["expires_at"] == first["expires_at"] == "2026-02-04T09:00:50Z"
    assert world.state("WEB-2") == "completed"


def test_two_orders_decided_at_once_are_one_search(world: World) -> None:
    """They come in one file, at the same minute: the bureau is asked once for the customer."""
    world.take(order("WEB-1", line()), order("WEB-2", line()), order("OTHER", line(), party="C-2"))
    world.run(at(6))

    assert sorted(request.body["customer"] for request in world.scripted.asked("credit")) == ["C-1", "C-2"]
    assert [world.state(name) for name in ("WEB-1", "WEB-2", "OTHER")] == ["completed"] * 3


@pytest.mark.parametrize(
    ("what", "says"),
    [
        pytest.param("expired", 2, id="a decision lasts until it expires"),
        pytest.param("moved", 2, id="and while the applicant's data are the same"),
        pytest.param("spelt", 1, id="another spelling is no other applicant"),
        pytest.param("pays", 1, id="nor is another way to pay"),
    ],
)
def test_when_a_new_search_is_made(world: World, what: str, says: int) -> None:
    """A search is about an applicant and a time."""
    world.take(order("WEB-1", line()))
    world.run(at(6))
    papers = customer("C-1", pays="invoice" if what == "pays" else "card")
    papers |= {"moved": {"familyName": "Otherquay"}, "spelt": {"givenName": "TÁMSEL"}}.get(what, {})
    register_customer(world.app, Context("ann"), papers)
    day = NINE + DECISION + timedelta(days=1) if what == "expired" else at(9)
    world.take(order("WEB-2", line(), on=day), name="second.jsonl")
    world.run(day + timedelta(days=1))

    assert (searches(world), world.state("WEB-2")) == (says, "completed")


def test_the_limit_is_kept_over_all_orders_of_the_customer(world: World) -> None:
    """One order fits, a second goes beyond the limit and waits for an underwriter; once the first is cancelled, a retry lets it pass."""
    world.scripted.will("credit", limit(150))
    world.scripted.will("1/delivery", *[Failed("UNAVAILABLE")] * 6)
    world.take(order("WEB-1", line(sim="physical")))
    world.run(at(6))
    world.take(order("WEB-2", line(), on=at(6)), name="second.jsonl")
    world.run(at(7))

    [fallout] = world.fallouts("WEB-2")
    asked = world.scripted.asked("credit")[0].body["commitment_minor"]
    assert (fallout["reason"], fallout["waiting_for"], world.state("WEB-2"), searches(world)) == ("CR-REFER", "us", "pending", 1)
    assert of_customer(world)["GBP"] == {
        "decision": "limit", "limit_minor": asked * 3 // 2, "used_minor": asked, "expires_at": "2026-02-04T09:00:50Z", "expired": False,
    }  # fmt: skip

    world.cancel("WEB-1")
    world.resolve("CR-REFER", Retry())
    world.run(at(20))
    assert (world.state("WEB-1"), world.state("WEB-2"), searches(world)) == ("cancelled", "completed", 1)
    assert of_customer(world)["GBP"]["used_minor"] == asked


def test_what_is_in_service_still_takes_its_part_of_the_limit(world: World) -> None:
    """An order that was completed is committed to for its months."""
    world.scripted.will("credit", limit(150))
    world.take(order("WEB-1", line()))
    world.run(at(8))
    world.take(order("WEB-2", line(), on=at(9)), name="second.jsonl")
    world.run(at(10))

    assert (world.state("WEB-1"), world.state("WEB-2")) == ("completed", "pending")


def test_two_orders_decided_at_once_do_not_both_use_up_one_limit(world: World) -> None:
    """In one pass of one worker the second sees what the first has committed to. The control: with room for both, both pass."""
    world.scripted.will("credit", limit(150), limit(200))
    world.take(order("WEB-1", line()), order("WEB-2", line()), order("W-3", line(), party="C-2"), order("W-4", line(), party="C-2"))
    world.run(at(6))

    assert sorted(world.state(name) for name in ("WEB-1", "WEB-2")) == ["completed", "pending"]
    assert [world.state(name) for name in ("W-3", "W-4")] == ["completed"] * 2


@pytest.mark.parametrize(("percent", "states"), [(150, ["completed", "pending"]), (200, ["completed", "completed"])])
def test_two_workers_do_not_both_use_up_one_limit(world: World, tmp_path: Path, percent: int, states: list[str]) -> None:
    """While one worker waits for the bureau, another decides the other order: the slower one decides again on what the faster one wrote."""
    world.take(order("WEB-1", line()), order("WEB-2", line()))
    other = World(world.dsn, tmp_path)
    other.scripted.will("credit", limit(percent))

    def meanwhile(request: Request) -> Answer:
        waiting = [row for row in other.app.reads.lease(NINE + timedelta(days=1), 100, 0) if row.entry.stream != request.stream]
        other.runner.attend(waiting, round_=0)
        answer: Answer = limit(percent)(request)
        return answer

    world.scripted.will("credit", meanwhile)
    world.run(at(6))
    assert len(other.scripted.asked("credit")) == 1
    other.close()

    assert sorted(world.state(name) for name in ("WEB-1", "WEB-2")) == states


def test_orders_of_one_customer_are_approved_together(world: World) -> None:
    """An underwriter approves two of them in one go, though both are written down with the same customer."""
    world.scripted.will("credit", RefusedBy("REFER"))
    world.take(order("WEB-1", line()), order("WEB-2", line()))
    world.run(at(6))
    waiting = world.fallouts(reason="CR-REFER")
    deeds = [deed_of(world.app, one["fallout"], Decide(approve=True), note="payslips", by="ann") for one in waiting]
    done = act_on_all(world.app, Context("ann"), "fallout.resolve", deeds)

    assert [one for one in done if isinstance(one, Refused)] == []
    assert [world.run(at(7)).state(name) for name in ("WEB-1", "WEB-2")] == ["completed"] * 2
    assert of_customer(world)["GBP"]["used_minor"] == sum(approved(world, name)["committed_minor"] for name in ("WEB-1", "WEB-2"))


def test_a_bureau_that_stays_silent_is_asked_under_one_key(world: World) -> None:
    """Queries and later attempts name the same search, so that a bureau that has it makes no other."""
    world.scripted.will("credit", Failed("UNAVAILABLE"), Unknown(NINE + timedelta(hours=1)), Answered())
    world.take(order("WEB-1", line()))
    world.run(at(6))

    heard = [request.key for _, request in world.scripted.heard if request.step == "credit"]
    assert (len(heard), len(set(heard)), world.state("WEB-1")) == (3, 1, "completed")


def test_no_personal_value_is_kept_with_a_decision(world: World) -> None:
    """Of the applicant's data only a digest is kept, apart from the public body."""
    world.take(order("WEB-1", line()))
    world.run(at(6))
    [row] = world.app.reads.rows("SELECT body, personal FROM o2c.event WHERE type = 'credit.decided'")

    assert set(row["personal"]) == {"applicant"} == CreditDecided.personal
    assert not any(word in str(row).casefold() for word in ("tamsel", "holmquay", "1984"))


@pytest.mark.parametrize(
    ("code", "decides", "notices"),
    [
        pytest.param("DEPOSIT", None, ["CR-DEPOSIT"], id="a deposit"),
        pytest.param("DECLINE", None, ["CR-DECLINE"], id="a decline"),
        pytest.param("REFER", None, [], id="a referral is no decision yet"),
        pytest.param("REFER", False, ["CR-REFER"], id="an underwriter's decline that rests on the report"),
        pytest.param("REFER", True, [], id="an underwriter's approval"),
    ],
)
@pytest.mark.usefixtures("with_duty")
def test_a_no_because_of_a_report_is_told_to_the_customer(world: World, code: str, decides: bool | None, notices: list[str]) -> None:
    """The duty is an event with its day, the notice goes out and stands on the customer's page."""
    world.scripted.will("credit", RefusedBy(code, DEPOSIT.data if code == "DEPOSIT" else {}))
    world.take(order("WEB-1", line()))
    world.run(NINE + timedelta(hours=1))
    if decides is not None:
        world.resolve("CR-REFER", Decide(approve=decides))
    owed = world.app.reads.rows(
        "SELECT body->>'reason' AS reason, body->>'owed_by' AS day FROM o2c.event WHERE type = 'credit.notice-owed'"
    )
    world.run(at(6))

    assert [(row["reason"], row["day"]) for row in owed] == [(reason, "2026-02-04") for reason in notices]
    assert world.told("WEB-1").count("credit-notice.sent") == len(notices)
    caught_up(world.app)
    page = show_customer(world.app, "C-1")
    assert [one["topic"] for one in page["contacts"]] == ["credit-notice"] * len(notices)
    assert page["credit_notices_owed"] == {}
    [check] = [one for one in run_checks(world.app) if one.name == "notices about credit are sent in time"]
    assert (check.state, check.detail) == ("ok", f"{len(notices)} notices owed, {len(notices)} sent")


def test_a_market_without_the_duty_owes_no_notice(world: World) -> None:
    """The control: under the rules of the United Kingdom nothing of it happens."""
    world.scripted.will("credit", DEPOSIT)
    world.take(order("WEB-1", line()))
    world.run(at(6))

    assert [name for name in world.told("WEB-1") if "notice" in name] == []


@pytest.mark.usefixtures("with_duty")
def test_a_notice_that_did_not_go_out_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands on the customer's page with its day, and once that is over the check says so."""
    broken = replace(world.app.book.steps["credit-notice"], complete=lambda work, data, now: Decision())
    monkeypatch.setitem(world.app.book.__dict__, "steps", {**world.app.book.steps, "credit-notice": broken})
    world.scripted.will("credit", DEPOSIT)
    world.take(order("WEB-1", line()))
    world.run(at(1, month=3))

    caught_up(world.app)
    assert show_customer(world.app, "C-1")["credit_notices_owed"] == {world.order("WEB-1").order_id: "2026-02-04"}
    [check] = [one for one in run_checks(world.app) if one.name == "notices about credit are sent in time"]
    assert check.state == "failed"
    assert "owed by 2026-02-04" in check.detail
