"""Whether the bureau was asked once while its answer held, and its limits were kept over all orders of a customer, told from the log alone."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from o2c.engine.app import Engine
from tests.fates import Claim

_SEARCHES = """SELECT count(*) AS searches, count(DISTINCT stream) AS customers,
        count(*) FILTER (WHERE held::timestamptz > occurred_at AND applicant = before) AS needless
    FROM (SELECT stream, occurred_at, personal->>'applicant' AS applicant, lag(personal->>'applicant') OVER w AS before,
            lag(body->>'expires_at') OVER w AS held
        FROM o2c.event WHERE type = 'credit.decided' WINDOW w AS (PARTITION BY stream, body->>'currency' ORDER BY position)) AS d"""
_REUSED = "SELECT count(*) AS n FROM o2c.event WHERE type IN ('credit.approved', 'credit.fell-out') AND body->>'reused_from' <> ''"
_COMMITMENTS = """SELECT c.stream, c.type, c.occurred_at::date::text AS day, c.body->>'order' AS of, (c.body->>'committed_minor')::bigint AS amount,
        c.body->>'committed_to' AS runs_to, (c.body->>'released_minor')::bigint AS released, a.body->>'decided_by' AS by,
        (a.body->>'limit_minor')::bigint AS most
    FROM o2c.event c LEFT JOIN o2c.event a ON a.stream = 'order-' || (c.body->>'order') AND a.type = 'credit.approved'
    WHERE c.type IN ('credit.decided', 'credit.committed', 'credit.released') ORDER BY c.stream, c.position"""


def claims(app: Engine) -> Iterator[Claim]:
    """One claim on searches, one on limits."""
    [searched], [reused] = app.reads.rows(_SEARCHES), app.reads.rows(_REUSED)
    figures = f"{searched['searches']} searches for {searched['customers']} customers, {reused['n']} decisions reused, {searched['needless']} needless"
    yield Claim("no search is made while a decision holds", not searched["needless"] and searched["searches"] > 0, figures)
    customers = [(stream, list(rows)) for stream, rows in groupby(app.reads.rows(_COMMITMENTS), key=lambda row: row["stream"])]
    under = [row for _, rows in customers for row in rows if row["most"] and row["amount"]]
    beyond = [stream for stream, rows in customers if any(_beyond(rows))]
    figures = f"{len(under)} orders approved under a limit, {len(beyond)} customers beyond theirs" + (
        f", first {beyond[0]}" if beyond else ""
    )
    yield Claim("limits are kept over all orders of a customer", not beyond, figures)


def _beyond(rows: list[dict[str, Any]]) -> Iterator[bool]:
    """Whether each approval by the bureau under a limit went beyond it, with all that ran on its day."""
    running: dict[str, tuple[int, str]] = {}
    for row in rows:
        if row["type"] == "credit.released":
            amount, runs_to = running[row["of"]]
            running[row["of"]] = (amount - row["released"], runs_to)
        elif row["amount"]:
            running[row["of"]] = (row["amount"], row["runs_to"])
            if row["by"] == "bureau" and row["most"]:
                yield sum(amount for amount, runs_to in running.values() if runs_to > row["day"]) > row["most"]
