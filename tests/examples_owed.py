"""Stores for the examples of the commands: in one, accounts hold money (some came too much, some was charged back, some goes back); in another, numbers leave; in a third, customers are told."""

from datetime import date, datetime, timedelta
from pathlib import Path

from o2c.desk.accounts import place_account
from o2c.desk.act import Context
from o2c.desk.complaints import open_complaint
from o2c.desk.customers import record_contact
from o2c.desk.journeys import note_attempt
from o2c.desk.number_ranges import approve_range
from o2c.desk.partners import plan_faults
from o2c.desk.payments import record
from o2c.desk.prepaid import top_up
from o2c.desk.products import port_out, porting_code
from o2c.desk.refunds import give_up_refund, request_refund
from o2c.desk.switching import switch_match
from o2c.desk.taking_back import charge_back
from o2c.desk.vouchers import issue_vouchers
from o2c.desk.withdrawals import withdraw
from o2c.engine.app import Engine
from o2c.running.session import Session
from o2c.simulation.launch_data import LINE
from o2c.views.reading import caught_up
from tests.examples_found import ACCESS_NAME, ACCESS_PLACE, IN_SERVICE
from tests.told import Telling

PAID = "SELECT substr(stream, 9) AS invoice FROM o2c.event WHERE type = 'payment.received' AND body ->> 'method' = 'card' ORDER BY 1 DESC"


def owing(session: Session, invoice: str, until: datetime) -> None:
    """Have far too much come for an invoice: one refund of it waits for a second person, the provider refuses two others, of which one is given up; a payment is charged back; a range of numbers is approved."""
    app = session.app
    record(app, Context("bob"), invoice, amount="900.00", reference="TFR-1", sure=True)
    [row] = app.reads.rows("SELECT account FROM projection.invoices WHERE invoice = %s", invoice)
    charge_back(app, Context("bob"), app.reads.rows(PAID)[0]["invoice"], case="CB-20417")
    request_refund(app, Context("ann"), row["account"], amount="150.00")
    plan_faults(app, Context("bob"), [{"partner": "payment-provider", "kind": "refused", "percent": "100"}])
    for amount in ("1.00", "2.00"):
        request_refund(app, Context("ann"), row["account"], amount=amount)
    session.runner().run(until + timedelta(minutes=30))
    give_up_refund(app, Context("bob"), row["account"], f"{row['account']}-R3", reason="his card has ended")
    approve_range(app, Context("bob"), 990000001, 990005000, prefix="SETP", approval="18760000001", valid_from=date(2027, 1, 1))
    caught_up(app)


def leaving(session: Session) -> None:
    """Two customers have a code for their numbers; another operator asked for one of them, for a day to come; a third was matched to another provider."""
    rows = session.app.reads.rows(f"SELECT product {IN_SERVICE} ORDER BY 1 LIMIT 2")
    first, second = (row["product"] for row in rows)
    porting_code(session.app, Context("bob"), first)
    code = porting_code(session.app, Context("bob"), second).code
    name, address = (next(iter(session.app.reads.rows(f"SELECT ({sql} LIMIT 1) AS it")))["it"] for sql in (ACCESS_NAME, ACCESS_PLACE))
    switch_match(session.app, session.home, Context("hub"), gaining="Other Fibre", request="OTS-77119", name=name, address=address)
    port_out(session.app, Context("bob"), second, operator="Other Mobile", reference="PRT-901", code=code)
    caught_up(session.app)


def trying(session: Session, until: datetime) -> None:
    """Somebody tried to order on the web an hour ago, in vain, and there is a voucher to say sorry with; a customer complained."""
    keyed = {"/productOrderItem/0/id": "1", "/productOrderItem/0/action": "add", "/productOrderItem/0/productOffering/id": LINE.id}
    note_attempt(session.app, Context("web-shop"), "failed", "web", token="b-17", error="HTTP-504", waited_s=94, fields=keyed)
    issue_vouchers(session.app, Context("bob"), "SORRY", amount="5.00", months=1, codes=["SORRY-A1"])
    [row] = session.app.reads.rows("SELECT customer_id FROM projection.orders WHERE state = 'completed' ORDER BY captured_at LIMIT 1")
    place_account(session.app, Context("ann"), row["customer_id"], "GROUP-2", level="entity", pays="itself")
    open_complaint(session.app, Context("ann"), row["customer_id"], topic="service", channel="web", note="no coverage")
    session.runner().run(until + timedelta(minutes=75))
    caught_up(session.app)


def telling(session: Session, folder: Path) -> None:
    """Customers were told of their orders, and one asked where his is."""
    told = Telling(session.app, folder)
    told.start(email="file", letter="file")
    told.send()
    [first] = session.app.reads.rows("SELECT customer_id FROM projection.orders ORDER BY captured_at LIMIT 1")
    record_contact(session.app, Context("ann"), first["customer_id"], medium="call", topic="where-is-my-order")


def sending_back(app: Engine) -> None:
    """A customer withdrew from a handset, which is to come back, and has prepaid money that no line can use."""
    [row] = app.reads.rows("SELECT substr(stream, 9) AS product FROM o2c.event WHERE type = 'product.started'")
    withdraw(app, Context("ann"), row["product"])
    [row] = app.reads.rows("SELECT substr(stream, 9) AS account FROM o2c.event WHERE type = 'account.charge-started'")
    top_up(app, Context("ann"), row["account"], amount="10.00", reference="PAY-7781")
