"""A debt over months on the simulated clock: reminded, warned, barred, paid, opened; held, promised, and what each face says of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.kernel.partner import Answered, Failed, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.views.collections import list_collections
from o2c.views.reading import caught_up
from tests.balances import unlike_the_books
from tests.desk import Desk
from tests.world import World, at, line, order

ACCOUNT, STREAM = "BA-C-1", "collection-BA-C-1"
INVOICE = "BA-C-1-20260108"
DAY = "SELECT type, occurred_at::date::text AS day FROM o2c.event WHERE stream = %s AND type <> ALL(%s) ORDER BY version"
BESIDE = ["collections.look-requested", "collections.looked"]


@pytest.fixture
def owing(world: World) -> Callable[[datetime], World]:
    """A line whose card is declined for good: its first bill is of the 8th of January, due on the 22nd."""

    def until(when: datetime, *said: Any) -> World:
        world.scripted.will("payment", *[RefusedBy("DECLINED")] * 20)
        world.take(order("WEB-1", line()))
        return world.run(when)

    return until


def course(world: World) -> list[tuple[str, str]]:
    """What happened to the account in collections, by day."""
    rows = world.app.reads.rows(DAY, STREAM, BESIDE)
    return [(row["day"][5:], row["type"].removeprefix("collections.")) for row in rows if "arrears" not in row["type"]]


def test_a_debt_goes_from_the_reminder_to_the_bar_and_back(world: World, desk: Desk, owing: Callable[..., World]) -> None:
    """Due 22 January: reminded on the 25th, warned on 1 February, soft bar on the 8th, hard bar on the 21st; paid on the 25th, all opens."""
    owing(at(25, 12, month=2))
    assert course(world) == [
        ("01-23", "stage-entered"),
        ("01-25", "stage-entered"), ("01-25", "reminded"),
        ("02-01", "stage-entered"), ("02-01", "warned"),
        ("02-08", "stage-entered"), ("02-08", "bar-requested"), ("02-08", "barred"),
        ("02-21", "stage-entered"), ("02-21", "bar-requested"), ("02-21", "barred"),
    ]  # fmt: skip
    [row] = desk.sees("collections", "list")
    assert (row["account"], row["stage"], row["bar"], row["due_on"]) == (ACCOUNT, "hard-bar", "hard", "2026-01-22")

    for invoice in row["invoices"]:
        total = desk.sees("payments", "show", invoice)["open_minor"]
        desk.types("payments", "record", invoice, "--amount", f"{total / 100:.2f}", "--reference", f"TFR-{invoice}")
    world.run(at(25, 13, month=2))

    assert course(world)[-3:] == [("02-25", "cleared"), ("02-25", "bar-requested"), ("02-25", "bar-lifted")]
    levels = [(request.body["level"], [one["item"] for one in request.body["lines"]]) for request in world.scripted.asked("barring")]
    assert levels == [("soft", ["1"]), ("hard", ["1"]), ("", ["1"])]
    assert desk.sees("collections", "list") == []
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []


def test_services_that_are_ended_are_charged_no_more(world: World, owing: Callable[..., World]) -> None:
    """Sixty days after the due day, on the 23rd of March, the network ends the line; the bills of April and May never come, and the rest of
    March's is credited."""
    owing(at(20, month=5))
    assert [day for day, what in course(world) if what == "barred"] == ["02-08", "02-21", "03-23"]
    assert world.types(f"account-{ACCOUNT}")[-3:] == ["account.charge-withdrawn", "account.days-not-served", "account.billed"]
    [note] = world.app.reads.rows(
        "SELECT body->>'invoice' AS of, body->'lines'->0->>'from_day' AS since FROM o2c.event WHERE type = 'credit-note.issued'"
    )
    assert (note["of"], note["since"]) == (f"{ACCOUNT}-20260308", "2026-03-23"), "what was billed in advance and is not served is credited"
    issued = world.app.reads.rows("SELECT body->>'issued_on' AS day FROM o2c.event WHERE type = 'invoice.issued' ORDER BY position")
    assert [row["day"] for row in issued] == ["2026-01-08", "2026-02-08", "2026-03-08"]
    assert check_assurance(world.app) == []


def test_a_debt_is_paid_in_parts_until_one_is_late(world: World, desk: Desk, owing: Callable[..., World]) -> None:
    """Agreed on 3 February in three parts, and what falls due beside it is paid: nothing happens. The part of 16 March does not come: on the 22nd the
    plan is broken, and the lines are barred, of which the customer was warned before it was agreed. Paid on the same day, all opens."""
    owing(at(3, 12, month=2))
    [row] = desk.sees("collections", "list")
    first, rest = row["open_minor"] // 3, row["open_minor"] - row["open_minor"] // 3 * 2
    parts = {"2026-02-20": first, "2026-03-06": first, "2026-03-16": rest}
    words = [word for day, amount in parts.items() for word in ("--part", f"{day}={amount / 100:.2f}")]
    for said in ("paid in 3 parts", "stands already"):
        assert said in desk.types("collections", "plan", ACCOUNT, *words)
    before = course(world)

    for day, month in ((19, 2), (5, 3)):
        world.run(at(day, 12, month=month))
        desk.types("payments", "record", INVOICE, "--amount", f"{first / 100:.2f}", "--reference", f"TFR-{month}")
        world.run(at(day + 5, 12, month=month))
        _pay(desk, besides=True)
    world.run(at(14, month=3))
    [row] = desk.sees("collections", "list")
    assert row["plan"] == [{"due_on": day, "amount_minor": amount, "kept": day < "2026-03-10"} for day, amount in parts.items()]
    assert course(world)[len(before) :] == [("02-19", "plan-part-kept"), ("03-05", "plan-part-kept")]

    world.run(at(22, 12, month=3))
    assert course(world)[-4:] == [("03-22", "plan-broken"), ("03-22", "stage-entered"), ("03-22", "bar-requested"), ("03-22", "barred")]
    _pay(desk)
    world.run(at(22, 13, month=3))
    assert course(world)[-2:] == [("03-22", "bar-requested"), ("03-22", "bar-lifted")]
    assert not [kept.rule for kept in check_conformance(world.app) if kept.broken]


def _pay(desk: Desk, *, besides: bool = False) -> None:
    """All that is past its due day is paid, or all but the first invoice."""
    for invoice in [name for row in desk.sees("collections", "list") for name in row["invoices"] if not besides or name != INVOICE]:
        amount = desk.sees("payments", "show", invoice)["open_minor"]
        desk.types("payments", "record", invoice, "--amount", f"{amount / 100:.2f}", "--reference", f"TFR-{invoice}")


def test_who_pays_in_time_is_never_in_collections(world: World) -> None:
    """No stream, no event, no row: collections cost those nothing who owe nothing."""
    world.take(order("WEB-1", line()))
    world.run(at(20, month=3))
    assert world.app.reads.streams_like("collection-") == []


def test_a_network_that_does_not_bar_falls_out_and_is_asked_again(world: World, desk: Desk, owing: Callable[..., World]) -> None:
    """The fallout stands in the network's queue, and the retry asks for the same level under the same warnings."""
    world.scripted.will("barring", RefusedBy("REFUSED"), Answered())
    owing(at(9, month=2))
    fallout = desk.finds("NET-CFG")
    desk.types("fallout", "resolve", fallout, "--retry", "--reason", "set up")
    world.run(at(10, month=2))

    first, second = world.scripted.asked("barring")
    assert (first.body, second.body["level"]) == (second.body, "soft")
    assert course(world)[-1] == ("02-09", "barred")
    assert world.fallouts(reason="NET-CFG") == []


def test_paid_while_the_network_has_not_barred_yet_nothing_stays_barred(world: World, desk: Desk, owing: Callable[..., World]) -> None:
    """The bar failed and is tried again by itself; the money comes first: the last word that the network hears is to serve."""
    world.scripted.will("barring", *[Failed("UNAVAILABLE")] * 5)
    owing(at(8, 9, 1, month=2))
    [row] = desk.sees("collections", "list")
    desk.types("payments", "record", row["invoices"][0], "--amount", f"{row['open_minor'] / 100:.2f}", "--reference", "TFR-1")
    world.run(at(12, month=2))

    assert world.scripted.asked("barring")[-1].body["level"] == ""
    assert course(world)[-1][1] == "bar-lifted"


def test_a_vulnerable_customer_is_written_to_and_serves_on(world: World, desk: Desk, owing: Callable[..., World]) -> None:
    """Marked at the desk before the bar; a month later it is released, and the week of the warning has long passed."""
    owing(at(3, month=2))
    desk.types("collections", "hold", ACCOUNT, "--kind", "vulnerable", "--note", "told us on the telephone")
    world.run(at(3, month=3))
    assert world.scripted.asked("barring") == []
    assert desk.sees("collections", "list")[0]["holds"] == ["vulnerable"]

    desk.types("collections", "release", ACCOUNT, "--kind", "vulnerable")
    world.run(at(4, month=3))
    assert [request.body["level"] for request in world.scripted.asked("barring")] == ["hard"]


def test_a_promise_is_kept_or_broken(world: World, desk: Desk, owing: Callable[..., World]) -> None:
    """Promised for the 10th of February and not paid: broken on the 11th, barred then, as the warning is ten days old."""
    owing(at(3, month=2))
    [row] = desk.sees("collections", "list")
    amount = f"{row['open_minor'] / 100:.2f}"
    for _ in range(2):
        desk.types("collections", "promise", ACCOUNT, "--amount", amount, "--by", "2026-02-10")
    assert desk.sees("collections", "list")[0]["promised_on"] == "2026-02-10"
    with pytest.raises(Refused, match="a promise for 2026-02-10 stands"):
        desk.types("collections", "promise", ACCOUNT, "--amount", amount, "--by", "2026-02-12")
    world.run(at(12, month=2))

    assert [told for told in course(world) if told[1].startswith("promise")] == [("02-03", "promise-made"), ("02-11", "promise-broken")]
    assert course(world)[-1] == ("02-11", "barred")


def test_a_dispute_keeps_its_amount_out_of_collection(world: World, desk: Desk, owing: Callable[..., World]) -> None:
    """All of the bill is disputed after the warning: no bar while it is; settled for the operator in March, the bar follows at once. No more
    of it is in dispute than is open."""
    owing(at(3, month=2))
    desk.types("disputes", "open", INVOICE, "--note", "says she never called there")
    assert desk.sees("collections", "list")[0]["disputed_minor"] == desk.sees("payments", "show", INVOICE)["open_minor"]
    desk.types("payments", "record", INVOICE, "--amount", "1.00", "--reference", "TFR-1")
    assert desk.sees("collections", "list")[0]["disputed_minor"] == desk.sees("payments", "show", INVOICE)["open_minor"]
    world.run(at(20, month=2))
    assert world.scripted.asked("barring") == []

    desk.types("disputes", "settle", INVOICE, "--for", "operator")
    world.run(at(2, month=3))
    # Cleared by the dispute, so that the old warning warns of nothing: warned anew on the 20th, barred on the 27th.
    assert [day for day, what in course(world) if what in ("warned", "barred")] == ["02-01", "02-20", "02-27"]
    assert desk.types("disputes", "settle", INVOICE, "--for", "operator").split("\n")[0].endswith("is not disputed")
    with pytest.raises(Refused, match="no invoice BA-9"):
        desk.types("disputes", "open", "BA-9")


def test_a_dispute_settled_for_the_customer_is_credited(world: World, desk: Desk, owing: Callable[..., World]) -> None:
    """2.00 of the bill: the note follows by itself, names the dispute and who settled it, and what it takes off is neither owed nor in dispute."""
    owing(at(3, month=2))
    open_minor = desk.sees("payments", "show", INVOICE)["open_minor"]
    desk.types("disputes", "open", INVOICE, "--amount", "2.00")
    desk.types("disputes", "settle", INVOICE, "--for", "customer", "--actor", "bob")
    world.run(at(3, 12, month=2))

    [settled] = world.app.reads.rows("SELECT event_id::text AS event FROM o2c.event WHERE type = 'collections.dispute-settled'")
    [note] = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'credit-note.issued'")
    told = {name: note["body"][name] for name in ("dispute", "reason", "author", "total_minor")}
    assert told == {"dispute": settled["event"], "reason": "disputed", "author": "bob", "total_minor": 200}
    assert desk.sees("payments", "show", INVOICE)["open_minor"] == open_minor - 200
    [row] = desk.sees("balance", "show", ACCOUNT)
    assert row["disputed_minor"] == 0
    assert unlike_the_books(world.app) == []


def test_what_was_said_is_personal(world: World, desk: Desk, owing: Callable[..., World]) -> None:
    """The note stands apart from the event's body."""
    owing(at(3, month=2))
    desk.types("collections", "hold", ACCOUNT, "--kind", "key-account", "--note", "Tamsel rang")
    [row] = world.app.reads.rows("SELECT body, personal FROM o2c.event WHERE type = 'collections.hold-placed'")
    assert "note" not in row["body"]
    assert row["personal"] == {"note": "Tamsel rang"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("hold", "BA-9", "--kind", "vulnerable"), "no account BA-9"),
        (("hold", ACCOUNT, "--kind", "weather"), "there is no hold 'weather'"),
        (("hold", ACCOUNT, "--kind", "payment-pending", "--until", "2026-06-01"), "ends between"),
        (("promise", ACCOUNT, "--amount", "five", "--by", "2026-02-10"), "write the amount as 23.99"),
        (("promise", ACCOUNT, "--amount", "5.00", "--by", "2026-02-10"), "owes nothing in GBP"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(world: World, desk: Desk, words: tuple[str, ...], why: str) -> None:
    """Each says to which account, and what to do."""
    world.take(order("WEB-1", line()))
    world.run(at(12))
    with pytest.raises(Refused, match=why):
        desk.types("collections", *words)


def test_the_list_is_paged_and_picked(world: World, owing: Callable[..., World]) -> None:
    """By account and by stage; a page says how many more there are."""
    owing(at(26))
    caught_up(world.app)
    assert [row["stage"] for row in list_collections(world.app, accounts=[ACCOUNT])] == ["reminder"]
    assert list_collections(world.app, accounts=["BA-9"]) == []
    assert list_collections(world.app, stage="soft-bar") == []
    assert list_collections(world.app, limit=0).more == 1
    with pytest.raises(Refused, match="offset of 0 or more"):
        list_collections(world.app, offset=-1)
