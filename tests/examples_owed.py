"""A store in which accounts hold money, for the examples of the commands: some came too much, some was charged back, some goes back."""

from datetime import datetime, timedelta

from o2c.desk.act import Context
from o2c.desk.partners import plan_faults
from o2c.desk.payments import record
from o2c.desk.refunds import request_refund
from o2c.desk.taking_back import charge_back
from o2c.running.session import Session
from o2c.views.reading import caught_up

PAID = "SELECT substr(stream, 9) AS invoice FROM o2c.event WHERE type = 'payment.received' AND body ->> 'method' = 'card' ORDER BY 1 DESC"


def owing(session: Session, invoice: str, until: datetime) -> None:
    """Have far too much come for an invoice: one refund of it waits for a second person, the provider refuses another one; a payment is charged back."""
    app = session.app
    record(app, Context("bob"), invoice, amount="900.00", reference="TFR-1", sure=True)
    [row] = app.reads.rows("SELECT account FROM projection.invoices WHERE invoice = %s", invoice)
    charge_back(app, Context("bob"), app.reads.rows(PAID)[0]["invoice"], case="CB-20417")
    request_refund(app, Context("ann"), row["account"], amount="150.00")
    plan_faults(app, Context("bob"), [{"partner": "payment-provider", "kind": "refused", "percent": "100"}])
    request_refund(app, Context("ann"), row["account"], amount="1.00")
    session.runner().run(until + timedelta(minutes=30))
    caught_up(app)
