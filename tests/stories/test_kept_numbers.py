"""A number is kept for an order: golden ones given out by hand, taken when it is due, let go when it is not."""

from datetime import timedelta

import pytest

from o2c.kernel.partner import Accepted, Answered, RefusedBy
from o2c.kernel.refusal import Refused
from tests.desk import DEPOSIT, GOLDEN, Desk
from tests.world import NINE, World, at, line, order, ported


def test_a_golden_number_is_kept_for_an_order_at_its_gates(wanting: World, desk: Desk) -> None:
    """Reserved while the order waits for a deposit, it is taken in place of one from stock; the log says who gave it out."""
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1", "--reason", "promised in the shop")
    kept = desk.sees("numbers", "show", GOLDEN)
    assert (kept["state"], kept["class"], kept["item"], kept["reserved_until"]) == ("reserved", "golden", "1", "2026-01-12T10:00:00Z")

    desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--currency", "GBP", "--reference", "TFR-1")
    wanting.run(at(20))

    shown = desk.sees("numbers", "show", GOLDEN)
    assert wanting.state("WEB-1") == "completed"
    assert wanting.outcome("WEB-1", "1", "number") == {"msisdn": GOLDEN, "temporary": False}
    assert (shown["state"], shown["reserved_until"]) == ("assigned", None)
    assert [(told["type"], told["actor"]) for told in shown["history"]] == [
        ("number.received", "engine"), ("number.reserved", "ann"), ("number.taken", "engine"),
    ]  # fmt: skip
    assert wanting.app.reads.of_stream(f"number-{GOLDEN}") == []


def test_reserving_wakes_a_line_that_waits_for_stock(world: World, desk: Desk) -> None:
    """No number is left; a golden one is given out by hand and the line completes."""
    world.sims(esim=7)
    world.take(*(order(f"WEB-{n}", line()) for n in range(1, 7)))
    world.run(at(5, 10))
    [waiting] = desk.sees("fallout", "list", "--reason", "INV-NUM")

    desk.types("numbers", "reserve", GOLDEN, "--order", waiting["order"])
    world.run(at(6))

    assert {world.state(f"WEB-{n}") for n in range(1, 7)} == {"completed"}
    assert desk.sees("fallout", "show", waiting["fallout"])["closed_by"] == "number.assigned"
    assert desk.sees("numbers", "show", GOLDEN)["order"] == waiting["order"]


def test_a_reservation_lapses_by_itself(wanting: World, desk: Desk) -> None:
    """Its time runs out while the order still waits: the number is golden again, and the order takes one from stock in the end."""
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1", "--until", "2026-01-06")
    wanting.run(at(6, 1))
    assert desk.sees("numbers", "show", GOLDEN)["state"] == "golden"

    desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--currency", "GBP", "--reference", "TFR-1")
    wanting.run(at(7))

    assert wanting.state("WEB-1") == "completed"
    assert wanting.outcome("WEB-1", "1", "number")["msisdn"] != GOLDEN
    assert wanting.types(f"number-{GOLDEN}") == ["number.received", "number.reserved", "number.reservation-lapsed"]
    assert wanting.told("WEB-1").count("number.earmark-dropped") == 1


def test_a_number_is_released_to_where_it_was(wanting: World, desk: Desk) -> None:
    """A golden one to the golden ones; a normal one to stock, where it wakes who waits; doing it twice does nothing more."""
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1")
    for _ in range(2):
        assert f"{GOLDEN} is golden" in desk.types("numbers", "release", GOLDEN)
    assert wanting.types(f"number-{GOLDEN}").count("number.reservation-released") == 1
    [normal] = wanting.app.reads.candidates("number/44/normal", at(6), 0, 1)
    desk.types("numbers", "reserve", normal["msisdn"], "--order", "WEB-1")
    wanting.sims(esim=6)
    wanting.take(*(order(f"WEB-{n}", line(), party="C-2") for n in range(2, 7)), name="five.jsonl")
    wanting.run(at(6))
    assert {found["reason"] for found in wanting.fallouts()} == {"CR-DEPOSIT", "INV-NUM"}

    desk.types("numbers", "release", normal["msisdn"])
    wanting.run(at(7))

    assert {wanting.state(f"WEB-{n}") for n in range(2, 7)} == {"completed"}


def test_an_order_that_is_declined_gives_its_number_back(wanting: World, desk: Desk) -> None:
    """Rejected at the gate, it keeps nothing."""
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1")
    desk.types("fallout", "resolve", desk.finds("CR-DEPOSIT"), "--decide", "decline", "--reason", "no deposit")

    assert wanting.state("WEB-1") == "rejected"
    assert desk.sees("numbers", "show", GOLDEN)["state"] == "golden"
    assert wanting.app.reads.rows("SELECT * FROM o2c.guard WHERE key = %s", GOLDEN) == []
    assert wanting.app.reads.of_stream(f"number-{GOLDEN}") == []


def test_an_item_that_failed_with_its_golden_number_lets_it_rest_and_stay_golden(world: World, desk: Desk) -> None:
    """A number that was assigned rests as any other; after that it is golden, and still assigned to nobody by itself."""
    world.scripted.will("credit", DEPOSIT)
    world.scripted.will("activation", RefusedBy("REFUSED"))
    world.take(order("WEB-1", line()))
    world.run(at(5, 10))
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1")
    desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--currency", "GBP", "--reference", "TFR-1")
    world.run(at(6))
    [fallout] = world.fallouts()
    desk.types("fallout", "resolve", fallout["fallout"], "--fail", "--reason", "gave up")
    assert desk.sees("numbers", "show", GOLDEN)["state"] == "quarantined"

    world.run(at(20, month=4))

    assert desk.sees("numbers", "show", GOLDEN)["state"] == "golden"
    assert GOLDEN not in {piece["msisdn"] for piece in world.app.reads.candidates("number/44/normal", at(21, month=4), 10**6, 100)}


REFUSED = (
    ((GOLDEN, "--order", "WEB-2"), "conflict", "is reserved and cannot be reserved"),
    (("+447700919999", "--order", "WEB-2"), "missing", "is not in stock"),
    (("07700919999", "--order", "WEB-2"), "usage", "is not an E.164 number"),
    ((GOLDEN, "--order", "WEB-9"), "missing", "no order WEB-9"),
    ((GOLDEN, "--order", "WEB-1", "--item", "7"), "missing", "no item 7"),
    ((GOLDEN, "--order", "WEB-1", "--until", "2026-01-05"), "usage", "a time that is over"),
    ((GOLDEN, "--order", "WEB-3"), "conflict", "has its number already"),
    ((GOLDEN, "--order", "WEB-4"), "usage", "say which with --item: 1, 2"),
    ((GOLDEN, "--order", "WEB-4", "--item", "2"), "conflict", "brings its own number"),
)


def test_what_cannot_be_reserved_is_refused(world: World, desk: Desk) -> None:
    """One line says why and what to do."""
    world.scripted.will("credit", DEPOSIT, Answered())
    later = [NINE + timedelta(minutes=n) for n in range(4)]
    world.scripted.will("delivery", Accepted("PCL-1", at(9)))
    lines = ([line()], [line()], [line("1", "physical")], [line("1"), ported("2")])
    parties = ("C-1", "C-1", "C-2", "C-1")
    orders = enumerate(zip(lines, later, parties, strict=True), 1)
    world.take(*(order(f"WEB-{n}", *items, on=on, party=party) for n, (items, on, party) in orders))
    world.run(at(5, 12))
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1")
    for words, kind, says in REFUSED:
        with pytest.raises(Refused, match=says) as refused:
            desk.types("numbers", "reserve", *words)
        assert refused.value.kind == kind, words


@pytest.mark.parametrize("until", ["2026-01-05T10:00:10Z", "2026-01-05T10:00:20Z", "2026-01-05T10:00:30Z"])
def test_a_number_is_taken_or_lapses_but_not_both(wanting: World, desk: Desk, until: str) -> None:
    """The time runs out just when the number is due: the order and the number tell one story, whichever came first."""
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1", "--until", until)
    desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--currency", "GBP", "--reference", "TFR-1")
    wanting.run(at(20))

    taken = wanting.outcome("WEB-1", "1", "number")["msisdn"] == GOLDEN
    assert wanting.state("WEB-1") == "completed"
    assert desk.sees("numbers", "show", GOLDEN)["state"] == ("assigned" if taken else "golden")
    assert ("number.reservation-lapsed" in wanting.types(f"number-{GOLDEN}")) is not taken
    assert wanting.app.reads.of_stream(f"number-{GOLDEN}") == []


@pytest.mark.parametrize("prolonged", [False, True])
def test_a_row_that_is_out_of_date_takes_nothing_from_anybody(wanting: World, desk: Desk, prolonged: bool) -> None:
    """A worker holds the end of a reservation in its hands while the order takes the number, or an agent prolongs it: nothing lapses."""
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1")
    [row] = wanting.app.reads.of_stream(f"number-{GOLDEN}")
    if prolonged:
        desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1", "--until", "2026-02-01")
    else:
        desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--currency", "GBP", "--reference", "TFR-1")
        wanting.run(at(6))

    wanting.runner.attend([row], round_=0)

    shown = desk.sees("numbers", "show", GOLDEN)
    assert (shown["state"], shown["reserved_until"]) == (("reserved", "2026-02-01T00:00:00Z") if prolonged else ("assigned", None))
    assert [left.entry.due_at for left in wanting.app.reads.of_stream(f"number-{GOLDEN}")] == ([at(1, month=2)] if prolonged else [])
    assert len(wanting.app.reads.rows("SELECT * FROM o2c.guard WHERE kind = 'number' AND key = %s", GOLDEN)) == 1


def test_an_order_cancelled_at_its_gates_gives_its_number_back(wanting: World, desk: Desk) -> None:
    """What was kept for it is free with the cancellation, golden again."""
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1")
    desk.types("orders", "cancel", "WEB-1", "--reason", "changed its mind")

    assert wanting.state("WEB-1") == "cancelled"
    assert desk.sees("numbers", "show", GOLDEN)["state"] == "golden"
    assert wanting.app.reads.rows("SELECT * FROM o2c.guard WHERE key = %s", GOLDEN) == []


def test_an_order_cancelled_before_it_took_its_number_gives_it_back(wanting: World, desk: Desk) -> None:
    """Planned, and cancelled in the seconds before the number is due."""
    desk.types("numbers", "reserve", GOLDEN, "--order", "WEB-1")
    desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--currency", "GBP", "--reference", "TFR-1")
    assert wanting.items("WEB-1") == {"1": "inProgress"}
    desk.types("orders", "cancel", "WEB-1", "--reason", "changed its mind")

    assert wanting.run(at(6)).state("WEB-1") == "cancelled"
    assert desk.sees("numbers", "show", GOLDEN)["state"] == "golden"
    assert wanting.app.reads.rows("SELECT * FROM o2c.guard WHERE key = %s", GOLDEN) == []
