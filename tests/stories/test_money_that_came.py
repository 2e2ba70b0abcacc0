"""Invoices at the desk: collected once more, paid at the bank in part, in full or twice."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.kernel.partner import Accepted, Answered, NeverHeard, RefusedBy, Request
from o2c.kernel.refusal import Refused
from o2c.views.reading import caught_up
from o2c.views.status import show_status
from tests.desk import Desk
from tests.world import World, at, line, order


@pytest.fixture
def billed(world: World) -> Callable[..., str]:
    """A completed order of C-1 with its first invoice as it stands at a time; `said` is what the payment provider says before."""

    def bill(until: datetime, *said: Any) -> str:
        world.scripted.will("payment", *said)
        world.take(order("WEB-1", line()))
        world.run(until)
        [found] = world.app.reads.rows("SELECT stream FROM o2c.head WHERE starts_with(stream, 'invoice-')")
        return str(found["stream"]).removeprefix("invoice-")

    return bill


def test_a_refused_card_is_tried_again(world: World, desk: Desk, billed: Callable[..., str]) -> None:
    """The agent retries by the invoice's number; sent twice with one id it counts once; a paid invoice has nothing to retry."""
    invoice, command = billed(at(20), RefusedBy("DECLINED")), str(uuid.uuid4())
    for _ in range(2):
        desk.types("payments", "retry", invoice, "--command-id", command)
    world.run(at(21))
    desk.types("payments", "retry", invoice, "--command-id", command)

    assert desk.sees("payments", "show", invoice)["state"] == "paid"
    assert len(world.scripted.asked("payment")) == 2
    with pytest.raises(Refused, match="is paid"):
        desk.types("payments", "retry", invoice)
    with pytest.raises(Refused, match="no invoice BA-9"):
        desk.types("payments", "retry", "BA-9")


def test_a_transfer_pays_an_overdue_invoice_and_closes_its_fallout(world: World, desk: Desk, billed: Callable[..., str]) -> None:
    """The card was declined, the due date passed, the customer pays at the bank: paid, nothing on the agenda, the fallout closed."""
    invoice = billed(at(5, month=2), RefusedBy("DECLINED"))
    fallout = desk.finds("PAY-AUTH")
    shown = desk.sees("payments", "show", invoice)
    assert shown["state"] == "overdue"

    amount = f"{shown['open_minor'] / 100:.2f}"
    for _ in range(2):
        said = desk.types("payments", "record", invoice, "--amount", amount, "--reference", "TFR-1", "--on", "2026-02-04")

    assert "is paid, open 0.00 GBP" in said
    assert world.types(f"invoice-{invoice}").count("payment.received") == 1
    assert desk.sees("fallout", "show", fallout)["closed_by"] == "payment.received"
    assert world.app.reads.of_stream(f"invoice-{invoice}") == []
    [row] = world.app.reads.rows("SELECT state, credit_minor FROM projection.invoices WHERE invoice = %s", invoice)
    assert row == {"state": "paid", "credit_minor": 0}


def test_part_by_bank_leaves_the_rest_to_the_card(world: World, desk: Desk, billed: Callable[..., str]) -> None:
    """The invoice stays open by the rest, which is what the card is charged."""
    invoice = billed(at(8, 7))
    total = desk.sees("payments", "show", invoice)["total_minor"]

    said = desk.types("payments", "record", invoice, "--amount", "10.00", "--reference", "TFR-1")
    world.run(at(12))

    assert "is issued, open" in said
    assert [request.body["open_minor"] for request in world.scripted.asked("payment")] == [total - 1000]
    assert desk.sees("payments", "show", invoice)["state"] == "paid"
    assert [paid["amount_minor"] for paid in desk.sees("payments", "show", invoice)["payments"]] == [1000, total - 1000]


def test_a_card_is_not_charged_for_what_the_bank_brought(world: World, desk: Desk, billed: Callable[..., str]) -> None:
    """The charge of tomorrow is called off at once; what came too much is the customer's credit."""
    invoice = billed(at(8, 7))
    total = desk.sees("payments", "show", invoice)["total_minor"]

    said = desk.types("payments", "record", invoice, "--amount", f"{(total + 500) / 100:.2f}", "--reference", "TFR-1")
    assert world.app.reads.of_stream(f"invoice-{invoice}") == []
    world.run(at(5, month=2))

    assert "credit 5.00 GBP" in said
    assert world.scripted.asked("payment") == []
    assert "invoice.overdue" not in world.types(f"invoice-{invoice}")
    caught_up(world.app)
    [row] = world.app.reads.rows("SELECT state, credit_minor FROM projection.invoices WHERE invoice = %s", invoice)
    assert row == {"state": "paid", "credit_minor": 500}


def test_a_charge_that_is_nearly_due_is_left_to_be_called_off(world: World, desk: Desk, billed: Callable[..., str]) -> None:
    """Two minutes before the card is charged the bank's money comes: the charge may be on its way, so its row stays; it is not sent."""
    invoice = billed(at(9, 8, 58))
    total = desk.sees("payments", "show", invoice)["total_minor"]
    desk.types("payments", "record", invoice, "--amount", f"{total / 100:.2f}", "--reference", "TFR-1")
    assert [row.entry.step for row in world.app.reads.of_stream(f"invoice-{invoice}")] == ["payment"]

    world.run(at(9, 10))

    assert world.scripted.asked("payment") == []
    assert world.types(f"invoice-{invoice}")[-1] == "step.cancelled"
    assert desk.sees("payments", "show", invoice)["credit_minor"] == 0


def test_a_charge_on_its_way_when_the_bank_s_money_is_recorded_is_not_lost(world: World, desk: Desk, billed: Callable[..., str]) -> None:
    """While the provider is charging the card somebody records the transfer: both came, one is the customer's credit."""
    invoice = billed(at(8, 7))
    total = desk.sees("payments", "show", invoice)["total_minor"]

    def charging(_: Request) -> Answered:
        desk.types("payments", "record", invoice, "--amount", f"{total / 100:.2f}", "--reference", "TFR-1")
        return Answered({"amount_minor": total, "reference": "PMT-1"})

    world.scripted.will("payment", charging)
    world.run(at(9, 10))

    shown = desk.sees("payments", "show", invoice)
    assert [paid["method"] for paid in shown["payments"]] == ["bank-transfer", "card"]
    assert (shown["credit_minor"], len(world.scripted.asked("payment"))) == (total, 1)


def test_what_the_provider_has_already_may_still_come(world: World, desk: Desk, billed: Callable[..., str]) -> None:
    """A link was used although the bank had paid: the money is not lost, it is the customer's credit."""
    invoice = billed(at(10), Accepted("PMT-1", at(15)))
    total = desk.sees("payments", "show", invoice)["total_minor"]
    desk.types("payments", "record", invoice, "--amount", f"{total / 100:.2f}", "--reference", "TFR-1")

    world.run(at(16))

    [query] = world.scripted.asked("payment", "query")
    assert query.body["open_minor"] == total
    assert desk.sees("payments", "show", invoice)["credit_minor"] == total


@pytest.mark.parametrize("answer", [pytest.param(RefusedBy("EXPIRED"), id="expired"), pytest.param(NeverHeard(), id="never-heard")])
def test_a_demand_that_comes_to_nothing_is_no_fallout_once_paid(world: World, desk: Desk, billed: Callable[..., str], answer: Any) -> None:
    """The provider says no to what the bank has paid: nothing to do, nothing sent again."""
    invoice = billed(at(10), Accepted("PMT-1", at(15)), answer)
    total = desk.sees("payments", "show", invoice)["total_minor"]
    desk.types("payments", "record", invoice, "--amount", f"{total / 100:.2f}", "--reference", "TFR-1")

    world.run(at(20))

    assert world.fallouts() == []
    assert world.app.reads.of_stream(f"invoice-{invoice}") == []
    assert len(world.scripted.asked("payment")) == 1
    assert desk.sees("payments", "show", invoice)["credit_minor"] == 0


REFUSED = (
    (("--amount", "23.99", "--reference", "TFR-1", "--currency", "EUR"), "usage", "is in GBP, not in EUR"),
    (("--amount", "23.999", "--reference", "TFR-1"), "usage", "more decimal places"),
    (("--amount", "0.00", "--reference", "TFR-1"), "usage", "more than nothing"),
    (("--amount", "0", "--reference", "TFR-0"), "usage", "more than nothing"),
    (("--amount", "-5", "--reference", "TFR-0"), "usage", "write the amount as 23.99"),
    (("--amount", "1e3", "--reference", "TFR-1"), "usage", "write the amount as 23.99"),
    (("--amount", "5.00", "--reference", " "), "usage", "say the reference"),
    (("--amount", "99999.00", "--reference", "TFR-1"), "conflict", "far above its total of .*; say `--yes` if so much came"),
    (("--amount", "5.00", "--reference", "TFR-1", "--on", "2026-01-31"), "usage", "has not come yet"),
    (("--amount", "5.00", "--reference", "TFR-1", "--on", "soon"), "usage", "is no day"),
)


def test_what_is_no_payment_is_refused(desk: Desk, billed: Callable[..., str]) -> None:
    """One line says why; the invoice stands as it stood."""
    invoice = billed(at(8, 7))
    desk.types("payments", "record", invoice, "--amount", "1.00", "--reference", "TFR-0")
    before = desk.sees("payments", "show", invoice)
    for words, kind, says in REFUSED:
        with pytest.raises(Refused, match=says) as refused:
            desk.types("payments", "record", invoice, *words)
        assert refused.value.kind == kind, words
    assert desk.sees("payments", "show", invoice) == before


def test_far_more_than_an_invoice_comes_to_is_taken_from_who_is_sure(desk: Desk, billed: Callable[..., str]) -> None:
    """Twice the total passes unasked, as payers pay twice; a penny more is asked about, and taken with `--yes`: the rest is a credit."""
    invoice = billed(at(8, 7))
    total = desk.sees("payments", "show", invoice)["total_minor"]
    desk.types("payments", "record", invoice, "--amount", f"{2 * total / 100:.2f}", "--reference", "TFR-1")
    much = ("payments", "record", invoice, "--amount", f"{(2 * total + 1) / 100:.2f}", "--reference", "TFR-2")
    with pytest.raises(Refused, match="far above"):
        desk.types(*much)
    assert desk.sees("payments", "show", invoice)["credit_minor"] == total
    desk.types(*much, "--yes")
    assert desk.sees("payments", "show", invoice)["credit_minor"] == 3 * total + 1


INSTALMENTS = (
    (("10.00", "2026-01-07"), ("10.00", "2026-01-08"), "another-day"),
    (("10.00", "2026-01-08"), ("5.00", "2026-01-08"), "another-amount"),
)


@pytest.mark.parametrize(("first", "second"), [pytest.param(*told[:2], id=told[2]) for told in INSTALMENTS])
def test_payers_repeat_their_reference(
    world: World, desk: Desk, billed: Callable[..., str], first: tuple[str, str], second: tuple[str, str]
) -> None:
    """Another day or amount under the same reference is another payment; the same three are the same one, and the answer says so."""
    invoice = billed(at(8, 7))

    def came(amount: str, day: str) -> str:
        return desk.types("payments", "record", invoice, "--amount", amount, "--reference", "ACC 4711", "--on", day)

    said = [came(*first), came(*second), came(*second)]

    assert ["repeated" in each for each in said] == [False, False, True]
    assert world.types(f"invoice-{invoice}").count("payment.part-received") == 2
    paid_minor = sum(round(float(amount) * 100) for amount, _ in (first, second))
    assert desk.sees("payments", "show", invoice)["paid_minor"] == paid_minor


def test_nobody_says_on_which_day_the_same_came(world: World, desk: Desk, billed: Callable[..., str]) -> None:
    """The day after, the same reference and amount may be the same payment typed twice or another one: it is refused, not swallowed."""
    invoice = billed(at(8, 7))
    desk.types("payments", "record", invoice, "--amount", "10.00", "--reference", "TFR-1")
    world.run(at(9, 7))
    with pytest.raises(Refused, match="the same came on 2026-01-08; say `--on 2026-01-09`") as refused:
        desk.types("payments", "record", invoice, "--amount", "10.00", "--reference", "TFR-1")
    assert refused.value.kind == "conflict"


def test_a_part_and_too_much_are_no_flaw(world: World, desk: Desk, billed: Callable[..., str]) -> None:
    """`o2c diagnose` counts both: what is open after the part, what is a credit after too much."""
    invoice = billed(at(8, 7))
    total = desk.sees("payments", "show", invoice)["total_minor"]

    def said() -> str:
        [found] = [check for check in run_checks(world.app) if check.name == "paid and open make up what was invoiced"]
        assert found.state == "ok", found.detail
        return found.detail

    desk.types("payments", "record", invoice, "--amount", "10.00", "--reference", "TFR-1")
    assert said() == f"paid 1,000 + credit used 0 + open {total - 1000:,} = invoiced {total:,} + credit 0 minor units"
    desk.types("payments", "record", invoice, "--amount", f"{(total + 500 - 1000) / 100:.2f}", "--reference", "TFR-2")
    assert said() == f"paid {total + 500:,} + credit used 0 + open 0 = invoiced {total:,} + credit 500 minor units"
    caught_up(world.app)
    assert show_status(world.app)["money"]["GBP"] == {"invoiced_minor": total, "paid_minor": total + 500}


def test_a_payment_method_that_is_none_is_answered_with_those_there_are(desk: Desk, billed: Callable[..., str]) -> None:
    """A returned debit is collected by a method that exists."""
    billed(at(20), RefusedBy("RETURNED"))
    with pytest.raises(Refused, match="no such payment method; use one of card, direct-debit, invoice, pay-by-link"):
        desk.types("fallout", "resolve", desk.finds("PAY-MANDATE"), "--correct", "method=cowries", "--reason", "shells at hand")
