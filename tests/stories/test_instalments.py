"""A device paid once or in instalments: all tax at delivery, a debt paid off bill by bill, settled at any day, in the books to the penny."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.act import Context
from o2c.desk.instalments import settle
from o2c.desk.invoices import issue_credit_note, void_invoice
from o2c.kernel.partner import Accepted, Failed, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.views.balance import show_balance
from o2c.views.instalments import show_instalments
from o2c.views.invoice_papers import invoice_html, invoice_pdf, invoice_ubl
from o2c.views.ledger import trial_balance
from o2c.views.paper.content import paper_of_invoice
from o2c.views.paper.en16931 import SPACES, broken
from o2c.views.paper.ubl import ubl_of
from o2c.views.reading import caught_up
from o2c.views.shown import AgreementShown
from o2c.views.taking_back import meant_invoice
from tests.balances import unlike_the_books
from tests.handsets import GROSS_MINOR, NET_MINOR, handset, imei, received, selling
from tests.lives_of_products import change
from tests.world import World, at, line, order

ANN, ACCOUNT = Context("ann"), "BA-C-1"
TAX_MINOR = GROSS_MINOR - NET_MINOR
ISSUED = "SELECT body FROM o2c.event WHERE type = 'invoice.issued' AND body ->> 'account' = %s ORDER BY position"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    return selling(World(dsn, tmp_path).stocked())


def bought(world: World, *, instalments: str = "24", beside: bool = False) -> World:
    """Ordered on Monday 5 January, delivered on the same day; with a line beside it where asked for."""
    world.take(order("WEB-1", handset("1", instalments=instalments), *([line("2")] if beside else [])))
    return world.run(at(7))


def issued(world: World) -> list[Mapping[str, Any]]:
    return [row["body"] for row in world.app.reads.rows(ISSUED, ACCOUNT)]


def of_instalments(world: World) -> list[int]:
    return [each["net_minor"] for body in issued(world) for each in body["lines"] if each["kind"] == "instalment"]


def standing(world: World) -> AgreementShown:
    [agreement] = show_instalments(world.app, ACCOUNT)
    return agreement


def books(world: World, on: date | None = None) -> dict[str, int]:
    """The books, which balance, by account of the chart."""
    caught_up(world.app)
    shown = trial_balance(world.app, on=on)
    rows = {row["ledger_account"]: row["balance_minor"] for row in shown["accounts"]}
    assert sum(rows.values()) == 0
    return {name: minor for name, minor in rows.items() if minor}


@pytest.mark.parametrize("instalments", ["1", "24"])
def test_the_balance_of_an_account_has_what_was_invoiced_beside_the_bill_runs(world: World, instalments: str) -> None:
    """What is open of the invoice of the goods is owed as that of a bill is, as the books say, with the number of the invoice."""
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 9)
    bought(world, instalments=instalments)
    [invoice] = issued(world)
    [row] = show_balance(world.app, ACCOUNT)
    assert row["open_minor"] == {"1": GROSS_MINOR, "24": 0}[instalments]
    assert [item["of"] for item in row["items"] if item["what"] == "open"] == {"1": [invoice["number"]], "24": []}[instalments]
    assert unlike_the_books(world.app) == []


def test_a_payment_moves_by_the_id_of_an_account_to_what_it_owes_beside_the_bill_runs(world: World) -> None:
    """Who names the account means the invoice that is open, also when it is of goods alone; another account whose id begins so is none of it."""
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 9)
    bought(world, instalments="1")
    [invoice] = issued(world)
    assert meant_invoice(world.app, ACCOUNT) == invoice["number"]
    with pytest.raises(Refused, match="no account of that id"):
        meant_invoice(world.app, ACCOUNT.removesuffix("-1"))


def test_a_device_paid_once_is_invoiced_whole_on_the_day_of_delivery(world: World) -> None:
    """One invoice with all tax and the day of delivery as tax point (VATA 1994, s. 6; Directive 2006/112/EC, art. 63), collected as any; no bill run follows."""
    bought(world, instalments="1").run(at(1, month=4))
    [invoice] = issued(world)
    assert (invoice["net_minor"], invoice["tax_minor"], invoice["total_minor"]) == (NET_MINOR, TAX_MINOR, GROSS_MINOR)
    assert (invoice["tax_point"], invoice["issued_on"]) == ("2026-01-05", "2026-01-05")
    assert world.invoice(invoice["number"]).open_minor == 0
    assert (show_instalments(world.app, ACCOUNT), "account.bill-run-requested" in world.types(f"account-{ACCOUNT}")) == ([], False)
    assert books(world) == {"cash": GROSS_MINOR, "revenue": -NET_MINOR, "tax": -TAX_MINOR}


def test_599_in_24_instalments_is_paid_off_to_the_penny(world: World) -> None:
    """Two years: all tax at once, nothing of it to pay; 20 times 24.96 and 4 times 24.95, one with each bill, without tax; then the agreement has ended."""
    bought(world)
    [first] = issued(world)
    assert (first["total_minor"], first["taxes"][0]["tax_minor"], world.invoice(first["number"]).open_minor) == (GROSS_MINOR, TAX_MINOR, 0)
    assert books(world) == {"instalment-receivable": GROSS_MINOR, "revenue": -NET_MINOR, "tax": -TAX_MINOR}
    assert (standing(world)["state"], standing(world)["settlement_minor"]) == ("running", GROSS_MINOR)

    world.run(datetime(2028, 3, 1, tzinfo=UTC))

    bills = issued(world)[1:]
    assert of_instalments(world) == [2496] * 20 + [2495] * 4
    assert [(bill["total_minor"], bill["tax_minor"]) for bill in bills] == [(2496, 0)] * 20 + [(2495, 0)] * 4
    assert (bills[0]["issued_on"], bills[-1]["issued_on"]) == ("2026-01-08", "2027-12-08")
    assert {each["group"] for bill in bills for each in bill["taxes"]} == {"instalment"}
    assert "instalment 3 of 24" in bills[2]["lines"][0]["description"]
    assert first["number"] in bills[2]["lines"][0]["description"]
    ended = standing(world)
    assert (ended["state"], ended["billed"], ended["settlement_minor"], ended["next_minor"]) == ("ended", 24, 0, 0)
    assert books(world) == {"cash": GROSS_MINOR, "revenue": -NET_MINOR, "tax": -TAX_MINOR}
    assert [row["step"] for row in world.app.reads.rows("SELECT step FROM o2c.agenda WHERE stream = %s", f"account-{ACCOUNT}")] == []


def test_instalments_stand_on_the_bill_of_the_line_and_outlive_it(world: World) -> None:
    """The airtime and the device are apart: both are on one bill, the line has tax, the instalment none; the books move from one receivable to the other."""
    bought(world, beside=True).run(at(9, month=2))
    bill = issued(world)[1]
    assert [each["kind"] for each in bill["lines"]] == ["one-time", "part-period", "period", "instalment"]
    airtime = sum(each["net_minor"] for each in bill["lines"] if each["kind"] != "instalment")
    assert (bill["net_minor"], bill["tax_minor"]) == (
        airtime + 2496,
        -(-airtime * 20 // 100) if airtime * 20 % 100 >= 50 else airtime * 20 // 100,
    )
    assert books(world)["instalment-receivable"] == GROSS_MINOR - 2 * 2496


@pytest.mark.parametrize(
    ("on", "left"),
    [
        pytest.param("2026-01-04", 0, id="before it was agreed"),
        pytest.param("2026-01-07", GROSS_MINOR, id="before the first bill"),
        pytest.param("2026-01-08", GROSS_MINOR - 2496, id="the day of the first bill"),
        pytest.param("2026-02-20", GROSS_MINOR - 2 * 2496, id="in between"),
        pytest.param("2026-06-30", GROSS_MINOR - 6 * 2496, id="to come"),
        pytest.param("2027-11-30", 2495, id="before the last"),
        pytest.param("2027-12-08", 0, id="after the last"),
    ],
)
def test_what_settles_an_agreement_is_told_for_any_day(world: World, on: str, left: int) -> None:
    """It is what no bill has by then: of a day that is over as it was, of one to come as it will be."""
    bought(world).run(at(20, month=2))
    [agreement] = show_instalments(world.app, ACCOUNT, on=date.fromisoformat(on))
    assert agreement["settlement_minor"] == left


def test_an_agreement_is_settled_before_its_last_instalment(world: World) -> None:
    """All that was left is on one invoice, without tax again; no bill has an instalment any more, and nothing is left in the books."""
    bought(world).run(at(20, month=2))
    of = world.order("WEB-1").order_id
    left = standing(world)["settlement_minor"]
    settle(world.app, ANN, ACCOUNT, of, "1")
    again = settle(world.app, ANN, ACCOUNT, of, "1")
    world.run(at(1, month=6))

    assert of_instalments(world) == [2496, 2496, left]
    assert (issued(world)[-1]["tax_minor"], issued(world)[-1]["issued_on"]) == (0, "2026-02-20")
    assert sum(of_instalments(world)) == GROSS_MINOR
    assert (standing(world)["state"], standing(world)["settlement_minor"], again.unchanged) == ("settled", 0, True)
    assert books(world) == {"cash": GROSS_MINOR, "revenue": -NET_MINOR, "tax": -TAX_MINOR}


def test_an_invoice_of_which_one_device_is_paid_in_instalments_is_not_void(world: World) -> None:
    """Given two devices on one invoice, one of them in instalments, a void would leave these billed and the books apart; a credit note balances."""
    world.take(order("WEB-1", handset("1", instalments="24"), handset("2", instalments="1")))
    world.run(at(5, 12))
    [both] = issued(world)
    with pytest.raises(Refused, match="instalments"):
        void_invoice(world.app, ANN, both["number"], reason="billed-in-error")
    issue_credit_note(world.app, ANN, both["number"], reason="withdrawn", lines={"2": "499.17"})
    caught_up(world.app)
    assert [row for row in trial_balance(world.app)["compared"] if row["difference_minor"]] == []


def test_what_cannot_be_settled_is_refused(world: World) -> None:
    """No account, no agreement, and one that is paid off."""
    bought(world, instalments="12").run(datetime(2027, 2, 1, tzinfo=UTC))
    of = world.order("WEB-1").order_id
    with pytest.raises(Refused, match="is not known"):
        settle(world.app, ANN, "BA-99", of, "1")
    with pytest.raises(Refused, match=r"nothing of order .* item 7 is paid in instalments"):
        settle(world.app, ANN, ACCOUNT, of, "7")
    with pytest.raises(Refused, match="every instalment is billed"):
        settle(world.app, ANN, ACCOUNT, of, "1")


def test_a_device_cancelled_before_delivery_is_neither_invoiced_nor_owed(world: World) -> None:
    """No invoice, no agreement, nothing in the books."""
    world.scripted.will("delivery", Failed("UNAVAILABLE", at(20)))
    world.take(order("WEB-1", handset(instalments="24")))
    world.run(at(5, 10))
    world.cancel("WEB-1")
    world.run(at(1, month=4))
    assert (issued(world), show_instalments(world.app, ACCOUNT) if issued(world) else [], books(world)) == ([], [], {})


def test_a_lost_parcel_is_owed_once(world: World) -> None:
    """The agreement begins with the device that came."""
    world.scripted.will("delivery", Accepted("PCL-1", at(7)), Failed("LOST"))
    world.take(order("WEB-1", handset(instalments="24")))
    world.run(at(20))
    assert [invoice["total_minor"] for invoice in issued(world) if invoice["tax_minor"]] == [GROSS_MINOR]
    assert len(show_instalments(world.app, ACCOUNT)) == 1


def test_two_devices_of_a_day_are_on_one_invoice_and_two_agreements(world: World) -> None:
    """The tax of the invoice is shared out over what each agreement is over, so that both make up its total."""
    world.take(order("WEB-1", handset("1", instalments="24"), handset("2", instalments="36"), handset("3")))
    world.run(at(7))
    [invoice] = issued(world)
    agreed = [each["total_minor"] for each in show_instalments(world.app, ACCOUNT)]
    open_minor = invoice["total_minor"] - sum(agreed)
    assert (len(invoice["lines"]), len(agreed), invoice["total_minor"]) == (3, 2, 3 * NET_MINOR + round(3 * NET_MINOR * 0.2))
    assert abs(open_minor - GROSS_MINOR) <= 1
    assert books(world) == {
        "cash": open_minor, "instalment-receivable": sum(agreed), "revenue": -3 * NET_MINOR, "tax": 3 * NET_MINOR - invoice["total_minor"],
    }  # fmt: skip


def test_a_store_that_sells_devices_is_in_order(world: World) -> None:
    """Bought once, in instalments and settled: no check finds a flaw, no rule is broken, nothing leaks, and what was billed is counted once."""
    received(world, *(imei(n) for n in range(10, 13)))
    world.take(order("WEB-1", handset("1", instalments="24"), line("2")), order("WEB-2", handset("1"), party="C-2"))
    world.take(order("WEB-3", handset("1", instalments="12"), handset("2", instalments="36"), party="C-3"), name="more.jsonl")
    world.run(at(20, month=3))
    settle(world.app, ANN, "BA-C-3", world.order("WEB-3").order_id, "2")
    world.run(at(20, month=5))
    caught_up(world.app)

    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    held = check_conformance(world.app)
    assert [kept for kept in held if kept.broken] == []
    assert {kept.rule for kept in held if kept.orders} >= {"device-states", "device-in-one-hand", "goods-charged-after-delivery"}
    assert [leak.row() for leak in check_assurance(world.app)] == []
    told = trial_balance(world.app)
    assert [row for row in told["compared"] if row["difference_minor"]] == []
    assert told["balanced"]


def test_the_invoice_of_a_device_says_what_is_due_now_and_what_in_instalments(world: World) -> None:
    """All tax and the whole price; nothing to pay now, 599.00 in 24 (20 of 24.96, then 4 of 24.95) on page, PDF and UBL, which is valid. A bill is as ever."""
    bought(world, beside=True).run(at(9))
    goods, bill = (body["number"] for body in issued(world))
    asked = (
        "lark-9: 599.00 GBP is paid in 24 instalments, one with each later bill (20 of 24.96, then 4 of 24.95), without tax of their own. "
        "They go on when the service ends, and what is left may be paid at once on any day."
    )
    page = invoice_html(world.app, goods)["content"]
    for said in (asked, "Total GBP</td><td>599.00", "To be paid in instalments</td><td>-599.00", "To pay now GBP</td><td>0.00"):
        assert said in page
    assert asked not in invoice_html(world.app, bill)["content"]
    assert invoice_pdf(world.app, goods)["content"]

    document = ElementTree.fromstring(str(invoice_ubl(world.app, goods)["content"]).partition("?>")[2])
    told = {
        name: document.findtext(f"cac:LegalMonetaryTotal/cbc:{name}", "", SPACES)
        for name in ("TaxInclusiveAmount", "PrepaidAmount", "PayableAmount")
    }
    assert told == {"TaxInclusiveAmount": "599.00", "PrepaidAmount": "599.00", "PayableAmount": "0.00"}
    assert document.findtext("cac:PaymentTerms/cbc:Note", "", SPACES) == asked


def test_what_papers_ask_for_is_what_invoices_have_open_at_issue(world: World) -> None:
    """One device at once beside one in instalments: what the paper asks for now is what is open, and all papers together ask for the price once."""
    world.take(order("WEB-1", handset("1"), handset("2", instalments="24")))
    world.run(datetime(2028, 2, 9, tzinfo=UTC))
    sums = [ElementTree.fromstring(str(invoice_ubl(world.app, body["number"])["content"]).partition("?>")[2]) for body in issued(world)]
    asked = [Decimal(each.findtext("cac:LegalMonetaryTotal/cbc:PayableAmount", "", SPACES)) for each in sums]
    whole_minor, spread_minor = issued(world)[0]["total_minor"], standing(world)["total_minor"]
    assert (asked[0] * 100, sum(asked) * 100) == (whole_minor - spread_minor, whole_minor)


def test_invoices_of_devices_and_bills_with_instalments_are_valid_papers(world: World) -> None:
    """EN 16931: one with all tax, and bills with an instalment beside airtime and alone."""
    bought(world, beside=True).run(at(9, month=2))
    papers = [ubl_of(paper_of_invoice(world.app.load_one(f"invoice-{body['number']}").state.issued)) for body in issued(world)]
    assert (len(papers), [broken(paper) for paper in papers]) == (3, [[]] * 3)
    assert "TaxExemptionReason" in papers[1]
    bare = re.sub(r"<cbc:TaxExemptionReason>.*?</cbc:TaxExemptionReason>", "", papers[1])
    assert broken(bare) == ["BR-E-10"]


def test_instalments_run_on_when_the_service_ends(world: World) -> None:
    """The line beside the device ends on 20 January: the next bill is the final one of the service, and every later one has an instalment alone to the last."""
    bought(world, beside=True).run(at(9))
    world.take(order("END", change(world, "WEB-1", item_of="2", action="delete"), on=at(20)))
    world.run(datetime(2028, 3, 1, tzinfo=UTC))

    bills = issued(world)[2:]
    assert [number for number, bill in enumerate(bills) if bill["final"]] == [0]
    assert {each["kind"] for bill in bills[1:] for each in bill["lines"]} == {"instalment"}
    assert of_instalments(world) == [2496] * 20 + [2495] * 4
    assert books(world).keys() == {"cash", "revenue", "tax"}
