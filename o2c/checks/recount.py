"""The check that recounts usage: what bill runs rated is what its records come to under the tariffs that were pinned, as the account stood
then; and that is invoiced.

It goes with the pass over the log, which has the state of the account before each bill run. The records of one run are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from o2c.checks.log import Watch
from o2c.engine.app import Engine
from o2c.engine.derived import Folded
from o2c.invoicing.state import AccountState
from o2c.invoicing.usage import catalogue_streams, records_wanted, usage_of_run
from o2c.kernel.event import Fact
from o2c.kernel.frozen import changed
from o2c.kernel.periods import local_time
from o2c.kernel.records import RECORDS, UsageRecord
from o2c.kernel.work import Work
from o2c.rating.events import RatedUsage, UsageRated
from o2c.store import usage
from o2c.store.connection import Connection

_MAY = "SELECT has_table_privilege('o2c.usage_record', 'SELECT') AS may"
"""Whether the session may read the records. No parameters."""

_PURGED = "SELECT max((body->>'before')::timestamptz) AS before FROM o2c.event WHERE type = 'usage.purged'"
"""Up to which time of use records were deleted; NULL where none were. No parameters."""

_HAVE_RECORDS = "SELECT account FROM unnest(%s::text[]) AS account WHERE EXISTS (SELECT FROM o2c.usage_record r WHERE r.account = account.account AND r.account <> '')"
"""Those of some accounts that have records. Parameter: array of accounts."""

_NOT_INVOICED = """WITH run AS (
        SELECT command_id, line->>'order' AS "order", line->>'item' AS item, (line->>'net_minor')::bigint AS rated, 0 AS invoiced
        FROM o2c.event, jsonb_array_elements(body->'lines') AS line WHERE type = 'account.usage-rated' AND coalesce(line->>'prepaid', 'false') = 'false'
        UNION ALL
        SELECT command_id, line->>'order', line->>'item', 0, (line->>'net_minor')::bigint
        FROM o2c.event, jsonb_array_elements(body->'lines') AS line WHERE type = 'invoice.issued' AND line->>'kind' = 'usage'),
    differing AS (
        SELECT command_id, item, sum(rated) AS rated, sum(invoiced) AS invoiced FROM run GROUP BY command_id, "order", item HAVING sum(rated) <> sum(invoiced))
    SELECT e.stream, 'item ' || item || ' is invoiced ' || invoiced || ' for usage, was rated ' || rated AS flaw
    FROM differing JOIN LATERAL (SELECT stream FROM o2c.event e WHERE e.command_id = differing.command_id
        AND type IN ('account.usage-rated', 'invoice.issued') ORDER BY type DESC LIMIT 1) e ON true ORDER BY 1, 2"""
"""The bill runs whose invoice has another amount for the usage of an item than was rated; what is prepaid is on none. Minor units. No
parameters."""


class Rating(NamedTuple):
    """A bill run to be recounted: its event, and how the account stood before it."""

    before: AccountState
    event: UsageRated


class Recount(Watch):
    """What bill runs took of usage is what its records and the pinned tariffs come to, and what invoices say."""

    name = "rated usage is what its records and tariffs come to"
    unit = "rated amounts"

    def __init__(self) -> None:
        super().__init__()
        self.app: Engine | None = None
        self.purged: datetime | None = None
        self.deleted = 0
        self.runs: list[Rating] = []

    def attached(self, app: Engine) -> None:
        """Keep the engine: it has the markets and the versions of the catalogue."""
        self.app = app

    def begin(self, conn: Connection) -> None:
        """Find out whether records may be read, and which were deleted."""
        [row] = conn.execute(_MAY).fetchall()
        if not row["may"]:
            self.unable = "this role may not read records of usage; ask as the owner of the store"
            return
        [row] = conn.execute(_PURGED).fetchall()
        self.purged = row["before"]

    def event(self, stream: Folded, fact: Fact, before: Any) -> None:
        """Keep what a bill run is recounted from."""
        if isinstance(fact.event, UsageRated) and isinstance(before, AccountState):
            self.runs.append(Rating(before, fact.event))

    def streams(self, conn: Connection, batch: Mapping[str, Folded]) -> None:
        """Recount the bill runs of the batch, one after another."""
        runs, self.runs = self.runs, []
        if not runs or self.unable:
            return
        accounts = sorted({run.before.account for run in runs})
        used = {row["account"] for row in conn.execute(_HAVE_RECORDS, (accounts,)).fetchall()}
        for run in runs:
            self._recounted(conn, run, read=run.before.account in used)

    def end(self, conn: Connection) -> None:
        """Report what invoices say otherwise than it was rated."""
        for row in () if self.unable else conn.execute(_NOT_INVOICED.encode()):
            self.flaw(f"{row['stream']}: {row['flaw']}")

    @property
    def detail(self) -> str:
        """The result in words, with how many runs have records that are not kept any more."""
        told = super().detail
        return told if self.flaw_count or not self.deleted else f"{told}; of {self.deleted:,} more runs records are deleted by now"

    def _recounted(self, conn: Connection, run: Rating, *, read: bool) -> None:
        work = self._work(run)
        wanted = records_wanted(work)
        records: tuple[UsageRecord, ...] = ()
        if read and wanted is not None:
            records = tuple(one for one in usage.read_of_account(conn, wanted) if one.id <= run.event.through)
        if self._deleted(run, records, work.market.zone):
            self.deleted += 1
            return
        told, _ = usage_of_run(changed(work, read={**work.read, RECORDS: records}), date.fromisoformat(run.event.run_on))
        self.count += len(run.event.lines)
        for text in _differences(run.event, told):
            self.flaw(f"account-{run.event.account}: the bill run of {run.event.run_on} {text}")

    def _work(self, run: Rating) -> Work:
        """The work of a bill run as it was decided: under the market that the account follows, with the versions of the catalogue that its
        charges pinned."""
        assert self.app is not None
        state = run.before
        read = {name: one.state for name, one in self.app.load(catalogue_streams(state), remembered=True).items()}
        return changed(self.app.work(f"account-{state.account}", state, "", "bill-run"), read=read)

    def _deleted(self, run: Rating, records: tuple[UsageRecord, ...], zone: str) -> bool:
        """Whether records of a run are gone because they are not kept for longer; of what was used after the deletion every record must be
        there."""
        missing = run.event.unpriced + sum(line.records for line in run.event.lines) - len(records)
        if self.purged is None or missing <= 0 or any(record.started_at < self.purged for record in records):
            return False
        since = run.before.usage.billed_before
        late = sum(line.late for line in run.event.lines) + run.event.unpriced
        return not since or local_time(date.fromisoformat(since), 0, 0, zone) < self.purged or missing <= late


def _differences(event: UsageRated, told: UsageRated | None) -> Iterator[str]:
    """What a bill run said otherwise than it is now: by price of a line, amounts before quantities."""
    now = {(line.order, line.item, line.price): line for line in told.lines} if told else {}
    then = {(line.order, line.item, line.price): line for line in event.lines}
    for key in sorted(then.keys() | now.keys()):
        if text := _difference(then.get(key), now.get(key)):
            yield f"has item {key[1]}, {key[2]}: {text}"
    unpriced = told.unpriced if told else 0
    if event.unpriced != unpriced:
        yield f"says that {event.unpriced:,} records have no price, and {unpriced:,} have none"


def _difference(then: RatedUsage | None, now: RatedUsage | None) -> str:
    if now is None:
        return f"net_minor {then.net_minor if then else 0}, and no record of it is there"
    if then is None:
        return f"not rated, and its records come to net_minor {now.net_minor}"
    for name in ("net_minor", "amount", "quantity", "included", "not_chargeable", "prepaid", "records", "digest"):
        if (was := getattr(then, name)) != (comes := getattr(now, name)):
            return f"{name} {was}, and its records come to {comes}"
    return ""
