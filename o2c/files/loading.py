"""Loading what orders need: catalogue, customers, SIMs, numbers and devices."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from o2c import plan
from o2c.catalogue.rules import publish
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.customers.rules import register
from o2c.customers.state import CustomerState, stream_of
from o2c.desk.act import act, permitted
from o2c.desk.codes import load_deed, load_rates_deed
from o2c.devices import rules as devices
from o2c.devices.state import stream_of as device_stream
from o2c.engine.app import Context, Engine
from o2c.engine.drafts import Command, Loaded
from o2c.engine.runner import Runner
from o2c.fallout.rates import RateCard
from o2c.files.lines import document_of, lines_of, raw_lines, refuse_empty
from o2c.kernel.carry import happened
from o2c.kernel.decision import Decision, Guard, just
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.periods import local_date, stamp
from o2c.kernel.reasons import Codes
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME
from o2c.numbers import rules as numbers
from o2c.numbers.state import stream_of as number_stream
from o2c.orders.document import Unreadable, parse
from o2c.sim import rules as sims
from o2c.sim.state import stream_of as sim_stream
from o2c.stock.events import StockAnnounced
from o2c.stock.state import field_missing
from o2c.views.rates import rates_in_force
from o2c.views.zones import market_priced

_STOCK: Mapping[str, tuple[Callable[..., StockAnnounced], tuple[str, ...], Callable[[str], str]]] = {
    "sims": (sims.announce, sims.COLUMNS, sim_stream),
    "numbers": (numbers.announce, numbers.COLUMNS, number_stream),
    "devices": (devices.announce, devices.COLUMNS, device_stream),
}
"""By what is loaded: how its rows are announced, its columns, and the stream of a piece by the first of them."""
BATCH = 250
DELIVERY_ROWS = 1_000
ACTOR = CHANNEL = "intake"
BY_INTAKE = Context(ACTOR, channel=CHANNEL)
"""Who loads a file where nobody is named."""


def load_catalogue(app: Engine, path: Path, *, context: Context = BY_INTAKE, market: str = HOME) -> int:
    """Publish the offerings of a TMF620 file (a list) in a market, whose currency their prices are in; how many were new or changed.

    Raises Refused (usage) for a file of another shape, a market that there is not, or an offering that `publish` refuses; then nothing of
    the file is published.
    """
    actor = permitted(context, "catalogue.load").actor
    now = app.clock().now
    rules = market_priced(app, market, now.date())
    on = local_date(now, rules.zone)
    documents = document_of(path)
    if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
        raise Refused(f"{path} is no list of TMF620 offerings; nothing of it was taken in")
    refuse_empty(path, documents)
    loaded = app.load_one(CATALOGUE)
    kind, state, events = app.kind(CATALOGUE), loaded.state, []
    for document in documents:
        for event in publish(state, document=document, market=rules, on=on, specifications=plan.SPECIFICATIONS):
            state = kind.evolve(state, event)
            events.append(event)
    if events:
        command_id = derived_id("catalogue", market, digest(json.dumps(documents)), str(loaded.version))
        written(app, command_of(CATALOGUE, just(*events), loaded, now, command_id, actor))
    return len(events)


def load_customers(app: Engine, path: Path, *, context: Context = BY_INTAKE) -> int:
    """Register the TMF632 parties of a file, one JSON a line; how many were new or changed."""
    actor = permitted(context, "customers.load").actor
    changed, now = 0, app.clock().now
    documents = _parties(path, now)
    for start in range(0, len(documents), BATCH):
        page = {stream_of(str(document["id"])): document for document in documents[start : start + BATCH]}
        while page:
            loaded = app.load(page)
            commands = []
            for stream, document in page.items():
                if events := register(loaded[stream].state, document=document, at=now):
                    command_id = derived_id("register", stream, digest(json.dumps(document)), str(loaded[stream].version))
                    commands.append(command_of(stream, just(*events), loaded[stream], now, command_id, actor))
            outcomes = app.write(commands)
            changed += sum(outcome.verdict == "appended" for outcome in outcomes)
            stale = {command.stream for command, outcome in zip(commands, outcomes, strict=True) if outcome.verdict == "stale"}
            page = {stream: page[stream] for stream in stale}
    return changed


def _parties(path: Path, at: datetime) -> list[dict[str, Any]]:
    """The parties of a file as they hold at a time, every one judged before the first is written. Raises Refused naming the line of the
    first bad one."""
    documents = []
    for line in raw_lines(path):
        try:
            document = parse(line.text)
            with _shaped(path, "the party"):
                register(CustomerState(), document=document, at=at)
        except (Refused, Unreadable) as error:
            raise Refused(f"{path} line {line.number}: {error}; nothing of the file was taken in, correct it and load it again") from None
        documents.append(document)
    refuse_empty(path, documents)
    return documents


def load_codes(app: Engine, path: Path, *, context: Context = BY_INTAKE) -> Codes:
    """Put a file of reason codes (TOML) over the table; the version that it makes, in force from its `valid_from` on.

    The file says only what differs. Loaded again unchanged, it does nothing. Raises Refused (usage) for a file that is no TOML, or that has
    anything wrong in it; then nothing of it is loaded.
    """
    act(app, context, "fallout.load-codes", load_deed(text_of(path, "reason codes were")))
    return app.codes().newest


def load_rates(app: Engine, path: Path, *, context: Context = BY_INTAKE) -> RateCard:
    """Put a rate card (TOML) over the one before; the version that it makes, in force from its `valid_from` on.

    The file says only what differs. Loaded again unchanged, it does nothing. Raises Refused (usage) for a file that is no TOML, or that has
    anything wrong in it; then nothing of it is loaded.
    """
    act(app, context, "fallout.load-rates", load_rates_deed(text_of(path, "rate card was")))
    return rates_in_force(app).newest


def text_of(path: Path, what: str) -> str:
    """The text of a file. Raises Refused (usage) for one that is no text, or cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{path} is no UTF-8 text; no {what} loaded") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None


@contextmanager
def _shaped(path: Path, what: str) -> Iterator[None]:
    """A document that has not the shape its standard gives it is a caller's mistake."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        raise Refused(f"{path}: {what} is not of the standard's shape; correct it and load it again") from None


def load_stock(app: Engine, runner: Runner, what: str, path: Path, at: datetime | None, *, context: Context = BY_INTAKE) -> int:
    """Announce a delivery of `sims`, `numbers` or `devices`, or move it to another time; without a time, or with one that has passed, it is
    taken in at once.

    Gives how many rows were announced or moved. Raises Refused for a file of another shape or with a bad row, and (conflict) for one with a
    piece that another file brought, or that is announced for later when no time is given.
    """
    actor = permitted(context, "stock.load").actor
    announce, columns, _ = _STOCK[what]
    content, rows = _stock_rows(path, what, columns)
    now = app.clock().now
    whole = announce(rows=rows, at=at or now)
    name = digest(content)[:12]
    streams = {f"delivery-{what}-{name}-{number}": start for number, start in enumerate(range(0, len(rows), DELIVERY_ROWS), 1)}
    deliveries = app.load(streams)
    for stream, start in streams.items():
        loaded = deliveries[stream]
        if loaded.version and not loaded.state.arrived and at is None and loaded.state.due_at > now:
            raise Refused(f"{path} is announced for {stamp(loaded.state.due_at)}; say `--at` to move it", kind="conflict")
        if not loaded.version:
            _refuse_known(app, path, what, whole.rows, start)
    fresh = 0
    for stream, start in streams.items():
        known = deliveries[stream]
        if not known.version or (at and not known.state.arrived and known.state.due_at != at):
            part = whole.model_copy(update={"rows": whole.rows[start : start + DELIVERY_ROWS]})
            command_id = derived_id("announce", stream, *([str(known.version)] if known.version else []))
            written(app, command_of(stream, just(part), known, now, command_id, actor))
            fresh += len(part.rows)
        if (at or now) <= now and (waiting := app.reads.of_stream(stream)):
            runner.attend(waiting, round_=0)
    return fresh


def _stock_rows(path: Path, what: str, columns: tuple[str, ...]) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The text of a stock file and its rows, each as wide as its head. Raises Refused."""
    lines = list(lines_of(path))
    refuse_empty(path, lines)
    try:
        content = b"\n".join(lines).decode()
        table = list(csv.reader(content.split("\n")))
    except (UnicodeDecodeError, csv.Error):
        raise Refused(f"{path} is no {what} file: it is no CSV in UTF-8; nothing of it was taken in") from None
    if tuple(table[0]) != columns:
        raise Refused(f"{path} is no {what} file: its first line must be {','.join(columns)}; nothing of it was taken in")
    refuse_empty(path, table[1:])
    for number, row in enumerate(table[1:], 1):
        if len(row) != len(columns):
            why = field_missing(row, columns) or f"{len(row)} columns, not {len(columns)}"
            raise Refused(f"{path} row {number}: {why}; nothing of the file was taken in")
    return content, tuple(map(tuple, table[1:]))


def _refuse_known(app: Engine, path: Path, what: str, rows: Sequence[tuple[str, ...]], start: int) -> None:
    """A piece comes into the store with one file only, but for a number that comes back from another operator. Raises Refused (conflict)
    naming the first row that another brought or announced."""
    page = rows[start : start + DELIVERY_ROWS]
    stream_of = _STOCK[what][2]
    pieces = app.load(stream_of(row[0]) for row in page)
    coming = app.load(app.reads.streams_at(f"{what[:-1]}-arrival"))
    announced = {row[0] for delivery in coming.values() for row in delivery.state.rows}
    _refuse_known_imsis(app, path, page if what == "sims" else (), start, [row for each in coming.values() for row in each.state.rows])
    for number, row in enumerate(page, start + 1):
        piece = pieces[stream_of(row[0])]
        back = what == "numbers" and bool(piece.version) and numbers.comes(piece.state)
        if (piece.version and not back) or row[0] in announced:
            stands = piece.state.status if piece.version else "announced"
            raise Refused(
                f"{path} row {number}: {row[0]} is in the store already ({stands}); nothing of the file was taken in", kind="conflict"
            )


def _refuse_known_imsis(app: Engine, path: Path, page: Sequence[tuple[str, ...]], start: int, coming: Sequence[tuple[str, ...]]) -> None:
    """An IMSI has one SIM. Raises Refused (conflict) naming the first row whose IMSI another SIM has, in the store or announced."""
    holders = {row[1]: sim_stream(row[0]) for row in coming if len(row) == len(sims.COLUMNS)}
    held = app.reads.holders([Guard("imsi", row[1], sim_stream(row[0])) for row in page])
    holders |= {imsi: holder for (_, imsi), holder in held.items()}
    for number, row in enumerate(page, start + 1):
        if holders.get(row[1], sim_stream(row[0])) != sim_stream(row[0]):
            raise Refused(f"{path} row {number}: its IMSI belongs to another SIM; nothing of the file was taken in", kind="conflict")


def refuse_no_catalogue(app: Engine) -> None:
    """Raises Refused in a store without a clock, or without a catalogue, whose version orders pin."""
    app.clock()
    if not app.load_one(CATALOGUE).version:
        raise Refused("there is no catalogue yet, and orders pin its version; run `o2c load catalogue FILE` first")


def command_of(stream: str, decision: Decision, loaded: Loaded, at: datetime, command_id: str, actor: str) -> Command:
    """Make the command that writes a decision of a stream as loaded."""
    return Command(command_id, stream, happened(stream, decision, at), {stream: loaded}, actor, CHANNEL)


def written(app: Engine, command: Command) -> None:
    """Write one command. Raises Refused (conflict) when another process changed its stream meanwhile."""
    [outcome] = app.write([command])
    if outcome.verdict not in ("appended", "repeated"):
        raise Refused(f"{command.stream}: another process changed it meanwhile; load again", kind="conflict")
