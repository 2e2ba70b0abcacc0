"""Where the money is that came: on invoices, with the accounts of customers, or paid back."""

from __future__ import annotations

import json

from o2c.checks.server import Question, one
from o2c.markets.registry import HOME, current, zones
from o2c.store.connection import Connection
from o2c.store.queries import ONE_SNAPSHOT
from projections import closings as closings_of
from projections import postings

SHOWN_MAX = 3

_MISPLACED = """WITH held AS (
        SELECT stream, type, command_id, body, (body->>'amount_minor')::bigint AS amount, coalesce((body->>'of_owed_minor')::bigint, 0) AS of_owed,
            coalesce((body->>'of_credit_minor')::bigint, 0) * CASE type WHEN 'account.refund-released' THEN -1 ELSE 1 END AS of_credit
        FROM o2c.event WHERE type = ANY(ARRAY['account.deposit-kept', 'account.deposit-freed', 'account.credit-received',
            'account.credit-taken-back', 'account.credit-used', 'account.money-returned', 'account.refund-released', 'account.refund-reserved',
            'account.compensated', 'account.goodwill-given', 'account.prepaid-owed'])),
    flaw AS (
        SELECT stream, 'gave more than it held' AS flaw FROM held GROUP BY stream
        HAVING coalesce(sum(CASE WHEN type IN ('account.credit-received', 'account.compensated', 'account.goodwill-given') OR body->>'becomes' = 'credit' THEN amount
                WHEN type IN ('account.credit-used', 'account.credit-taken-back', 'account.money-returned') THEN of_owed - amount ELSE -of_credit END), 0) < 0
            OR coalesce(sum(CASE WHEN body->>'becomes' = 'owed' OR type = 'account.prepaid-owed' THEN amount ELSE of_credit - of_owed END), 0) < 0
        UNION ALL
        SELECT e.stream, 'has ' || (e.body->>'credit_minor') || ' too much, which no account holds' FROM o2c.event e
        LEFT JOIN held h ON h.type = 'account.credit-received' AND h.command_id = e.command_id AND 'invoice-' || (h.body->>'invoice') = e.stream
        WHERE e.type IN ('payment.received', 'credit-note.issued', 'invoice.voided') AND (e.body->>'credit_minor')::bigint > 0 AND h.amount IS DISTINCT FROM (e.body->>'credit_minor')::bigint
        UNION ALL
        SELECT e.stream, 'gave back ' || (e.body->>'amount_minor') || ' of prepaid money, which its account does not owe' FROM o2c.event e
        LEFT JOIN held h ON h.type = 'account.prepaid-owed' AND h.command_id = e.command_id AND h.body->>'account' = e.body->>'account'
        WHERE e.type = 'prepaid.returned' GROUP BY e.stream, e.event_id, e.body
        HAVING coalesce(sum(h.amount), 0) <> (e.body->>'amount_minor')::bigint - (e.body->>'fee_minor')::bigint
        UNION ALL
        SELECT e.stream, 'took back a credit of ' || (e.body->>'of_credit_minor') || ', which its account did not give' FROM o2c.event e
        LEFT JOIN held h ON h.type = 'account.credit-taken-back' AND h.command_id = e.command_id AND 'invoice-' || (h.body->>'invoice') = e.stream
        WHERE e.type IN ('payment.charged-back', 'payment.moved', 'payment.refund-reclaimed') AND (e.body->>'of_credit_minor')::bigint IS DISTINCT FROM coalesce(h.amount, 0)
        UNION ALL
        SELECT e.stream, 'gave ' || (e.body->>'amount_minor') || ' to ' || (e.body->>'to_invoice') || ', where it did not come' FROM o2c.event e
        LEFT JOIN o2c.event t ON t.type IN ('payment.received', 'payment.part-received') AND t.command_id = e.command_id
            AND t.stream = 'invoice-' || (e.body->>'to_invoice') AND 'invoice-' || (t.body->>'moved_from') = e.stream
        WHERE e.type = 'payment.moved' AND (t.body->>'amount_minor')::bigint IS DISTINCT FROM (e.body->>'amount_minor')::bigint
        UNION ALL
        SELECT e.stream, 'has a deposit of ' || (e.body->>'amount_minor') || ', which no account holds' FROM o2c.event e
        LEFT JOIN held h ON h.type = 'account.deposit-kept' AND h.command_id = e.command_id AND 'order-' || (h.body->>'order') = e.stream
        WHERE e.type = 'deposit.received' AND e.schema_version > 1 AND h.amount IS DISTINCT FROM (e.body->>'amount_minor')::bigint
        UNION ALL
        SELECT e.stream, 'is covered by ' || (e.body->>'credit_used_minor') || ' of credit, which its account did not give' FROM o2c.event e
        LEFT JOIN held h ON h.type = 'account.credit-used' AND h.command_id = e.command_id AND h.body->>'invoice' = e.body->>'number'
        WHERE e.type = 'invoice.issued' AND coalesce((e.body->>'credit_used_minor')::bigint, 0) IS DISTINCT FROM coalesce(h.amount, 0))
    SELECT *, count(*) OVER () AS n FROM flaw ORDER BY stream LIMIT %s"""
"""The accounts that gave more than they held, and money that came, or covers an invoice, without its counterpart on an account.

Payments and deposits of earlier schemas came before accounts held any. Parameter: how many at most; `n` is how many there are in all.
"""

_SUMS = """WITH bill AS (
        SELECT stream, coalesce(sum((body->>'total_minor')::bigint) FILTER (WHERE type = 'invoice.issued'), 0)
                - coalesce(sum((body->>'of_open_minor')::bigint), 0) - coalesce(sum(back.noted), 0) AS total, coalesce(sum((body->>'credit_used_minor')::bigint), 0) AS used,
            coalesce(sum((body->>'amount_minor')::bigint * back.sign), 0) AS paid,
            coalesce(sum((body->>'credit_minor')::bigint) FILTER (WHERE type = 'payment.received'), 0) - coalesce(sum((body->>'above_minor')::bigint), 0) AS over,
            coalesce(sum((body->>'credit_minor')::bigint) FILTER (WHERE type <> 'payment.received'), 0) - coalesce(sum(back.noted), 0) AS noted
        FROM o2c.event CROSS JOIN LATERAL (SELECT CASE WHEN type IN ('payment.charged-back', 'payment.moved', 'payment.refund-reclaimed') THEN -1 ELSE 1 END AS sign,
            (body->>'of_credit_minor')::bigint - (body->>'above_minor')::bigint AS noted) back
        WHERE type IN ('invoice.issued', 'payment.received', 'payment.part-received', 'payment.charged-back', 'payment.moved', 'payment.refund-reclaimed', 'credit-note.issued', 'invoice.voided',
            'invoice.put-on-instalments')
        GROUP BY stream),
    invoiced AS (
        SELECT coalesce(sum(paid), 0)::bigint AS paid, coalesce(sum(least(paid - over, total - used) + used), 0)::bigint AS settled,
            coalesce(sum(greatest(paid - over - (total - used), 0)), 0)::bigint AS unclaimed,
            coalesce(sum(noted), 0)::bigint AS noted FROM bill),
    held AS (
        SELECT coalesce(sum((body->>'amount_minor')::bigint) FILTER (WHERE type = 'deposit.received'), 0)::bigint AS deposited,
            coalesce(sum((body->>'amount_minor')::bigint) FILTER (WHERE type = 'deposit.received' AND schema_version = 1), 0)::bigint AS unkept,
            coalesce(sum((body->>'amount_minor')::bigint) FILTER (WHERE type = 'account.money-returned'), 0)::bigint AS returned,
            coalesce(sum((body->>'amount_minor')::bigint) FILTER (WHERE type IN ('account.compensated', 'account.goodwill-given')), 0)::bigint AS compensated,
            coalesce(sum((body->>'amount_minor')::bigint) FILTER (WHERE type = 'account.prepaid-owed'), 0)::bigint AS unused,
            coalesce(sum((body->>'amount_minor')::bigint * CASE type WHEN 'account.credit-received' THEN 1 WHEN 'account.compensated' THEN 1 WHEN 'account.goodwill-given' THEN 1 WHEN 'account.prepaid-owed' THEN 1 WHEN 'account.deposit-kept' THEN 1
                WHEN 'account.credit-used' THEN -1 WHEN 'account.credit-taken-back' THEN -1 WHEN 'account.money-returned' THEN -1 ELSE 0 END), 0)::bigint AS held
        FROM o2c.event WHERE type = 'deposit.received' OR (starts_with(type, 'account.') AND jsonb_exists(body, 'amount_minor')))
    SELECT paid + deposited + unused AS came, noted + compensated AS noted, settled, held, returned, unclaimed + unkept AS earlier FROM invoiced, held"""
"""What came and was not charged back (of prepaid money, what its customer got back unused), what notes gave back of it and customers were
compensated with, and where it is, in minor units: on invoices, with accounts, paid back. `earlier` came before accounts held any. No
parameters."""

_MADE = "SELECT to_regclass('projection.closings') IS NOT NULL AND to_regclass('projection.postings') IS NOT NULL AS made"
"""Whether the tables of the books were made. No parameters."""

EVERY_POSITION = 2**63 - 1


def _closed(conn: Connection) -> tuple[bool, str]:
    """Whether the accounts at the end of the last closed day are still what they were when it was closed."""
    if not one(conn, _MADE)["made"]:
        return True, "no books were made yet; the first reading command makes them"
    with conn.transaction():
        conn.execute(ONE_SNAPSHOT)
        closings = conn.execute(closings_of.LISTED, (1,)).fetchall()
        if not closings:
            return True, "no day is closed"
        day, home = closings[0]["closed_on"], current(HOME, closings[0]["closed_on"]).zone
        told = {"on": day, "earned_by": day, "upto": EVERY_POSITION, "at": None, "zones": json.dumps(zones()), "home": home}
        rows = conn.execute(postings.SUMS.encode(), told).fetchall()
    stand = {(row["ledger_account"], row["currency"]): row["balance_minor"] for row in rows if row["balance_minor"]}
    stood = {(total["ledger_account"], total["currency"]): total["balance_minor"] for total in closings[0]["totals"]}
    wrong = sorted(key for key in stand.keys() | stood.keys() if stand.get(key) != stood.get(key))
    if not wrong:
        return True, f"closed up to {day}; {len(stood)} accounts stand as they did"
    name, currency = wrong[0]
    return (
        False,
        f"{name} at the end of {day} is {stand.get(wrong[0], 0):,}, was closed as {stood.get(wrong[0], 0):,} {currency} minor units",
    )


def _accounted(conn: Connection) -> tuple[bool, str]:
    with conn.transaction():
        conn.execute(ONE_SNAPSHOT)
        flaws = conn.execute(_MISPLACED, (SHOWN_MAX,)).fetchall()
        money = one(conn, _SUMS)
    if flaws:
        more = f" and {flaws[0]['n'] - len(flaws):,} more" if flaws[0]["n"] > len(flaws) else ""
        return False, "; ".join(f"{row['stream']}: {row['flaw']}" for row in flaws) + more
    earlier = f" + {money['earlier']:,} from before accounts held money" if money["earlier"] else ""
    places = f"on invoices {money['settled']:,} + held for customers {money['held']:,} + paid back {money['returned']:,}{earlier}"
    noted = f" + given back by notes {money['noted']:,}" if money["noted"] else ""
    good = money["came"] + money["noted"] == money["settled"] + money["held"] + money["returned"] + money["earlier"]
    return good, f"came {money['came']:,}{noted} {'=' if good else 'is not'} {places} minor units"


ABOUT_MONEY: dict[str, Question] = {"money that came is accounted for": _accounted, "closed books stand as they were closed": _closed}
"""The questions where the money is, and whether closed books stand, by the names of their checks."""
