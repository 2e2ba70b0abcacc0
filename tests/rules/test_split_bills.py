"""Bills of an account that pays for others: which line is whose, and the customer's own purchase order, on every paper."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from o2c.entrypoints.http.console.bills import purchase_orders_of
from o2c.instalments.state import Agreement
from o2c.invoicing import notes
from o2c.invoicing.events import CreditNoteIssued, InvoiceIssued
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.parts import parts_of
from o2c.kernel.charges import ChargeWithdrawn, PurchaseOrderStated
from o2c.views.paper.content import Paper, paper_of_invoice, paper_of_note
from o2c.views.paper.en16931 import broken
from o2c.views.paper.page import page_of
from o2c.views.paper.pdf import facts
from o2c.views.paper.ubl import ubl_of
from tests.charges import account, charge, run
from tests.given import BOOK, MONDAY
from tests.rules.test_ubl_schema import flaws, read

SECOND = "order-1002"


def bought(order: str, purchase_order: str) -> PurchaseOrderStated:
    return PurchaseOrderStated(account="BA-1001", order=order, purchase_order=purchase_order)


def ordered(cost_centre: str, item: str, starts_on: str = "2026-01-05", **more: Any) -> Any:
    return charge(starts_on, item=item, **{k: v for k, v in more.items() if k == "order"}).model_copy(
        update={"cost_centre": cost_centre, **more}
    )


def billed(*events: Any) -> InvoiceIssued:
    _, issued = run(account(*events))
    assert issued is not None
    return issued


def paper(issued: InvoiceIssued) -> Paper:
    return paper_of_invoice(issued.model_copy(update={"legal_number": "GB1-INV-2026-000001"}))


def texts(made: Paper, name: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(ubl_of(made)).iter() if element.tag.endswith(f"}}{name}")]


def test_every_line_says_whose_it_is() -> None:
    """What is the paying account's own says nothing; the parts are the invoice."""
    issued = billed(ordered("LEEDS", "1"), ordered("HULL", "2"), ordered("", "3"))

    assert {(line.item, line.cost_centre) for line in issued.lines} == {("1", "LEEDS"), ("2", "HULL"), ("3", "")}
    parts = parts_of(issued.lines, issued.taxes)
    assert [part.cost_centre for part in parts] == ["", "HULL", "LEEDS"]
    assert sum(part.total_minor for part in parts) == issued.total_minor


def test_a_changed_product_stays_with_its_cost_centre() -> None:
    """The charge that takes the place of another is the same product's; it goes to another cost centre only where that is said."""
    over = ChargeWithdrawn(order="order-1001", item="1", ended_on="2026-01-06", served=True)
    again = ordered("", "1", "2026-01-06", order=SECOND, product="order-1001:1")
    moved = ordered("HULL", "1", "2026-01-06", order=SECOND, product="order-1001:1")

    assert {line.cost_centre for line in billed(ordered("LEEDS", "1"), again, over).lines} == {"LEEDS"}
    assert {line.cost_centre for line in billed(ordered("LEEDS", "1"), moved, over).lines if line.order == SECOND} == {"HULL"}


def test_papers_name_the_purchase_order_where_there_is_one() -> None:
    """On the page, in the PDF and in the UBL; the last that was said counts."""
    made = paper(billed(ordered("", "1"), bought("order-1001", "PO-1"), bought("order-1001", "PO-2")))

    assert made.purchase_order == "PO-2"
    assert ("Your order", "PO-2") in facts(made)
    assert "PO-2" in page_of(made)
    assert [*flaws(read(made)), *broken(ubl_of(made))] == []
    assert "PO-2" in texts(made, "ID")


def test_papers_name_several_purchase_orders_by_their_lines() -> None:
    """The norm has one for a whole invoice, so that the lines say theirs; what has none is said of none."""
    made = paper(
        billed(ordered("", "1"), ordered("", "1", order=SECOND), ordered("", "2"), bought("order-1001", "PO-1"), bought(SECOND, "PO-2"))
    )

    assert made.purchase_order == ""
    assert [note for note in made.notices if note.startswith("Purchase order")] == [
        "Purchase order PO-1: lines 1, 2, 3, 4.",
        "Purchase order PO-2: lines 5, 6.",
    ]
    assert texts(made, "Note")[-6:] == ["Purchase order PO-1"] * 4 + ["Purchase order PO-2"] * 2
    assert [*flaws(read(made)), *broken(ubl_of(made))] == []


def credited(issued: InvoiceIssued, *places: int) -> Paper:
    """A credit note over what is left of some lines of an invoice."""
    work = INVOICE.work(INVOICE.evolve(INVOICE.initial(""), issued), f"invoice-{issued.number}", "", "credit-note", BOOK)
    lines = {place: issued.lines[place - 1].net_minor for place in places}
    made = notes.request(work, reason="goodwill", author="ann", lines=lines, comment="", at=MONDAY, begun_by=MONDAY)
    [note] = [event for event in made.events if isinstance(event, CreditNoteIssued)]
    return paper_of_note(note.model_copy(update={"legal_number": "GB1-CRN-2026-000001"}), of_invoice=issued.lines)


@pytest.mark.parametrize(
    ("places", "names", "notices", "of_lines"),
    [
        pytest.param([1, 2], "PO-1", [], [], id="one order: of the paper, as the norm has it"),
        pytest.param([5], "PO-2", [], [], id="the other one, though the bill is of several"),
        pytest.param(
            [1, 5], "", ["Purchase order PO-1: lines 1.", "Purchase order PO-2: lines 2."],
            ["Purchase order PO-1", "Purchase order PO-2"], id="several: by the lines of the note",
        ),
    ],
)  # fmt: skip
def test_a_credit_note_names_the_purchase_orders_of_what_it_lowers(
    places: list[int], names: str, notices: list[str], of_lines: list[str]
) -> None:
    """So that the buyer's own books find it; by the places of its lines, and not by those of the bill."""
    issued = billed(
        ordered("", "1"), ordered("", "1", order=SECOND), ordered("", "2"), bought("order-1001", "PO-1"), bought(SECOND, "PO-2")
    )
    made = credited(issued, *places)

    assert made.purchase_order == names
    assert [note for note in made.notices if note.startswith("Purchase order")] == notices
    assert [note for note in texts(made, "Note") if note.startswith("Purchase order PO-") and ":" not in note] == of_lines
    assert [*flaws(read(made)), *broken(ubl_of(made))] == []


def test_papers_split_the_sum_by_cost_centre() -> None:
    """In words on the page, and of each line in the field that the norm has for the buyer's own books."""
    made = paper(billed(ordered("LEEDS", "1"), ordered("", "2")))

    assert [note.partition(":")[0] for note in made.notices] == ["Of this, BA-1001", "Of this, LEEDS"]
    assert texts(made, "AccountingCost") == ["LEEDS", "LEEDS"]
    assert "Of this, LEEDS" in page_of(made)
    assert [*flaws(read(made)), *broken(ubl_of(made))] == []


def test_a_bill_of_one_account_is_as_it_was() -> None:
    """Without others to pay for and without purchase orders nothing of it is said."""
    made = paper(billed(ordered("", "1")))

    assert made.notices == ()
    assert texts(made, "AccountingCost") == []
    assert made.purchase_order == ""


def test_a_part_names_the_purchase_orders_of_its_own_lines() -> None:
    """Each once, in the order of the bill; the bill as a whole names them all, and a part without one none."""
    lines = [("LEEDS", "PO-1"), ("LEEDS", "PO-1"), ("SALES", "PO-2"), ("", "")]
    bill = {"lines": [{"cost_centre": cost_centre, "purchase_order": bought} for cost_centre, bought in lines]}

    assert purchase_orders_of(bill) == ["PO-1", "PO-2"]
    assert {part: purchase_orders_of(bill, part) for part in ("LEEDS", "SALES", "")} == {"LEEDS": ["PO-1"], "SALES": ["PO-2"], "": []}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"method": "direct-debit"}, ("23.99 GBP will be collected by direct debit on 2026-01-22.",), id="all"),
        pytest.param({"method": "direct-debit", "credit_used_minor": 399}, ("20.00 GBP will be collected by direct debit on 2026-01-22.",), id="less-a-credit"),
        pytest.param({"method": "direct-debit", "credit_used_minor": 2399}, (), id="nothing-to-pay"),
        pytest.param({"method": "card"}, (), id="by-card"),
    ],
)  # fmt: skip
def test_the_invoice_is_the_advance_notice_of_its_direct_debit(changes: dict[str, Any], said: tuple[str, ...]) -> None:
    """How much, and on which day, on the page and in UBL, which validates."""
    issued = InvoiceIssued.model_validate({**InvoiceIssued.example, "total_minor": 2399, "due_on": "2026-01-22", **changes})
    made = paper_of_invoice(issued)

    assert tuple(note for note in made.notices if "collected" in note) == said
    assert all(note in page_of(made) and note in texts(made, "Note") for note in said)


def test_what_is_paid_in_instalments_is_not_collected_with_its_invoice() -> None:
    """A handset of 599.00 in 24: nothing is to be paid for its own invoice."""
    issued = InvoiceIssued.model_validate({**InvoiceIssued.example, "method": "direct-debit", "total_minor": 59_900})
    agreed = Agreement(issued.order, "2", "lark-9", issued.number, 59_900, 24, "2026-01-08")

    assert not any("collected" in note for note in paper_of_invoice(issued, agreements=[agreed]).notices)
    assert any("collected" in note for note in paper_of_invoice(issued).notices)
