"""Counterfactual under another credit policy and other plan data: the real rules over what the bureau and the partners said, held against a life."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from o2c.desk.fallout import Decide
from o2c.desk.payments import deposit
from o2c.engine.app import Context
from o2c.kernel.partner import Accepted, Answer, Answered, RefusedBy, Request, Unknown
from o2c.kernel.refusal import Refused
from o2c.partners.registry import simulated_partners
from o2c.plan import PlanBook
from o2c.simulation.launch import write_launch
from o2c.views.counterfactual import Counterfactual, counterfactual
from o2c.views.reading import caught_up
from tests.desk import DEPOSIT, Desk
from tests.stories.test_counterfactual import counts, told
from tests.world import NINE, World, at, line, order

TRUSTED = "[credit.GB]\ntrusted_up_to_minor = {}\n"
REFERRED = RefusedBy("REFER")
SECOND = 1 / 86_400


def limited(percent: int) -> Any:
    """The bureau approves up to so much of what it is asked about."""
    return lambda request: Answered({"limit_minor": request.body["commitment_minor"] * percent // 100})


def referred(world: World, reason: str = "CR-REFER") -> World:
    """An order that waited three days for an underwriter, who approved it."""
    world.take(order("WEB-1", line()))
    world.run(at(8))
    world.resolve(reason, Decide(approve=True))
    return world.run(at(9))


def test_whom_the_policy_trusts_nobody_need_approve(world: World, desk: Desk, tmp_path: Path) -> None:
    """Up to an amount the bureau's referral is an approval: three days are won with their revenue, and eight minutes of an underwriter; control: up
    to less than the order commits to, all is as it was."""
    world.scripted.will("credit", REFERRED)
    referred(world)

    row = told(desk, tmp_path, TRUSTED.format(10_000_000))
    low = told(desk, tmp_path, TRUSTED.format(1))

    assert counts(row) == (1, 1, 0, 0)
    assert 2.5 < row["days_saved"] < 3
    assert (row["labour_minor_saved"], row["lost"]) == (8 * 55, 0)
    assert row["revenue_minor_saved"] > 0
    assert (counts(low), low["days_saved"], low["minor_saved"]) == ((1, 1, 1, 0), 0, 0)


@pytest.mark.parametrize(
    ("says", "policy", "counted"),
    [
        pytest.param(limited(50), "limit_percent = 250", (1, 1, 0, 0), id="beyond the limit, and within what the policy lets pass"),
        pytest.param(limited(50), "limit_percent = 150", (1, 1, 1, 0), id="control: beyond that too"),
        pytest.param(limited(120), "limit_percent = 80", (1, 0, 0, 1), id="within the limit: what would the underwriter have said?"),
        pytest.param(limited(120), "limit_percent = 90", (1, 0, 0, 0), id="control: within the stricter one"),
        pytest.param(Answered(), "limit_percent = 10", (1, 0, 0, 0), id="without a limit there is nothing to go beyond"),
    ],
)
def test_how_far_beyond_a_limit(world: World, desk: Desk, tmp_path: Path, says: Any, policy: str, counted: tuple[int, ...]) -> None:
    """The limit is the bureau's, as it stands beside the event; what of it is good for us is the policy's."""
    world.scripted.will("credit", says)
    world.take(order("WEB-1", line()))
    world.run(at(8))
    if world.fallouts():
        world.resolve("CR-REFER", Decide(approve=True))
        world.run(at(9))

    assert counts(told(desk, tmp_path, f"[credit.GB]\n{policy}\n")) == counted


@pytest.mark.parametrize(
    ("policy", "counted"),
    [
        pytest.param("deposit_from_minor = 10001", (1, 1, 0, 0), id="a small one is not asked for"),
        pytest.param("deposit_from_minor = 10000", (1, 1, 1, 0), id="control: it is not that small"),
        pytest.param("deposit_percent = 50", (1, 1, 1, 1), id="half of it: when would the customer have paid?"),
        pytest.param("deposit_percent = 50\ndeposit_from_minor = 5001", (1, 1, 0, 0), id="half of it is small"),
    ],
)
def test_how_large_a_deposit(world: World, desk: Desk, tmp_path: Path, policy: str, counted: tuple[int, ...]) -> None:
    """The bureau wanted 100 pounds, which came two days later."""
    world.scripted.will("credit", DEPOSIT)
    world.take(order("WEB-1", line()))
    world.run(at(7))
    deposit(world.app, Context("ann"), "WEB-1", amount="100.00", currency="GBP", reference="T-1", method="bank-transfer")
    world.run(at(8))

    assert counts(told(desk, tmp_path, f"[credit.GB]\n{policy}\n")) == counted


def test_the_next_order_of_a_customer_whose_credit_would_stand_otherwise_is_unknown(world: World, desk: Desk, tmp_path: Path) -> None:
    """The first order would have been approved by the bureau's answer: what the second was judged by is then another. One of somebody else is told."""
    world.scripted.will("credit", REFERRED, Answered())
    referred(world)
    world.take(order("WEB-2", line(), on=at(9)), order("WEB-3", line(), party="C-2", on=at(9)), name="more.jsonl")
    world.run(at(10))

    row = told(desk, tmp_path, TRUSTED.format(10_000_000), "--items")

    assert {item["external_id"]: item["unknown"] for item in row["items"] if item["unknown"]} == {
        "WEB-2": "credit reads customer-C-1, which would stand otherwise by then"
    }


def test_of_another_market_nothing_is_told(world: World, desk: Desk, tmp_path: Path) -> None:
    """A policy for the Netherlands touches no order of Great Britain."""
    world.scripted.will("credit", REFERRED)
    referred(world)

    assert counts(told(desk, tmp_path, TRUSTED.format(10_000_000).replace("GB", "NL"))) == (1, 1, 1, 0)


def test_less_patience_asks_a_person(world: World, desk: Desk, tmp_path: Path) -> None:
    """The network answered the third question; after one a person would have been asked, and nobody knows what they would have done."""
    world.scripted.will("activation", Unknown(NINE), Unknown(NINE), Unknown(NINE))
    world.take(order("WEB-1", line()))
    world.run(at(7))

    assert counts(told(desk, tmp_path, "[plan.steps.activation]\nsilences_max = 1\n")) == (1, 0, 0, 1)
    assert counts(told(desk, tmp_path, "[plan.steps.activation]\nsilences_max = 3\n")) == (1, 0, 0, 0)


@pytest.fixture
def posted(world: World) -> World:
    """An order whose SIM the courier took two days to bring."""
    world.scripted.will("delivery", Accepted("P-1", NINE + timedelta(days=2)))
    world.take(order("WEB-1", line(sim="physical")))
    return world.run(at(9))


def test_what_no_longer_waits_is_sooner(posted: World, desk: Desk, tmp_path: Path) -> None:
    """Switched on beside the parcel and not after it: the item is over with its parcel, sooner by what came after that. Control: charging that
    waits for the parcel, too, comes after it as before, and only the switching on is won."""
    row = told(desk, tmp_path, '[plan.waits.spec-mobile]\nactivation = ["sim", "number"]\n')
    both = '[plan.waits.spec-mobile]\nactivation = ["sim", "number"]\ncharging = ["activation", "delivery"]\n'
    over = posted.when("WEB-1", "order.completed") - posted.when("WEB-1", "delivery.delivered")
    switched_on = posted.when("WEB-1", "service.activated") - posted.when("WEB-1", "delivery.delivered")

    assert (counts(row), counts(told(desk, tmp_path, both))) == ((1, 0, 0, 0), (1, 0, 0, 0))
    assert over >= switched_on > timedelta(seconds=40)
    assert row["days_saved"] == pytest.approx(over / timedelta(days=1), abs=1e-4)
    assert told(desk, tmp_path, both)["days_saved"] == pytest.approx(switched_on / timedelta(days=1), abs=1e-4)


def test_a_request_that_lacks_what_it_waited_for_is_unknown(posted: World, desk: Desk, tmp_path: Path) -> None:
    """The network was never asked to switch a line on without its SIM."""
    row = told(desk, tmp_path, '[plan.waits.spec-mobile]\nactivation = ["number"]\n', "--items")

    assert counts(row) == (1, 0, 0, 1)
    assert "never asked for activation without what it waited for" in row["items"][0]["unknown"]


@pytest.mark.parametrize(
    ("steps", "seconds"),
    [
        pytest.param({"activation": 45 + 3600}, -3600, id="an hour more before it is switched on"),
        pytest.param({"activation": 15}, 30, id="half a minute less"),
        pytest.param({"sim": 61, "number": 21}, -1, id="of steps side by side the later counts"),
        pytest.param({"number": 30}, 0, id="one that nobody waits for longer"),
        pytest.param({"identity": 0, "credit": 0}, 50, id="gates come one after another"),
    ],
)
def test_times_of_steps(world: World, desk: Desk, tmp_path: Path, steps: dict[str, int], seconds: int) -> None:
    """What a step takes longer the item takes longer where it waits for it."""
    world.take(order("WEB-1", line()))
    world.run(at(7))
    policy = "".join(f"[plan.steps.{name}]\nlead_s = {lead}\n" for name, lead in steps.items())

    row = told(desk, tmp_path, policy)

    assert counts(row) == (1, 0, 0, 0)
    assert row["days_saved"] == pytest.approx(seconds * SECOND, abs=1e-4)


def test_a_piece_that_had_not_come_could_not_have_been_taken_sooner(world: World, desk: Desk, tmp_path: Path) -> None:
    """The last SIM arrived the minute before it was drawn; control: one that lay there could have been."""
    policy = "[plan.steps.sim]\nlead_s = 0\n"
    world.take(order("WEB-1", line()))
    world.run(at(6))
    assert counts(told(desk, tmp_path, policy)) == (1, 0, 0, 0)
    world.sims(esim=1, on=at(6, 1))
    world.take(*(order(f"WEB-{n}", line(), party=f"C-{n % 3 + 1}", on=at(6, 0)) for n in range(2, 5)), name="more.jsonl")
    world.run(at(8))

    row = told(desk, tmp_path, policy, "--items")

    assert row["unknown"] == 1
    [unknown] = [item["unknown"] for item in row["items"] if item["unknown"]]
    assert "what was in stock for sim then is not known" in unknown


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        pytest.param("[credit.FR]\nlimit_percent = 1\n", "there is no market FR", id="no such market"),
        pytest.param("[credit.GB]\nscore = 1\n", "says no more than", id="no such field"),
        pytest.param("[credit.GB]\nlimit_percent = 0\n", "whole number from 1", id="no percent"),
        pytest.param("[plan.steps.fly]\nlead_s = 1\n", "no step of that name", id="no such step"),
        pytest.param("[plan.steps.cutover]\nlead_s = 1\n", "no step of that name is due a time after", id="due by a rule of its own"),
        pytest.param("[plan.steps.sim]\nsilences_max = 1\n", "no partner carries out", id="no partner to be patient with"),
        pytest.param("[plan.steps.sim]\nlead_s = 'x'\n", "none of its whole numbers", id="no number"),
        pytest.param('[plan.waits.spec-mobile]\nsim = ["activation"]\n', "waits for", id="a circle"),
        pytest.param('[plan.waits.spec-mobile]\nsim = ["fly"]\n', "has no step fly", id="a wait for nothing"),
        pytest.param("[plan.gates]\ncredit = 1\n", "plan has 'gates'", id="no part of a plan"),
        pytest.param("", "says nothing", id="empty"),
        pytest.param("a =", "no TOML", id="no TOML"),
    ],
)
def test_a_policy_that_does_not_fit_is_refused(world: World, desk: Desk, tmp_path: Path, policy: str, said: str) -> None:
    """In a line that names what is wrong."""
    with pytest.raises(Refused, match=said):
        told(desk, tmp_path, policy)


@pytest.fixture
def beside(dsn: str) -> str:
    """A second fresh database."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(b"DROP DATABASE IF EXISTS lived_beside WITH (FORCE)")
        connection.execute(b"CREATE DATABASE lived_beside TEMPLATE template0")
    return str(make_conninfo(dsn, dbname="lived_beside"))


class StrictBureau:
    """Refers the customers of every third letter, and gives the others a limit that most orders keep within."""

    def submit(self, request: Request) -> Answer:
        if sum(map(ord, request.body["customer"])) % 3 == 0:
            return REFERRED
        return Answered({"limit_minor": 40_000})

    query = submit


def launched(dsn: str, folder: Path, under: Callable[[PlanBook], PlanBook] = lambda book: book) -> World:
    """A launch whose underwriters approve all that is referred, after five days; under another book from the start."""
    (folder / "launch").mkdir(parents=True)
    files = write_launch(folder / "launch", count=60, seed=5)
    world = World(dsn, folder, {**simulated_partners(5), "credit-bureau": StrictBureau()}).launched(files)
    world.app.book = under(world.app.book)
    world.take_file(files.orders)
    world.run(at(10))
    for row in world.fallouts(reason="CR-REFER"):
        world.resolve("CR-REFER", Decide(approve=True), of=row["external_id"])
    world.run(at(1, month=2))
    caught_up(world.app)
    return world


def ends(world: World, event: str) -> dict[str, dict[str, datetime]]:
    """When a step of each item was over, by order, and by item (empty: of the order)."""
    rows = world.app.reads.rows("SELECT order_id::text AS o, body ->> 'item' AS i, occurred_at FROM o2c.event WHERE type = %s", event)
    found: dict[str, dict[str, datetime]] = {}
    for row in rows:
        found.setdefault(row["o"], {})[row["i"] or ""] = row["occurred_at"]
    return found


def held_against(history: World, lived: World, found: Counterfactual, event: str) -> dict[str, float]:
    """By order that is known otherwise, the days that were told: each the days by which that of its items was over sooner that moved most."""
    was, would_be = ends(history, event), ends(lived, event)
    told = {str(row["order"]): row["days_saved"] for row in found.otherwise if not row["unknown"]}
    moved = {
        name: max(((at_ - would_be[name][item]) / timedelta(days=1) for item, at_ in was[name].items()), key=abs)
        for name in told
        if name in was and was[name].keys() == would_be.get(name, {}).keys()
    }
    assert {name: told[name] for name in moved} == pytest.approx(moved, abs=0.002)
    return moved


def test_a_policy_lived_from_the_first_day_is_as_it_was_told(dsn: str, beside: str, tmp_path: Path) -> None:
    """A launch under a policy that trusts whom the bureau refers: each order that is known to have come out otherwise passes its
    gates when that says, to the second. What follows then comes as much sooner, as told; in a life it keeps to the days of couriers and fitters."""
    policy = {"GB": {"trusted_up_to_minor": 10_000_000, "limit_percent": 300}}
    history = launched(dsn, tmp_path / "history")
    found = counterfactual(history.app, "[credit.GB]\ntrusted_up_to_minor = 10000000\nlimit_percent = 300\n", since=at(1))
    same = counterfactual(history.app, "[credit.GB]\nlimit_percent = 100\n", since=at(1))
    lived = launched(beside, tmp_path / "lived", lambda book: book.crediting(policy, "other"))

    days = held_against(history, lived, found, "credit.approved")
    history.close()
    lived.close()

    assert len(days) >= 10
    assert sum(days.values()) > 10
    assert (same.otherwise, same.unknown, same.fallouts_before) == ((), 0, same.fallouts_after)


def test_a_plan_lived_from_the_first_day_is_as_it_was_told(dsn: str, beside: str, tmp_path: Path) -> None:
    """A launch whose lines are switched on three hours later each: every order that is known is charged, the last step of all, as much later as was told."""
    history = launched(dsn, tmp_path / "history")
    found = counterfactual(history.app, "[plan.steps.activation]\nlead_s = 10845\n", since=at(1))
    lived = launched(beside, tmp_path / "lived", lambda book: book.timed({"activation": timedelta(seconds=10_845)}, {}))

    days = held_against(history, lived, found, "charging.started")
    history.close()
    lived.close()

    assert len(days) > 20
    assert found.unknown < found.orders / 4
