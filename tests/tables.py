"""The tables of the store, as the store itself names them: a table that a migration adds is saved, compared and emptied without being listed anywhere."""

from typing import Any

from psycopg import Connection
from psycopg.rows import tuple_row

# Rows about the cluster, its schema and shapes of projections, which stay when a log is emptied or set again.
_OF_THE_CLUSTER = ("migration", "incarnation", "projection_shape", "policy_checkpoint", "clock")


def tables(connection: Connection[Any]) -> tuple[str, ...]:
    """Every table of the schema `o2c`, in alphabetical order."""
    named = "SELECT relname FROM pg_class WHERE relnamespace = 'o2c'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
    return tuple(str(name) for (name,) in connection.cursor(row_factory=tuple_row).execute(named))


def of_the_log(connection: Connection[Any]) -> tuple[str, ...]:
    """Those that commands write to."""
    return tuple(name for name in tables(connection) if name not in _OF_THE_CLUSTER)


def empty_log(connection: Connection[Any]) -> None:
    """Take every row that a command wrote, and leave the store as it was made."""
    connection.execute("SET session_replication_role = replica")
    connection.execute("TRUNCATE {}".format(", ".join(f"o2c.{name}" for name in of_the_log(connection))).encode())
