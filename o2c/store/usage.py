"""The table of usage records. Whoever adds to it holds its lock, so that the places of records grow in the order in which they are
committed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from o2c.kernel.records import RecordsWanted, UsageRecord
from o2c.store.connection import Connection
from o2c.store.reads import Reads

COLUMNS = (
    *("source", "key", "sequence", "file", "party", "other", "kind", "started_at", "quantity", "unit", "zone", "band", "country"),
    *("account", "owner", "waits_for", "placed_by"),
)
_LISTED = ", ".join(COLUMNS)

_TURN = "LOCK TABLE o2c.usage_record IN SHARE UPDATE EXCLUSIVE MODE"
"""Wait until nobody else adds records; reading and writing of rows goes on. The first statement of a transaction that adds some. No
parameters."""

_STAGE = "CREATE TEMP TABLE IF NOT EXISTS usage_staged (LIKE o2c.usage_record EXCLUDING ALL) ON COMMIT DELETE ROWS"
"""Make the table of this session into which records are copied first. No parameters."""

_STAGE_PLACE = "ALTER TABLE usage_staged ALTER COLUMN id DROP NOT NULL, ALTER COLUMN looks DROP NOT NULL"
"""Let staged records have no place yet, and no number of looks. No parameters."""

_COPY = f"COPY usage_staged ({_LISTED}) FROM STDIN"
"""Copy records in. No parameters."""

_TAKE = f"""INSERT INTO o2c.usage_record ({_LISTED}, waits_since, look_at) SELECT {_LISTED}, w.at, w.at FROM usage_staged
    LEFT JOIN (SELECT %s::timestamptz AS at) w ON account = '' ON CONFLICT (source, key) DO NOTHING"""
"""Take those of the staged records that are not there yet, in the order in which they came. Parameter: now, from which those of nobody
wait."""

_PART_OF_SESSION = "SELECT file, account FROM o2c.usage_record WHERE source = %s AND key = %s"
"""Which file, or which request of a session, a record came with, and whose it is. Parameters: source, key."""

_ADD = (
    f"INSERT INTO o2c.usage_record ({_LISTED}) VALUES ({', '.join(f'%({name})s' for name in COLUMNS)}) ON CONFLICT (source, key) DO NOTHING"
)
"""Add one record unless it is there. Parameters, by name: the columns."""

OF_ACCOUNT = """SELECT id, owner, kind, zone, band, started_at, quantity, unit, source, key, placed_by FROM o2c.usage_record
    WHERE account = %(account)s AND started_at < %(before)s AND (id > %(through)s OR started_at >= %(since)s) ORDER BY id"""
"""The records of an account of what was used before a time, but for those up to a place of what was used before another.

Parameters, by name: account, before, through, since.
"""

OF_FILE = """SELECT count(*) AS records, count(*) FILTER (WHERE account = '') AS suspense, min(started_at) AS first_at, max(started_at) AS last_at
    FROM o2c.usage_record WHERE file = %s"""
"""How many records a file brought, how many of them are in suspense, and when the first and the last began. Parameter: the file's hash."""

SUSPENSE_OF_FILE = "SELECT waits_for AS why, count(*) AS n FROM o2c.usage_record WHERE file = %s AND account = '' GROUP BY 1 ORDER BY 1"
"""Why records of a file are in suspense, and how many for each reason. Parameter: the file's hash."""

LATE_OF_FILE = """SELECT count(*) AS n FROM o2c.usage_record r JOIN unnest(%s::text[], %s::timestamptz[]) AS b (account, billed)
    ON r.account = b.account AND r.started_at < b.billed WHERE r.file = %s"""
"""How many records of a file are for days that were billed before. Parameters: arrays of accounts and of the times up to which their usage
was billed, the file's hash."""

OLD_COUNT = "SELECT count(*) AS n FROM o2c.usage_record WHERE started_at < %s"
"""How many records there are of what was used before a time. Parameter: the time."""

GAPS = """SELECT source, before + 1 AS missing_from, sequence - 1 AS missing_to FROM (
        SELECT source, sequence, lag(sequence) OVER (PARTITION BY source ORDER BY sequence) AS before FROM o2c.usage_record
        WHERE sequence IS NOT NULL AND (%(sources)s::text[] IS NULL OR source = ANY(%(sources)s))
    ) s WHERE sequence > before + 1 ORDER BY source, sequence LIMIT %(limit)s"""
"""The numbers missing in the sequences of sources, each as a range. Parameters, by name: sources (NULL for all), limit."""

WAITING = """SELECT id, source, key, party, other, zone, started_at, country FROM o2c.usage_record
    WHERE account = '' AND (look_at <= %(now)s OR party = ANY(%(parties)s)) AND id > %(after)s ORDER BY id LIMIT %(limit)s"""
"""Records in suspense after a place that are due to be looked at, or are of some parties, the first that came first. Parameters, by name:
now, parties, after, limit."""

_ANY_WAITING = "SELECT EXISTS (SELECT FROM o2c.usage_record WHERE account = '') AS so"
"""Whether any record is in suspense. No parameters."""

_LOOKED_TO = "SELECT position, o2c.horizon() AS horizon FROM (SELECT 1) one LEFT JOIN o2c.usage_look ON true"
"""Up to where the log was read for records in suspense (NULL: never), and up to where it can be read. No parameters."""

_OWNED_SINCE = """SELECT type, CASE type WHEN 'product.changed' THEN 'number-' || (body -> 'standing' -> 'holds' ->> 'msisdn') ELSE stream END AS stream,
        body ->> 'order' AS "order", body ->> 'account' AS account FROM o2c.event
    WHERE position >= %s AND position < %s AND type IN ('number.taken', 'number.brought-in', 'account.charge-started', 'product.changed')
        AND (type <> 'product.changed' OR body -> 'standing' -> 'holds' ? 'msisdn')"""
"""What makes a number, a line or an account somebody's that is charged, from a position up to, not including, another: a number too that an
order gave to a product. Parameters: both."""

_NUMBERS_OF = """SELECT DISTINCT stream FROM o2c.event WHERE order_id = ANY(%s::uuid[]) AND type IN ('number.taken', 'number.brought-in')"""
"""The streams of the numbers that orders took. Parameter: the orders."""

_LOOKED = """INSERT INTO o2c.usage_look AS l (position) VALUES (%s)
    ON CONFLICT (one) DO UPDATE SET position = excluded.position WHERE l.position < excluded.position"""
"""Note up to where the log was read for records in suspense. Parameter: that position."""

_PUT_OFF = """UPDATE o2c.usage_record SET looks = least(looks + 1, 30), look_at = %(now)s + interval '1 day' * least(2 ^ looks, %(most)s)
    WHERE account = '' AND look_at <= %(now)s"""
"""Put off the next look at the records in suspense that were due: a day, and twice as long each time. Parameters, by name: now, most
(days)."""

_RESOLVE = """UPDATE o2c.usage_record r SET id = DEFAULT, zone = n.zone, band = n.band, account = n.account, owner = n.owner, waits_for = '',
        placed_by = n.placed_by, look_at = NULL
    FROM unnest(%(sources)s::text[], %(keys)s::text[], %(zones)s::text[], %(bands)s::text[], %(accounts)s::text[], %(owners)s::text[],
        %(placed)s::text[]) AS n (source, key, zone, band, account, owner, placed_by)
    WHERE r.source = n.source AND r.key = n.key AND r.account = ''"""
"""Give records in suspense to those whose they are, each in a new place: no bill that was made before has it. Parameters, by name: arrays
of the columns."""

_PURGE = """DELETE FROM o2c.usage_record WHERE started_at < %(before)s AND (account = '' OR EXISTS (
        SELECT FROM unnest(%(accounts)s::text[], %(through)s::bigint[], %(billed)s::timestamptz[]) AS b (account, through, billed)
        WHERE b.account = usage_record.account AND usage_record.id <= b.through AND usage_record.started_at < b.billed))"""
"""Delete records of what was used before a time: those in suspense, and those that bills have taken. Parameters, by name: before, and
arrays of accounts with the place and the time up to which bills took their records."""

OLD_ACCOUNTS = "SELECT DISTINCT account FROM o2c.usage_record WHERE started_at < %s AND account <> ''"
"""The accounts with records of what was used before a time. Parameter: the time."""

_QUOTA = "quota/"
"""How the place of a file begins where a record came with a request of a session."""
_NO_TIME = datetime.fromisoformat("0001-01-02T00:00:00+00:00")

HOLDERS = """SELECT stream, type, occurred_at, body ->> 'order' AS "order", body ->> 'item' AS item FROM o2c.event
    WHERE stream = ANY(%s) AND type IN ('number.taken', 'number.brought-in', 'number.quarantined', 'number.rested', 'number.returned')
    ORDER BY stream, version"""
"""When numbers were taken by a line, and when they were given back. Parameter: the streams of the numbers."""

CHANGED = """SELECT substr(c.stream, 9) AS product, c.body ->> 'order' AS "order", c.body ->> 'item' AS item
    FROM o2c.event c WHERE c.type IN ('product.changed', 'product.resumed') AND c.stream IN (
        SELECT p.stream FROM o2c.event p WHERE p.order_id = ANY(%s::uuid[]) AND p.type IN ('product.started', 'product.changed'))"""
"""The items of orders that changed a product, or let it serve again: of those products that some orders brought or changed. Parameter: the
orders."""

_CHARGE = """SELECT type, body ->> 'order' AS "order", body ->> 'item' AS item, body ->> 'account' AS account, body ->> 'market' AS market,
        body ->> 'product' AS product, body ->> 'starts_on' AS starts_on, body ->> 'ended_on' AS ended_on,
        coalesce(body -> 'terms' ->> 'usage_version', '0') <> '0' AS metered FROM o2c.event"""
"""What charges say that begin or end, each with whether it has prices of usage. To be narrowed. No parameters."""

CHARGED = f"""{_CHARGE} WHERE type = 'account.charge-started' AND order_id = ANY(%s::uuid[]) AND body ->> 'offering' <> ALL(%s) ORDER BY position"""
"""What of orders is charged, to which account and from when, under which market, and the product that it is of (empty: its own).
Parameters: the orders, and the names of what is charged and serves nothing, such as the early end of a contract."""

CHARGED_ON = f"""{_CHARGE} WHERE type IN ('account.charge-started', 'account.charge-withdrawn') AND stream = ANY(%s)
    AND coalesce(body ->> 'offering', '') <> ALL(%s) ORDER BY position"""
"""What is charged to accounts, as above, and what is no more, from when: the first one first. Parameters: the streams of the accounts, and
those names."""

LISTED = """SELECT id, source, key, sequence, file, party, other, kind, started_at, quantity::text, unit, zone, band, account, owner, waits_for,
        waits_since, look_at, placed_by FROM o2c.usage_record WHERE (%(account)s = '' OR account = %(account)s) AND (NOT %(suspense)s OR account = '')
        AND (%(file)s = '' OR file = %(file)s) ORDER BY id OFFSET %(offset)s LIMIT %(limit)s"""
"""Records in the order of their places. Parameters, by name: account and file (empty for any), suspense, offset, limit."""

LISTED_COUNT = """SELECT count(*) AS n FROM o2c.usage_record WHERE (%(account)s = '' OR account = %(account)s) AND (NOT %(suspense)s OR account = '')
    AND (%(file)s = '' OR file = %(file)s)"""
"""How many records there are of those. Parameters, by name: account, suspense, file."""


@contextmanager
def adding(conn: Connection) -> Iterator[None]:
    """A short transaction in which this connection alone adds records."""
    with conn.transaction():
        conn.execute(_TURN)
        yield


def staged(conn: Connection) -> None:
    """Make the session's table for records that are copied in, unless it is there."""
    conn.execute(_STAGE)
    conn.execute(_STAGE_PLACE)


def add(conn: Connection, text: bytes, now: datetime) -> int:
    """Copy records in, as lines of COPY's text format with the columns COLUMNS, and take those that are new; how many were. Needs `adding`.

    Those of nobody wait from `now` on, and are due to be looked at: what they wait for may have come since somebody looked whose they are.
    """
    with conn.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            copy.write(text)
        return cursor.execute(_TAKE, (now,)).rowcount


def add_part(conn: Connection, record: Mapping[str, Any], *, session: str, request: int) -> None:
    """Add what one request of a session used, once. Needs `adding`.

    The first part has the session as its key, as the network's own record of the whole session has, so that whichever comes second is
    passed over; later parts have the number of their request in it. Where the network's record is there already, it has all that was used.
    """
    mine, source = f"{_QUOTA}{request}", record["source"]
    row = conn.execute(_PART_OF_SESSION, (source, session)).fetchone()
    if row is None:
        key = session
    elif row["account"] not in ("", record["account"]):
        key = f"{record['account']}/{session}/{request}"  # another account's network uses the same name
    elif row["file"].startswith(_QUOTA) and row["file"] != mine:
        key = f"{session}/{request}"
    else:
        return
    conn.execute(_ADD, {**record, "key": key, "file": mine})


def resolve(conn: Connection, rows: Sequence[Mapping[str, str]]) -> int:
    """Give records in suspense (source, key, zone, band, account, owner, placed_by) to those whose they are; how many. Needs `adding`."""
    names = {
        "sources": "source",
        "keys": "key",
        "zones": "zone",
        "bands": "band",
        "accounts": "account",
        "owners": "owner",
        "placed": "placed_by",
    }
    return conn.execute(_RESOLVE, {column: [row[name] for row in rows] for column, name in names.items()}).rowcount


def owned_since(reads: Reads) -> tuple[list[str], int] | None:
    """The numbers (E.164) and accounts that became somebody's who is charged since the log was read for records in suspense, and up to
    where it was read now; None where no record waits for any."""
    [looked], [waits] = reads.rows(_LOOKED_TO), reads.rows(_ANY_WAITING)
    if not waits["so"]:
        return None
    rows = reads.rows(_OWNED_SINCE, looked["position"], looked["horizon"]) if looked["position"] is not None else []
    charged = [row for row in rows if row["type"] == "account.charge-started"]
    numbers = [row["stream"] for row in rows if row["type"] != "account.charge-started"]
    numbers += [row["stream"] for row in reads.rows(_NUMBERS_OF, sorted({row["order"] for row in charged}))] if charged else []
    return sorted({*(name.removeprefix("number-") for name in numbers), *(row["account"] for row in charged)}), looked["horizon"]


def looked(conn: Connection, position: int, now: datetime, most_days: int) -> None:
    """Note that all records in suspense that were due were looked at, and up to where the log was read for them."""
    with conn.transaction():
        conn.execute(_LOOKED, (position,))
        conn.execute(_PUT_OFF, {"now": now, "most": most_days})


def purge(conn: Connection, before: datetime, billed: Iterable[tuple[str, int, datetime]]) -> int:
    """Delete the records of what was used before a time that are in suspense or that bills took (account, place, time); how many."""
    accounts, through, times = map(list, zip(*found, strict=True)) if (found := list(billed)) else ([], [], [])
    return conn.execute(_PURGE, {"before": before, "accounts": accounts, "through": through, "billed": times}).rowcount


def of_account(reads: Reads, wanted: RecordsWanted) -> tuple[UsageRecord, ...]:
    """The records that are wanted, in the order of their places."""
    rows = reads.rows(
        OF_ACCOUNT, account=wanted.account, before=wanted.before, through=wanted.through, since=wanted.billed_before or _NO_TIME
    )
    return tuple(_record(row) for row in rows)


def read_of_account(conn: Connection, wanted: RecordsWanted) -> Iterator[UsageRecord]:
    """The same on a connection, in the snapshot of its transaction."""
    told = {"account": wanted.account, "before": wanted.before, "through": wanted.through, "since": wanted.billed_before or _NO_TIME}
    return map(_record, conn.execute(OF_ACCOUNT, told).fetchall())


def _record(row: dict[str, Any]) -> UsageRecord:
    shown = {name: row[name] for name in ("id", "owner", "zone", "band", "started_at", "quantity", "unit", "placed_by")}
    return UsageRecord(**shown, usage=row["kind"], mark=f"{row['source']}/{row['key']}")
