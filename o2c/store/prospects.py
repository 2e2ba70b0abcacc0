"""The keys under which what is personal in journeys is sealed: made once a market and day, and gone with the event that says so."""

from __future__ import annotations

from collections.abc import Sequence

from eventsourcing.postgres import PostgresDatastore

KEY_BYTES = 32

_MAKE = "INSERT INTO o2c.prospect_key (key, secret) VALUES (%s, %s) ON CONFLICT DO NOTHING"
"""Make a key, unless there is one of the name. Parameters: its name, its secret."""

_OF_NAMES = "SELECT key, secret FROM o2c.prospect_key WHERE key = ANY(%s)"
"""The secrets of keys that are there. Parameter: their names."""

_OF_MARKET = "SELECT key, secret FROM o2c.prospect_key WHERE starts_with(key, %s) ORDER BY key DESC"
"""The secrets of a market's keys, the newest first. Parameter: the market's code and a dash."""


def make_key(datastore: PostgresDatastore, key: str, secret: bytes) -> None:
    """Make a key under a name; one that is there stays."""
    with datastore.get_connection() as conn:
        conn.execute(_MAKE, (key, secret))


def keys_named(datastore: PostgresDatastore, names: Sequence[str]) -> dict[str, bytes]:
    """The secrets of keys by their names, of those that are not gone."""
    return _secrets(datastore, _OF_NAMES, list(names))


def keys_of(datastore: PostgresDatastore, market: str) -> dict[str, bytes]:
    """The secrets of the keys of a market (its code) by their names, the newest first."""
    return _secrets(datastore, _OF_MARKET, f"{market}-")


def _secrets(datastore: PostgresDatastore, sql: str, parameter: object) -> dict[str, bytes]:
    with datastore.get_connection() as conn:
        rows = conn.execute(sql.encode(), (parameter,)).fetchall()
    return {row["key"]: bytes(row["secret"]) for row in rows}
