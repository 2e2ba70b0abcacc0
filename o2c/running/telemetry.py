"""The store in Prometheus figures: gauges that are read at each scrape, beside the counts that this program keeps of its own appends.

Every figure comes from one snapshot by index or from small tables; the log itself is counted only from the checkpoints on. A figure that
cannot be read is left out, never shown as 0; `o2c_store_up` says whether the store answered.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry, generate_latest, start_http_server, write_to_textfile
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from o2c.store.horizon import HOLDERS, SEES
from o2c.store.meters import instruments
from o2c.store.queries import ONE_SNAPSHOT

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
STATEMENT_TIMEOUT_MS = 5_000
Rows = Sequence[Mapping[str, Any]]

_LOG = """SELECT coalesce((SELECT max(position) FROM o2c.event WHERE position < o2c.horizon()), 0)::float8 AS position,
    coalesce(nullif(c.reltuples, -1), pg_stat_get_live_tuples(c.oid))::float8 AS events,
    (SELECT count(*) FROM o2c.incarnation)::float8 AS incarnations
    FROM pg_class c WHERE c.oid = 'o2c.event'::regclass"""
"""The last position that readers see, about how many events there are, and how many lives the log has had."""

# Each event behind a checkpoint is counted once, however many projections wait for it: the stretches between checkpoints, summed up.
_LAG = """WITH bound AS MATERIALIZED (SELECT o2c.horizon() AS h),
    place AS (SELECT position, lead(position) OVER (ORDER BY position) AS upto FROM (SELECT DISTINCT position FROM projection.checkpoint) d),
    stretch AS (SELECT place.position, (SELECT count(*) FROM o2c.event e WHERE e.position > place.position
        AND e.position < (SELECT h FROM bound) AND (place.upto IS NULL OR e.position <= place.upto)) AS events FROM place),
    behind AS (SELECT position, sum(events) OVER (ORDER BY position DESC) AS events FROM stretch)
    SELECT c.name AS projection, b.events::float8 AS events, (SELECT count(DISTINCT group_key) FROM projection.parked p WHERE p.name = c.name)::float8 AS parked,
        CASE WHEN b.events > 0 THEN greatest(extract(epoch FROM clock_timestamp() - (
            SELECT recorded_at FROM o2c.event e WHERE e.position > c.position ORDER BY e.position LIMIT 1)), 0) ELSE 0 END::float8 AS seconds
    FROM projection.checkpoint c JOIN behind b USING (position)"""
"""For each projection: how many readable events it has not read, how many seconds old the first of them is, and how many groups are
parked."""

_NOW = "(SELECT CASE kind WHEN 'real' THEN clock_timestamp() ELSE now END FROM o2c.clock)"
"""An SQL value: the time by the clock of the store."""

_KINDS = """SELECT kind, count(*)::float8 AS n, count(*) FILTER (WHERE lease_until > clock_timestamp())::float8 AS leased
    FROM o2c.agenda GROUP BY kind"""
"""By kind, how many rows the agenda has, and how many of them are leased now."""

_WAITING = "SELECT pool, count(*)::float8 AS n FROM o2c.agenda WHERE kind = 'stock' AND pool <> '' GROUP BY pool"
"""By pool, how many steps wait for a piece of it."""

_POOLS = f"SELECT pool, count(*) FILTER (WHERE available_at <= {_NOW})::float8 AS n FROM o2c.pool GROUP BY pool"
"""By pool, how many pieces are on offer now."""

_OVERDUE = f"""SELECT count(*)::float8 AS rows, coalesce(extract(epoch FROM {_NOW} - min(due_at)), 0)::float8 AS seconds
    FROM o2c.agenda WHERE due_at <= {_NOW}"""
"""How many rows are due by the clock of the store, and for how many seconds the oldest has been."""

_FALLOUTS = "SELECT reason, queue, count(*)::float8 AS n FROM projection.fallout WHERE state = 'open' GROUP BY reason, queue"
"""By reason and queue, how many fallouts are open."""

_STALL = f"SELECT (SELECT greatest(max(seconds), 0) FROM ({HOLDERS}) AS h)::float8 AS seconds WHERE {SEES}"
"""For how many seconds the oldest writing transaction has been open; no row for a role that may not see transactions of others: 0 would be
a lie."""

_HOOKS = """SELECT count(*) FILTER (WHERE state = 'pending')::float8 AS pending, count(*) FILTER (WHERE state = 'dead')::float8 AS dead,
    coalesce(greatest(extract(epoch FROM clock_timestamp() - min(made_at) FILTER (WHERE state = 'pending')), 0), 0)::float8 AS seconds
    FROM o2c.outbox WHERE state IN ('pending', 'dead')"""
"""How many messages hooks are still to be told, how many were given up, and for how many seconds the oldest that is to be told has
waited."""

_GAUGES: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    ("o2c_log_position", "Position of the last event that readers see.", _LOG, "position", ()),
    ("o2c_log_events_estimate", "Events in the log, as the server's statistics estimate them.", _LOG, "events", ()),
    ("o2c_log_incarnations", "Lives of this log: one more after each promotion, restore or copy.", _LOG, "incarnations", ()),
    ("o2c_projection_lag_events", "Events that readers see and this projection has not read.", _LAG, "events", ("projection",)),
    ("o2c_projection_lag_seconds", "Age of the oldest event this projection has not read.", _LAG, "seconds", ("projection",)),
    ("o2c_projection_parked_groups", "Groups parked behind an event their fold could not take.", _LAG, "parked", ("projection",)),
    ("o2c_agenda_rows", "Rows of the agenda, due or not, by kind.", _KINDS, "n", ("kind",)),
    ("o2c_agenda_overdue_rows", "Rows due by the clock of the store and not yet carried out.", _OVERDUE, "rows", ()),
    ("o2c_agenda_overdue_seconds", "How long the oldest row has been due, by the clock of the store.", _OVERDUE, "seconds", ()),
    ("o2c_agenda_leased_rows", "Rows that a worker holds now, by kind.", _KINDS, "leased", ("kind",)),
    ("o2c_fallouts_open", "Open fallouts by reason and queue, as of the projection fallout.", _FALLOUTS, "n", ("reason", "queue")),
    ("o2c_stock_available", "Pieces on offer by pool.", _POOLS, "n", ("pool",)),
    ("o2c_stock_waiting", "Steps waiting for stock by pool.", _WAITING, "n", ("pool",)),
    ("o2c_hooks_pending", "Messages that hooks are still to be told.", _HOOKS, "pending", ()),
    ("o2c_hooks_dead", "Messages that were given up, and not sent again.", _HOOKS, "dead", ()),
    ("o2c_hooks_oldest_seconds", "How long the oldest message that is still to be told has waited.", _HOOKS, "seconds", ()),
    (
        "o2c_horizon_stall_seconds",
        "Age of the oldest writing transaction of the cluster; readers see nothing newer.",
        _STALL,
        "seconds",
        (),
    ),
)


class StoreCollector(Collector):
    """Reads the gauges anew at each scrape, on a connection of its own."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def collect(self) -> Iterable[Metric]:
        """Whether the store answered, then every gauge that could be read."""
        try:
            read = _read(self.dsn)
        except (psycopg.Error, Refused):
            read = {}
        yield _family("o2c_store_up", "1 when the store answered this scrape.", "up", (), [{"up": 1.0 if read else 0.0}])
        for name, meaning, query, column, labels in _GAUGES:
            if query in read:
                yield _family(name, meaning, column, labels, read[query])

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registering this does not wait for the store."""
        return []


def _read(dsn: str) -> dict[str, Rows]:
    """The rows of each query, all in one snapshot, without queries that failed. Raises psycopg.Error when the store does not answer."""
    read: dict[str, Rows] = {}
    with connect(dsn) as conn:
        conn.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}".encode())
        with conn.transaction():
            conn.execute(ONE_SNAPSHOT)
            for query in dict.fromkeys(query for _, _, query, _, _ in _GAUGES):
                try:
                    with conn.transaction():
                        read[query] = conn.execute(query.encode()).fetchall()
                except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege, psycopg.errors.QueryCanceled):
                    # Projections make their tables when they first catch up: until then they have no figures.
                    continue
    return read


def _family(name: str, meaning: str, column: str, labels: tuple[str, ...], rows: Rows) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for row in rows:
        family.add_metric([row[label] for label in labels], row[column])
    return family


def registry(dsn: str, *, counting: bool) -> CollectorRegistry:
    """The gauges of a store and, beside them, the counts of appends.

    With PROMETHEUS_MULTIPROC_DIR set those are the sums of all processes that share the folder; else, when this process is `counting`
    (it appends itself), its own. A process that appends nothing shows none: its zeros would be a lie.
    """
    made = CollectorRegistry()
    made.register(StoreCollector(dsn))
    if os.environ.get(SHARED_FOLDER):
        MultiProcessCollector(made)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    elif counting:
        for instrument in instruments():
            made.register(instrument)
    return made


class MetricsServer:
    """An HTTP endpoint that answers on every path, until it is closed; `listen` is where it listens, also when any free one was asked
    for."""

    def __init__(self, made: CollectorRegistry, host: str, listen: int) -> None:
        self._server, self._thread = start_http_server(listen, host, made)
        self.host, self.listen = host, self._server.server_port

    def close(self) -> None:
        """Stop answering; returns when the last answer is given."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> MetricsServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_metrics(app: Engine, host: str, listen: int, *, counting: bool = True) -> MetricsServer:
    """Answer scrapes from a thread of this process, until `close`. `listen` 0 takes any free one. Raises Refused when it is taken."""
    try:
        return MetricsServer(registry(app.dsn, counting=counting), host, listen)
    except OSError as error:
        raise Refused(f"cannot listen on {host}:{listen}: {error.strerror}; choose another with --listen", kind="unavailable") from None


@contextmanager
def measured(app: Engine, listen: int, *, crew: bool) -> Iterator[None]:
    """Answer scrapes on 127.0.0.1 within the block, unless `listen` is 0; the figures of the processes of a crew add up in a folder they
    share."""
    with ExitStack() as stack:
        if listen and crew:
            os.environ[SHARED_FOLDER] = stack.enter_context(TemporaryDirectory(prefix="o2c-metrics-"))
        if listen:
            stack.enter_context(serve_metrics(app, "127.0.0.1", listen, counting=not crew))
        yield


def figures(app: Engine, *, counting: bool = False, more: Iterable[Collector] = ()) -> str:
    """The figures of the store as they stand, in Prometheus form; of a process that is `counting`, its appends and `more` that it
    counts."""
    made = registry(app.dsn, counting=counting)
    # Those of several processes add up in the folder that they share, where they are already.
    for instrument in () if os.environ.get(SHARED_FOLDER) else more:
        made.register(instrument)
    return generate_latest(made).decode()


def write_metrics(app: Engine, path: Path) -> None:
    """Write the figures to a file in one step, as node_exporter's textfile collector reads them. Raises Refused when it cannot.

    The one step is a rename, which would take the place of whatever has the name: of a device (/dev/null) or a pipe, for whoever may.
    """
    if path.exists() and not path.is_file():
        raise Refused(f"{path} is no ordinary file, and what writes in one step would take its place; name a file, or leave --file out")
    try:
        write_to_textfile(str(path), registry(app.dsn, counting=False))
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}; choose another file or folder") from None
