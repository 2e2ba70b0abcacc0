"""What the words of the help's examples are called in a store, by the query that finds its like."""

from o2c.simulation.launch_data import LINE, SECOND_LINE

FELL = "SELECT o.external_id FROM projection.fallout f JOIN projection.orders o USING (order_id) WHERE f.state = 'open' AND f.reason = {}"
FIRST = "FROM projection.orders WHERE state = 'completed' ORDER BY captured_at, order_id LIMIT 1"
FOUND = {
    "WEB-1001": f"SELECT external_id {FIRST}",
    "C-1001": f"SELECT customer_id {FIRST}",
    "BA-1001-20260108": "SELECT invoice FROM projection.invoices WHERE state = 'overdue' AND issued_on < '2026-01-16' ORDER BY 1",
    "BA-1001-20260108-C1": "SELECT body ->> 'note' FROM o2c.event WHERE type = 'credit-note.requested'",
    "BA-1001": "SELECT account FROM projection.balances ORDER BY credit_minor DESC LIMIT 1",
    "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1": "SELECT fallout FROM projection.fallout WHERE state = 'open' AND starts_with(reason, 'NP-') ORDER BY 1",
    "5c1f09ab34": "SELECT group_id FROM projection.fallout WHERE state = 'open' AND starts_with(reason, 'NP-') ORDER BY 1",
    "0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f": "SELECT substr(stream, 11) FROM o2c.event WHERE type = 'complaint.raised'",
    "3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6": "SELECT body ->> 'journey' FROM o2c.event WHERE type = 'journey.started'",
    "4f2a9c01b7de": "SELECT substr(stream, 5) FROM o2c.event WHERE type = 'key.issued'",
    "b3c0f1d2-7a5e-4c18-9f60-2d8e4a71c95b": "SELECT substr(stream, 6) FROM o2c.event WHERE type = 'hook.subscribed'",
    "2c8b1b0e-6a55-5f2e-9a41-0c7b9d0f7a11": "SELECT message FROM projection.messages WHERE state = 'sent' ORDER BY 1",
    "7b0e9d5c-41f2-5d0a-8c3e-2f6a1b9c0d4e": "SELECT substr(stream, 5) FROM o2c.event WHERE type = 'job.started'",
    "+447700900123": "SELECT key FROM projection.stock WHERE kind = 'number' AND state = 'assigned' ORDER BY 1",
    "+447700910001": "SELECT key FROM projection.stock WHERE kind = 'number' AND class = 'golden' ORDER BY state <> 'reserved', 1",
    "8944770000000000009": "SELECT key FROM projection.stock WHERE kind = 'sim' AND state = 'assigned' ORDER BY 1",
    "52107264004": "SELECT min(position) FROM o2c.event",
    "9464": "SELECT 0",  # any free one: another run of the tests may stand there
}
"""What must exist and is called otherwise in this store: a word of an example, and the query that finds its like."""
USED = "SELECT DISTINCT body ->> 'account' FROM o2c.event WHERE type = 'account.charge-started'"
OPEN = "total_minor - credit_used_minor - lowered_minor - paid_minor + above_minor"
LAST_OWING = "FROM projection.invoices WHERE state = 'overdue' GROUP BY account ORDER BY account DESC"
IN_SERVICE = "FROM projection.products WHERE msisdn IS NOT NULL AND currency = 'GBP' AND status = 'active'"
CODED = "FROM o2c.event e WHERE type = 'product.porting-code-issued' AND NOT EXISTS (SELECT FROM o2c.event a WHERE a.stream = e.stream AND a.type = 'port-out.authorised')"
ACCESS = """(SELECT p.{} FROM projection.products p WHERE p.specification = 'spec-access' AND p.status IN ('active', 'pendingTerminate') AND p.currency = 'GBP'
    AND (SELECT count(*) FROM projection.products o WHERE o.customer_id = p.customer_id AND o.specification = 'spec-access') = 1 ORDER BY p.product LIMIT 1)"""
ACCESS_NAME = f"SELECT personal ->> 'name' FROM o2c.event WHERE type = 'customer.registered' AND stream = 'customer-' || {ACCESS.format('customer_id')} ORDER BY version DESC"
ACCESS_PLACE = f"""SELECT d.value ->> 'place' FROM o2c.event e, jsonb_array_elements(e.body -> 'lines') WITH ORDINALITY l (value, n),
    jsonb_array_elements(e.personal -> 'details') WITH ORDINALITY d (value, n) WHERE l.n = d.n AND e.type = 'order.captured' AND e.stream = 'order-' || {ACCESS.format("order_id")}
    AND l.value ->> 'item' = split_part({ACCESS.format("item")}, '#', 1)"""
OF_QUOTA = ("quota commit", "quota release", "prepaid top-up", "prepaid refund", "prepaid show")
FOUND_FOR = {
    ("products bulk-change", "BA-1001"): f"{USED} ORDER BY 1",
    ("projections skip", "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1"): "SELECT group_key FROM projection.parked",
    ("payments deposit", "WEB-1001"): FELL.format("'CR-DEPOSIT'") + " ORDER BY f.opened_at",
    # One person declares void what one may credit: no more than 100.00.
    ("invoices void", "BA-1001-20260108"): """SELECT body ->> 'number' FROM o2c.event e WHERE type = 'invoice.issued'
        AND (body ->> 'total_minor')::int BETWEEN 1 AND 10000 AND (body ->> 'credit_used_minor')::int = 0
        AND NOT EXISTS (SELECT FROM o2c.event f WHERE f.stream = e.stream AND f.type
        IN ('payment.received', 'payment.part-received', 'credit-note.issued', 'invoice.put-on-instalments', 'invoice.voided')) ORDER BY position""",
    ("credit-notes approve", "BA-1001-20260108"): "SELECT substr(stream, 9) FROM o2c.event WHERE type = 'credit-note.requested'",
    ("numbers reserve", "WEB-1001"): FELL.format("ANY('{KYC-DOC,CR-REFER,CR-DEPOSIT}')") + " AND (SELECT count(*) FROM projection.items i"
    f" WHERE i.order_id = o.order_id AND i.offering IN ('{LINE.id}', '{SECOND_LINE.id}')) = 1 ORDER BY f.opened_at",
    ("orders amend", "WEB-1001"): "SELECT o.external_id FROM projection.items i JOIN projection.orders o USING (order_id)"
    " WHERE i.specification <> '' AND o.state IN ('inProgress', 'pending', 'held') AND NOT EXISTS (SELECT FROM o2c.event e"
    " WHERE e.stream = 'order-' || o.order_id AND e.type = 'activation.requested') ORDER BY o.captured_at DESC",
    ("orders assess", "WEB-1001"): "SELECT o.external_id FROM projection.items i JOIN projection.orders o USING (order_id)"
    " WHERE i.specification <> '' AND o.state IN ('inProgress', 'pending', 'held') ORDER BY o.captured_at DESC",
    **{
        (
            command,
            "WEB-1001",
        ): "SELECT o.external_id FROM projection.orders o WHERE o.state IN ('inProgress', 'pending', 'held') AND NOT EXISTS"
        " (SELECT FROM o2c.event e WHERE e.stream = 'order-' || o.order_id AND e.type = 'porting.requested') ORDER BY o.captured_at DESC"
        for command in ("orders suspend", "orders resume")
    },
    ("orders cancel", "WEB-1001"): "SELECT o.external_id FROM projection.items i JOIN projection.orders o USING (order_id)"
    " WHERE i.item = '2' AND i.specification <> '' AND i.state IN ('acknowledged', 'pending', 'held') ORDER BY i.captured_at",
    ("orders withdraw", "WEB-1001"): "SELECT external_id FROM projection.orders ORDER BY 1",
    **{
        (command, "BA-1001"): USED
        for command in ("allowances buy", "allowances show", "balance show", "limits show", "limits set", "limits agree", *OF_QUOTA)
    },
    ("quota reserve", "+447700900001"): "SELECT body ->> 'msisdn' FROM o2c.event WHERE type = 'number.assigned'",
    ("refunds request", "BA-1001"): "SELECT account FROM projection.balances WHERE credit_minor > 500 ORDER BY 1",
    **{
        ("refunds approve", word): f"SELECT body ->> '{name}' FROM o2c.event WHERE type = 'account.refund-wanted'"
        for word, name in (("BA-1001", "account"), ("BA-1001-R1", "refund"))
    },
    **{
        (
            f"payments {command}",
            "BA-1001-20260108",
        ): f"SELECT substr(stream, 9) FROM o2c.event WHERE type = '{name}' AND body ->> 'method' = 'card' ORDER BY 1"
        for command, name in (
            ("chargeback", "payment.received"),
            ("chargeback-won", "payment.charged-back"),
            ("move", "payment.received"),
            ("preview", "payment.received"),
        )
    },
    **{
        (
            command,
            "BA-1002-20260108",
        ): "SELECT invoice FROM projection.invoices WHERE state = 'overdue' AND currency = 'GBP' ORDER BY 1"
        for command in ("payments move", "payments preview")
    },
    **{
        (command, word): f"SELECT {name} FROM o2c.event WHERE type = '{event}' ORDER BY position"
        for command, event in (("refunds give-up", "refund.fell-out"), ("refunds paid", "refund.given-up"))
        for word, name in (("BA-1001", "regexp_replace(stream, '^refund-(.*)-R[0-9]+$', '\\1')"), ("BA-1001-R1", "substr(stream, 8)"))
    },
    ("instalments settle", "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"): "SELECT order_id FROM projection.orders",
    ("products history", "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1"): "SELECT product FROM projection.products ORDER BY 1",
    ("products notices", "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1"): "SELECT product FROM projection.products ORDER BY 1",
    ("products withdraw", "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1"): "SELECT product FROM projection.products ORDER BY 1",
    **{
        (
            f"returns {command}",
            "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1",
        ): "SELECT substr(stream, 12) FROM o2c.event WHERE type = 'withdrawal.declared'"
        for command in ("show", "sent", "grade")
    },
    (
        "products porting-code",
        "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1",
    ): f"SELECT product {IN_SERVICE} ORDER BY 1",
    ("products lock", "+447700900123"): f"SELECT msisdn {IN_SERVICE}",
    ("products transfer", "+447700900123"): f"SELECT msisdn {IN_SERVICE} ORDER BY 1",
    ("products transfer", "C-1002"): "SELECT substr(stream, 10) AS customer FROM o2c.event WHERE type = 'customer.registered'"
    f" AND substr(stream, 10) <> (SELECT customer_id {IN_SERVICE} ORDER BY msisdn LIMIT 1) ORDER BY 1",
    ("products switch-match", "Ada Example"): ACCESS_NAME,
    ("products switch-match", "1 Mill Lane, Testford, ZZ1 1AA"): ACCESS_PLACE,
    (
        "products switch",
        "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1",
    ): "SELECT substr(stream, 9) FROM o2c.event WHERE type = 'switch-out.matched'",
    (
        "products switch",
        "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1",
    ): "SELECT body ->> 'reference' FROM o2c.event WHERE type = 'switch-out.matched'",
    (
        "products port-out",
        "+447700900123",
    ): f"SELECT (SELECT msisdn FROM projection.products p WHERE 'product-' || p.product = e.stream) {CODED}",
    ("products port-out", "EXO123456"): f"SELECT personal ->> 'code' {CODED}",
    ("products port-out-cancel", "+447700900123"): "SELECT body ->> 'msisdn' FROM o2c.event WHERE type = 'port-out.authorised'",
    ("ports cancel", "WEB-1001"): FELL.format("ANY('{NP-CODE,NP-NOTPORT}')") + " AND f.item = '1' ORDER BY f.opened_at",
    ("collections plan", "BA-1001"): f"SELECT account {LAST_OWING} LIMIT 1",
    ("collections plan", "2026-03-27=5.00"): f"SELECT '2026-03-27=' || round(sum({OPEN}) / 100.0 - 5, 2) {LAST_OWING} LIMIT 1",
    ("collections promise", "BA-1001"): "SELECT account FROM projection.invoices WHERE state = 'overdue' ORDER BY issued_on",
    ("events find", "WEB-1001"): FELL.format("ANY('{NP-CODE,NP-NOTPORT}')") + " ORDER BY f.opened_at",
}
"""Where a command asks for more than that the thing exists."""
