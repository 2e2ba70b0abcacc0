"""The library's recorder and factory on our log: one append function, positions from transaction ids, readers behind the horizon."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread
from time import perf_counter
from typing import Any, cast
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, IntegrityError, ListenNotifySubscription, Notification, StoredEvent, Subscription
from eventsourcing.postgres import ConnectionPool, PostgresApplicationRecorder, PostgresFactory
from psycopg import Connection
from psycopg.rows import dict_row

from o2c.kernel.refusal import Refused
from o2c.store import meters, queries
from o2c.store.commands import APPEND_SQL, STALE, Append, Head, Outcome, append_parameters, as_one, outcomes_of, takes_turns
from o2c.store.database import declare_incarnation
from o2c.store.grouped import Grouped
from o2c.store.mapper import StoredFact


def stored_fact(row: dict[str, Any]) -> StoredFact:
    """An event row, with the columns `queries.EVENT_COLUMNS`, as the library's stored event."""
    return StoredFact(
        originator_id=row["stream"],
        originator_version=row["version"],
        topic=row["type"],
        state=row["body"].encode(),
        id=row["position"],
        event_id=row["event_id"],
        schema=row["schema_version"],
        occurred_at=row["occurred_at"],
        actor=row["actor"],
        channel=row["channel"],
        command_id=row["command_id"],
        causation=row["causation"],
        order_id=row["order_id"],
        customer_id=row["customer_id"],
        personal=row["personal"],
        recorded_at=row["recorded_at"],
    )


class _NotWhole(Exception):
    """One of several commands that stand or fall together could not be written."""


class LogRecorder(PostgresApplicationRecorder):
    """Records through `o2c.append()`. The library's own statements, its table lock and its retry are not used."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._grouped = Grouped(self._append)

    def create_table(self) -> None:
        """Nothing: the schema is made by the store's migrations (one place, applied under a lock)."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append one command; `command` (an Append without facts) comes with `Application.save(..., command=...)`.

        Raises IntegrityError when a stream moved on or a guard is held. A command is only ever written again under the same id: a lost
        connection may hide a success, and only the id can tell.
        """
        if not stored_events and "command" not in kwargs:
            return None
        bare: Append = kwargs["command"]
        facts = tuple(cast("Sequence[StoredFact]", stored_events))
        heads = bare.heads or heads_of(facts)
        command = Append(bare.command_id, bare.fingerprint, bare.outcome, heads, bare.guards, bare.agenda, bare.pool, facts)
        [outcome] = self.append([command], round_=kwargs.get("round_", 0))
        if outcome.verdict not in ("appended", "repeated"):
            raise IntegrityError(f"command {command.command_id} is {outcome.verdict} {outcome.detail}".rstrip())
        # A repeated command recorded nothing now, and may have been decided otherwise this time.
        return [] if outcome.verdict == "repeated" or not facts else range(outcome.first_position, outcome.last_position + 1)

    def append(self, commands: Sequence[Append], *, round_: int = 0) -> list[Outcome]:
        """Write many commands in one transaction and one round trip; the outcome of each, in order.

        Of two commands on one stream the later is stale, unless it follows: it was decided without knowing the earlier. When not all can be
        written of an append with commands that follow, these are stale. Appends of several threads are grouped.
        """
        return self._grouped.append(commands, round_)

    def _append(self, commands: Sequence[Append], round_: int) -> list[Outcome]:
        started = perf_counter()
        outcomes = self._whole(commands, round_) if any(command.follows for command in commands) else []
        if not outcomes:
            together, late = takes_turns(commands)
            written = iter(self._asked(together, round_) if together else ())
            outcomes = [STALE if place in late else next(written) for place in range(len(commands))]
        meters.appended(commands, outcomes, perf_counter() - started)
        return outcomes

    def _asked(self, commands: Sequence[Append], round_: int) -> list[Outcome]:
        with self.datastore.get_connection() as conn:
            rows = conn.execute(APPEND_SQL, append_parameters(commands, round_), prepare=True).fetchall()
        return outcomes_of(commands, rows)

    def _whole(self, commands: Sequence[Append], round_: int) -> list[Outcome]:
        """Write all of some commands, of which later ones follow; nothing, and no outcomes, where one of them cannot be written."""
        if not (together := as_one(commands)):
            return []
        try:
            with self.datastore.get_connection() as conn, conn.transaction():
                rows = conn.execute(APPEND_SQL, append_parameters(together, round_), prepare=True).fetchall()
                outcomes = outcomes_of(commands, rows)
                if any(outcome.verdict != "appended" for outcome in outcomes):
                    raise _NotWhole
        except (_NotWhole, IntegrityError):
            # Where a stream moved on, the one that is stale is the last of those that share it: the events of the others find its versions
            # taken.
            return []
        return outcomes

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Give the events of a stream after version `gt` up to and including `lte`, in order of version."""
        bounds = (str(originator_id), -1 if gt is None else gt, 2**62 if lte is None else lte, limit)
        return self._facts(queries.EVENTS_OF_STREAM_BACKWARDS if desc else queries.EVENTS_OF_STREAM, bounds)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in position order, never past the horizon: beyond it, an event may still appear before one that is there already."""
        low = -1 if start is None else start - 1 if inclusive_of_start else start
        return self._facts(queries.EVENTS_AFTER, (low, 2**62 if stop is None else stop, not topics, list(topics), limit))

    def max_notification_id(self) -> int | None:
        """Give the last position that readers can see; None for an empty log."""
        with self.datastore.get_connection() as conn:
            row = conn.execute(queries.LAST_READABLE_POSITION).fetchone()
        return row["m"] if row else None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Subscribe to the events after a position, of some types or of all."""
        return PollingSubscription(self, gt=gt, topics=topics)

    def _facts(self, sql: str, parameters: tuple[Any, ...]) -> list[StoredFact]:
        with self.datastore.get_connection() as conn:
            return [stored_fact(row) for row in conn.execute(sql.encode(), parameters).fetchall()]


class PollingSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """The library's subscription, woken by a timer. No NOTIFY inside an append: it takes a lock on the whole cluster's commits."""

    POLL_S = 0.05

    def __init__(self, recorder: ApplicationRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._poll_thread = Thread(target=self._poll, daemon=True)
        self._poll_thread.start()

    def _poll(self) -> None:
        pause = Event()
        while not self._has_been_stopped:
            self._has_been_notified.set()
            pause.wait(self.POLL_S)


def heads_of(facts: Sequence[StoredFact]) -> tuple[Head, ...]:
    """The heads of a command that names none: of each stream of its events, from the version before the first of them to that of the
    last."""
    spans: dict[str, tuple[int, int]] = {}
    for fact in facts:
        stream, version = str(fact.originator_id), fact.originator_version
        first, last = spans.get(stream, (version, version - 1))
        if version != last + 1:
            raise IntegrityError(f"stream {stream}: version {version} does not follow {last}")
        spans[stream] = (first, version)
    if unborn := sorted(stream for stream, (first, _) in spans.items() if first < 1):
        raise IntegrityError(f"stream {unborn[0]}: a stream begins at 1")
    return tuple(Head(stream, first - 1, last) for stream, (first, last) in spans.items())


class LogFactory(PostgresFactory):
    """The library's PostgreSQL factory, connected by one DSN (a URI or key=value string).

    Every new connection checks the incarnation of the log: a promotion or a restore may have happened since the last connection was made.
    Raises Refused when the environment asks for the library's encryption or compression.
    """

    application_recorder_class = LogRecorder
    life = 0
    """The number of the log's life when the newest connection was made."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        if self.env.get("CIPHER_TOPIC") or self.env.get("COMPRESSOR_TOPIC"):
            raise Refused("CIPHER_TOPIC and COMPRESSOR_TOPIC have no effect here: bodies must stay queryable; unset them")
        made = self.datastore.pool
        library_configures = self.datastore.after_connect_func()

        def configure(conn: Connection[dict[str, Any]]) -> None:
            library_configures(conn)
            # The same statements run again and again, on a few rows by their keys; left alone, the server would plan most of them anew each
            # time.
            conn.execute("SET plan_cache_mode = force_generic_plan")
            self.life = declare_incarnation(conn)

        self.datastore.pool = ConnectionPool(
            self.env.get("DSN") or "",
            connection_class=cast("type[Connection[dict[str, Any]]]", Connection),
            kwargs={"row_factory": dict_row},
            min_size=made.min_size,
            max_size=made.max_size,
            timeout=made.timeout,
            open=False,
            configure=configure,
        )
