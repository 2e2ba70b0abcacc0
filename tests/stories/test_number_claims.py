"""A number rests as long as its use asks, and while it rests its former customer may have it back, and nobody else."""

import psycopg
import pytest

from o2c.checks.diagnose import run_checks
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from tests.desk import DEPOSIT, Desk
from tests.world import World, at, line, order, ported


def paid(desk: Desk, name: str) -> None:
    desk.types("payments", "deposit", name, "--amount", "100.00", "--currency", "GBP", "--reference", f"TFR-{name}")


@pytest.fixture
def resting(world: World, desk: Desk) -> str:
    """A number that C-1 had in service until their line ended; C-1 and C-2 each have an order that waits for a deposit."""
    world.scripted.will("credit", DEPOSIT, DEPOSIT)
    world.scripted.will("cutover", RefusedBy("REFUSED"))
    world.take(order("WEB-1", ported()))
    world.run(at(5, 10))
    paid(desk, "WEB-1")
    world.run(at(7))
    number = str(world.outcome("WEB-1", "1", "number")["msisdn"])
    desk.types("fallout", "resolve", desk.finds("NP-CUTFAIL"), "--fail", "--reason", "the port cannot be")
    world.run(at(8))
    world.take(order("WEB-2", line(), on=at(8, 9)), order("WEB-3", line(), party="C-2", on=at(8, 9)), name="two.jsonl")
    world.run(at(8, 10))
    return number


def test_the_number_page_says_what_it_was_and_who_may_claim_it(resting: str, desk: Desk) -> None:
    """Its use, until when it rests, and the customer who may have it back."""
    shown = desk.sees("numbers", "show", resting)
    assert (shown["state"], shown["was"], shown["may_be_claimed_by"]) == ("quarantined", "in-use", "C-1")
    assert shown["rests_until"].startswith("2026-02-07")


def test_a_former_customer_gets_the_number_back(resting: str, world: World, desk: Desk) -> None:
    """Reserved for their new order while it rests, it is taken when the order goes on, long before anybody else could have it."""
    desk.types("numbers", "reserve", resting, "--order", "WEB-2", "--reason", "wants the old number")
    paid(desk, "WEB-2")
    world.run(at(12))

    shown = desk.sees("numbers", "show", resting)
    assert world.state("WEB-2") == "completed"
    assert world.outcome("WEB-2", "1", "number")["msisdn"] == resting
    assert (shown["state"], shown["was"], shown["rests_until"], shown["may_be_claimed_by"]) == ("assigned", None, None, None)
    assert world.app.reads.of_stream(f"number-{resting}") == []


def test_nobody_else_gets_a_number_that_rests(resting: str, world: World, desk: Desk) -> None:
    """Another customer's order is refused it, with one line, and the number rests on; after its rest it is anybody's."""
    with pytest.raises(Refused, match="only its former customer may have it back") as refused:
        desk.types("numbers", "reserve", resting, "--order", "WEB-3")
    assert refused.value.kind == "conflict"
    assert desk.sees("numbers", "show", resting)["state"] == "quarantined"

    world.run(at(8, month=2))

    assert desk.sees("numbers", "show", resting)["state"] == "available"
    desk.types("numbers", "reserve", resting, "--order", "WEB-3")
    assert desk.sees("numbers", "show", resting)["state"] == "reserved"


@pytest.mark.parametrize("until", ["2026-01-09", "2026-02-20"])
def test_a_claim_that_nobody_took_up_ends_as_the_number_would_have(resting: str, world: World, desk: Desk, until: str) -> None:
    """The reservation lapses: the number rests on to its day, or is free at once when that is past; then it is in stock again."""
    desk.types("numbers", "reserve", resting, "--order", "WEB-2", "--until", until)
    world.run(at(10))
    early = until < "2026-01-10"
    assert desk.sees("numbers", "show", resting)["state"] == ("quarantined" if early else "reserved")

    world.run(at(21, month=2))

    assert desk.sees("numbers", "show", resting)["state"] == "available"
    assert world.types(f"number-{resting}")[-3:] == ["number.reserved", "number.claim-dropped", "number.rested"]
    assert world.told("WEB-2").count("number.earmark-dropped") == 1
    assert resting in {piece["msisdn"] for piece in world.app.reads.candidates("number/44/normal", at(21, month=2), 10**6, 100)}


def test_a_claim_given_back_or_ended_with_its_order_lets_the_number_rest(resting: str, world: World, desk: Desk) -> None:
    """Released at the desk, claimed again, and let go when the order is cancelled: each time it rests as before, and the store is sound."""
    before = desk.sees("numbers", "show", resting)
    for let_go in (("numbers", "release", resting), ("orders", "cancel", "WEB-2", "--reason", "changed its mind")):
        desk.types("numbers", "reserve", resting, "--order", "WEB-2")
        desk.types(*let_go)
        after = desk.sees("numbers", "show", resting)
        assert {**after, "history": None} == {**before, "history": None}
    assert world.app.reads.rows("SELECT * FROM o2c.guard WHERE kind = 'number' AND key = %s", resting) == []
    [row] = world.app.reads.of_stream(f"number-{resting}")
    assert (row.entry.step, row.entry.due_at.date()) == ("number-restock", at(7, month=2).date())


def test_a_rest_whose_end_is_in_a_workers_hands_ends_nothing_that_was_claimed(resting: str, world: World, desk: Desk) -> None:
    """The row that ends the rest is out of date since the number was claimed: the number stays reserved."""
    [row] = world.app.reads.of_stream(f"number-{resting}")
    desk.types("numbers", "reserve", resting, "--order", "WEB-2")

    world.runner.attend([row], round_=0)

    assert desk.sees("numbers", "show", resting)["state"] == "reserved"


@pytest.mark.parametrize("stuck", [False, True])
def test_a_number_that_rests_beyond_its_maximum_is_found(world: World, desk: Desk, stuck: bool) -> None:
    """The temporary number of a line is on offer again at the minimum by itself; if nothing ever ends its rest, the checks name it."""
    world.take(order("WEB-1", ported()))
    world.run(at(7))
    number = str(world.outcome("WEB-1", "1", "number")["msisdn"])
    shown = desk.sees("numbers", "show", number)
    assert (shown["was"], shown["rests_until"], shown["may_be_claimed_by"]) == ("temporary", "2026-01-20T09:00:00Z", None)
    if stuck:
        with psycopg.connect(world.dsn, autocommit=True) as conn:
            assert conn.execute("DELETE FROM o2c.agenda WHERE stream = %s", (f"number-{number}",)).rowcount == 1

    world.run(at(8, month=3))

    assert desk.sees("numbers", "show", number)["state"] == ("quarantined" if stuck else "available")
    [check] = [one for one in run_checks(world.app) if one.name == "no number rests beyond its maximum"]
    assert (check.state, number in check.detail) == (("failed", True) if stuck else ("ok", False))
