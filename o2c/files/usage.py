"""Taking in files of usage records: each record once, whatever is sent again; nothing that was acknowledged is lost.

Records are copied into the table page by page, each page in a short transaction, and the file's event is written last. A file that was cut
off by a crash is sent again: what is in the table already is passed over, and counted as the file's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import cast

from o2c.desk.act import act, permitted
from o2c.desk.limits import limited, tell
from o2c.desk.zones import load_zones_deed
from o2c.engine.app import Context, Engine
from o2c.engine.late_usage import bill_late
from o2c.engine.mediation import Mediation, rated_again
from o2c.engine.prepaid_usage import charge_prepaid
from o2c.files.lines import opened
from o2c.files.loading import command_of, text_of, written
from o2c.files.usage_lines import Record, read_lines
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import account_stream
from o2c.kernel.identifiers import derived_id
from o2c.kernel.periods import local_time, stamp
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, current
from o2c.store import usage
from o2c.usage import rules
from o2c.usage.events import UsageLoaded, UsagePurged
from o2c.usage.state import PURGES, UsageFileState, stream_of
from o2c.usage.zoning import Zoning, book_of
from o2c.views.shown import UsageFileShown, UsagePurgeShown

PAGE = 20_000
"""So many lines are copied in one transaction: an open one holds back all readers of the log."""
PIECE_BYTES = 65_536
GAPS_TOLD = 50
REASONS_TOLD = 20
Lines = Callable[[], Iterable[bytes]]
"""The lines of a file, from its beginning each time."""


@dataclass(slots=True)
class _Taken:
    """What was seen of a file so far; of the refused lines the first ones stand with their reasons, by number."""

    lines: int = 0
    refused: int = 0
    reasons: dict[int, str] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    abroad: set[str] = field(default_factory=set)


def load_usage(app: Engine, path: Path, *, context: Context, source: str = "") -> UsageFileShown:
    """Take in a file of usage records, CSV with the names of its columns or one JSON object a line, and say what it brought.

    A record has `party` (a number in E.164 form, or an account), `kind`, `start` and `quantity`, and may have `key`, `unit`, `source`,
    `sequence`, `destination`, `zone` and `country`. By source and key it is taken once, however often it is sent. `source` holds for
    records that name none: the file's name unless said. Raises Refused (usage) for a file of another shape, or without a line.
    """
    by = permitted(context, "usage.load")
    return _loaded(app, lambda: _lines_in(path), by, source or path.name)


def take_usage(app: Engine, context: Context, document: bytes) -> UsageFileShown:
    """Take in usage records that were sent as text, as `usage load` takes in a file; what it holds is acknowledged once this answers.

    Of JSON, one object or a list of them will do as well as a line for each. Records that name no source are of the source `feed`. Raises
    Refused (usage) for text of another shape, or without a line.
    """
    by, lines = permitted(context, "usage.take"), _lines_of(document)
    return _loaded(app, lambda: lines, by, "feed")


def load_zones(app: Engine, path: Path, *, context: Context) -> Zoning:
    """Put a file of zones and time bands (TOML) over those of its market; the version that it makes, in force from its `valid_from` on.

    A record is placed by the version in force on its day when it comes; what was placed stays so. Of zones and bands, a part that the file
    does not have stays as it was. Loaded again unchanged, it does nothing. Raises Refused (usage) for a file that is no TOML, or that has
    anything wrong in it; then nothing of it is loaded.
    """
    text = text_of(path, "zones were")
    act(app, context, "usage.load-zones", load_zones_deed(app, text))
    return next(iter(book_of([text]).loaded.values()))[0]


def _lines_in(path: Path) -> Iterator[bytes]:
    """The lines of a file but blank ones, never more of one in memory than PIECE_BYTES."""
    with opened(path) as source:
        for line in iter(partial(source.readline, PIECE_BYTES), b""):
            if not line.isspace():
                yield line


def _lines_of(document: bytes) -> list[bytes]:
    """The lines of a text; of one JSON object or list, however it is laid out, a line for each object."""
    try:
        told = json.loads(document, parse_float=str, parse_int=str)
    except ValueError:
        return [line for line in document.splitlines() if line.strip()]
    return [json.dumps(one).encode() for one in (told if isinstance(told, list) else [told])]


def _loaded(app: Engine, lines: Lines, by: Context, source: str) -> UsageFileShown:
    digest = _digest(lines(), source)
    given = {*rated_again(app)}
    taken = _take(app, lines(), source, digest)
    stream = stream_of(digest)
    loaded = app.load_one(stream)
    decision = rules.take_in(loaded.state, loaded=_event(app, taken, digest))
    if decision:
        written(app, command_of(stream, decision, loaded, app.clock().now, derived_id("usage", digest), by.actor))
    tell(app, by.actor, limited(app, taken.accounts, taken.abroad))
    came, at = given | taken.accounts | taken.abroad, app.clock().now
    bill_late(app, came, at)
    charge_prepaid(app, came, at)
    state: UsageFileState = app.load_one(stream).state
    assert state.loaded is not None
    reasons = [f"line {number}: {why}" for number, why in taken.reasons.items()]
    told = {**state.loaded.model_dump(mode="json"), "repeated": not decision, "reasons": reasons}
    return cast("UsageFileShown", {"file": digest[:16], **told})


def _digest(lines: Iterable[bytes], source: str) -> str:
    """The hash by which a file is known: of its source and its lines, whatever stands between them. Raises Refused for none."""
    content, seen = sha256(source.encode()), False
    for line in lines:
        content.update(line.strip() + b"\n")
        seen = True
    if not seen:
        raise Refused("there is no line in it; nothing was taken in")
    return content.hexdigest()


def _take(app: Engine, lines: Iterable[bytes], source: str, digest: str) -> _Taken:
    """Copy the records of a file into the table, page by page."""
    taken, mediation, now = _Taken(), Mediation(app), app.clock().now
    read = enumerate(read_lines(iter(lines), source), 1)
    with app.reads.datastore.get_connection() as conn:
        usage.staged(conn)
        while page := list(islice(read, PAGE)):
            records = [each for _, each in page if isinstance(each, Record)]
            taken.lines, taken.refused = taken.lines + len(page), taken.refused + len(page) - len(records)
            for number, each in page:
                if isinstance(each, str) and len(taken.reasons) < REASONS_TOLD:
                    taken.reasons[number] = each
            mediation.learn({record.party for record in records})
            taken.sources |= {record.source for record in records if record.sequence}
            text = "".join(_row(record, mediation, digest[:16], taken) for record in records)
            with usage.adding(conn):
                usage.add(conn, text.encode(), now)
    return taken


def _row(record: Record, mediation: Mediation, file: str, taken: _Taken) -> str:
    """A record as a line of COPY's text format. Texts are printable, so that only a backslash is special in them."""
    line = mediation.line_of(record.party, record.started_at)
    if isinstance(line, str):
        zone, band, account, owner, waits_for, placed_by = record.zone, "", "", "", line, ""
    else:
        zone, band, placed_by = mediation.place(line, record.other, record.country, record.started_at)
        zone, account, owner, waits_for = record.zone or zone, line.account, line.owner, ""
        (taken.abroad if record.kind == "roaming" else taken.accounts).add(account)
    told = (record.source, record.key, record.sequence, file, record.party, record.other, record.kind)
    used = (
        record.started_at.isoformat(),
        f"{record.quantity:f}",
        record.unit,
        zone,
        band,
        record.country,
        account,
        owner,
        waits_for,
        placed_by,
    )
    text = "\t".join((*told, *used))
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if not record.sequence:
        text = text.replace("\t\t", "\t\\N\t", 1)
    return text + "\n"


def _event(app: Engine, taken: _Taken, digest: str) -> UsageLoaded:
    """What a file brought, by what stands in the table now: a crash in the middle changes nothing of it."""
    reads, file = app.reads, digest[:16]
    [counted] = reads.rows(usage.OF_FILE, file)
    gaps: dict[str, tuple[str, ...]] = {}
    for row in reads.rows(usage.GAPS, sources=sorted(taken.sources), limit=GAPS_TOLD) if taken.sources else ():
        gaps[row["source"]] = (*gaps.get(row["source"], ()), f"{row['missing_from']}-{row['missing_to']}")
    return UsageLoaded(
        digest=digest,
        lines=taken.lines,
        records=counted["records"],
        duplicates=taken.lines - taken.refused - counted["records"],
        refused=taken.refused,
        late=_late(app, taken, file),
        suspense={row["why"]: row["n"] for row in reads.rows(usage.SUSPENSE_OF_FILE, file)},
        gaps=gaps,
        first_at=counted["first_at"],
        last_at=counted["last_at"],
    )


def _late(app: Engine, taken: _Taken, file: str) -> int:
    """How many records of a file are for days that were billed before."""
    billed = dict(_billed(app, taken.accounts | taken.abroad))
    [row] = app.reads.rows(usage.LATE_OF_FILE, list(billed), list(billed.values()), file)
    return int(row["n"])


def _billed(app: Engine, accounts: Iterable[str]) -> Iterator[tuple[str, datetime]]:
    """The accounts whose usage was billed, each with the time up to which it was."""
    for loaded in app.load(map(account_stream, accounts)).values():
        state: AccountState = loaded.state
        if state.usage.billed_before:
            zone = app.book.market(state.market).zone
            yield state.account, local_time(date.fromisoformat(state.usage.billed_before), 0, 0, zone)


def purge_usage(app: Engine, context: Context) -> UsagePurgeShown:
    """Delete the records of usage that are older than the market keeps them, and say how many; what no bill has yet stays, and is counted.

    Raises Refused (forbidden).
    """
    by, now = permitted(context, "usage.purge"), app.clock().now
    before = now - timedelta(days=current(HOME, now.date()).usage.kept_days)
    accounts = [row["account"] for row in app.reads.rows(usage.OLD_ACCOUNTS, before)]
    standing = {loaded.state.account: loaded.state.usage.through for loaded in app.load(map(account_stream, accounts)).values()}
    billed = [(account, standing[account], at) for account, at in _billed(app, accounts)]
    with app.reads.datastore.get_connection() as conn, conn.transaction():
        deleted = usage.purge(conn, before, billed)
    [left] = app.reads.rows(usage.OLD_COUNT, before)
    loaded = app.load_one(PURGES)
    decision = rules.purge(loaded.state, purged=UsagePurged(before=before, records=deleted, kept=left["n"]))
    if decision:
        written(app, command_of(PURGES, decision, loaded, now, derived_id("purge", str(loaded.version)), by.actor))
    return {"before": stamp(before), "records": deleted, "kept": left["n"]}
