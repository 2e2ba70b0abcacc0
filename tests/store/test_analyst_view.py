"""What analysts see of the log."""

from datetime import UTC, datetime

from psycopg.types.json import Jsonb

from o2c import plan
from o2c.customers.events import CustomerRegistered
from o2c.engine.app import Engine
from o2c.engine.drafts import Command
from o2c.kernel.carry import happened
from o2c.kernel.decision import just
from o2c.kernel.event import Event
from o2c.kernel.identifiers import derived_id
from o2c.sim.events import SimReceived, SimTaken

AT = datetime(2026, 1, 5, tzinfo=UTC)
ICCID, IMSI, MSISDN = "8944770000000000009", "001010000000000", "+447700910001"


def write(app: Engine, stream: str, *events: Event) -> None:
    loaded = app.load_one(stream)
    app.write([Command(derived_id(stream), stream, happened(stream, just(*events), AT), {stream: loaded}, "test", "test")])


def test_neither_personal_fields_nor_whole_identifiers(dsn: str) -> None:
    """The analyst's view shows what happened, without names, and with the middle of SIM and number identifiers masked."""
    with Engine(dsn, plan.KINDS) as app:
        write(app, "customer-C-1", CustomerRegistered.model_validate(dict(CustomerRegistered.example)))
        taken = SimTaken(iccid=ICCID, kind="esim", order="6f9619ff-8b86-5d01-b42d-00cf4fc964ff", item="1")
        write(app, f"sim-{ICCID}", SimReceived(iccid=ICCID, imsi=IMSI, kind="esim"), taken)

        seen = str(app.reads.rows("SELECT * FROM o2c.analyst_event"))
        log = str(app.reads.rows("SELECT * FROM o2c.event"))

    assert "Ada Example" in log
    assert ICCID in log
    for hidden in ("Ada Example", "1980-02-29", "ada@example.org", ICCID, IMSI):
        assert hidden not in seen
    assert "8944***009" in seen
    assert "2026" in seen


def test_masking_leaves_dates_amounts_and_order_ids_alone(dsn: str) -> None:
    """Only digit strings of an identifier's length are masked."""
    body = {"msisdn": MSISDN, "on": "2026-01-05", "amount_minor": 123456789012, "order": "6f9619ff-8b86", "n": "12345"}

    with Engine(dsn, plan.KINDS) as app:
        [row] = app.reads.rows("SELECT o2c.masked(%s) AS m", Jsonb(body))

    assert row["m"] == {**body, "msisdn": "+4477***001"}
