"""Taking files in: catalogue, customers, stock and orders. Every line is accounted for; a killed intake goes on where it was."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from o2c import plan
from o2c.catalogue.rules import publish
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.customers.rules import register
from o2c.customers.state import CustomerState, stream_of
from o2c.desk.capture import latest, order_stream, received
from o2c.engine.app import Engine
from o2c.engine.drafts import Command, Loaded, happened
from o2c.engine.runner import Runner
from o2c.files.lines import document_of, lines_of, raw_lines, refuse_empty
from o2c.files.quarantine import Quarantine, Refusal, fingerprint
from o2c.intake.events import IntakeClosed, IntakeLineRefused
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.refusal import Refused
from o2c.markets.gb import GB
from o2c.numbers import rules as numbers
from o2c.numbers.state import stream_of as number_stream
from o2c.orders.document import Unreadable, Wish, parse, read
from o2c.sim import rules as sims
from o2c.sim.state import stream_of as sim_stream

BATCH = 250
BATCH_BYTES = 8_000_000
DELIVERY_ROWS = 1_000
EVENTS_A_COMMAND = 2_000
ACTOR = CHANNEL = "intake"
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the lines of an intake."""

    lines: int = 0
    captured: int = 0
    duplicates: int = 0
    resubmitted: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Paper:
    """A line that could be read: where it stands, its bytes, and what it wishes."""

    number: int
    line: bytes
    wish: Wish

    @property
    def stream(self) -> str:
        return order_stream(self.wish.external_id)


def load_catalogue(app: Engine, path: Path, *, actor: str = ACTOR) -> int:
    """Publish the offerings of a TMF620 file (a list); how many were new or changed."""
    documents = document_of(path)
    if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
        raise Refused(f"{path} is no list of TMF620 offerings; nothing of it was taken in")
    refuse_empty(path, documents)
    loaded = app.load([CATALOGUE])[CATALOGUE]
    kind, state, events = app.kind(CATALOGUE), loaded.state, []
    for document in documents:
        with _shaped(path, f"offering {document.get('id')}"):
            published = publish(state, document=document, currency=GB.currency, specifications=plan.SPECIFICATIONS)
        for event in published:
            state = kind.evolve(state, event)
            events.append(event)
    if events:
        command_id = derived_id("catalogue", digest(json.dumps(documents)), str(loaded.version))
        _write(app, _command(CATALOGUE, just(*events), loaded, app.clock().now, command_id, actor))
    return len(events)


def load_customers(app: Engine, path: Path, *, actor: str = ACTOR) -> int:
    """Register the TMF632 parties of a file, one JSON a line; how many were new or changed."""
    changed, now = 0, app.clock().now
    documents = _parties(path)
    for start in range(0, len(documents), BATCH):
        page = {stream_of(str(document["id"])): document for document in documents[start : start + BATCH]}
        while page:
            loaded = app.load(page)
            commands = []
            for stream, document in page.items():
                if events := register(loaded[stream].state, document=document):
                    command_id = derived_id("register", stream, digest(json.dumps(document)), str(loaded[stream].version))
                    commands.append(_command(stream, just(*events), loaded[stream], now, command_id, actor))
            outcomes = app.write(commands)
            changed += sum(outcome.verdict == "appended" for outcome in outcomes)
            stale = {command.stream for command, outcome in zip(commands, outcomes, strict=True) if outcome.verdict == "stale"}
            page = {stream: page[stream] for stream in stale}
    return changed


def _parties(path: Path) -> list[dict[str, Any]]:
    """The parties of a file, every one judged before the first is written. Raises Refused naming the line of the first bad one."""
    documents = []
    for line in raw_lines(path):
        try:
            document = parse(line.text)
            with _shaped(path, "the party"):
                register(CustomerState(), document=document)
        except (Refused, Unreadable) as error:
            raise Refused(f"{path} line {line.number}: {error}; nothing of the file was taken in, correct it and load it again") from None
        documents.append(document)
    refuse_empty(path, documents)
    return documents


@contextmanager
def _shaped(path: Path, what: str) -> Iterator[None]:
    """A document that has not the shape its standard gives it is a caller's mistake."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        raise Refused(f"{path}: {what} is not of the standard's shape; correct it and load it again") from None


def load_stock(app: Engine, runner: Runner, what: str, path: Path, at: datetime | None, *, actor: str = ACTOR) -> int:
    """Announce a delivery of `sims` or `numbers`; without a time, or with one that has passed, it is taken in at once. How many new rows.

    Raises Refused for a file of another shape or with a bad row, and (conflict) for one with a piece that another file brought.
    """
    announce, columns = (sims.announce, sims.COLUMNS) if what == "sims" else (numbers.announce, numbers.COLUMNS)
    content, rows = _stock_rows(path, what, columns)
    now = app.clock().now
    whole = announce(rows=rows, at=at or now)
    name = digest(content)[:12]
    streams = {f"delivery-{what}-{name}-{number}": start for number, start in enumerate(range(0, len(rows), DELIVERY_ROWS), 1)}
    deliveries = app.load(streams)
    for stream, start in streams.items():
        loaded = deliveries[stream]
        if loaded.version and not loaded.state.arrived and (loaded.state.due_at != at if at else loaded.state.due_at > now):
            raise Refused(f"{path} is announced for {loaded.state.due_at} already; that stands", kind="conflict")
        if not loaded.version:
            _refuse_known(app, path, what, whole.rows, start)
    fresh = 0
    for stream, start in streams.items():
        if not deliveries[stream].version:
            part = whole.model_copy(update={"rows": whole.rows[start : start + DELIVERY_ROWS]})
            _write(app, _command(stream, just(part), deliveries[stream], now, derived_id("announce", stream), actor))
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
            raise Refused(f"{path} row {number}: {len(row)} columns, not {len(columns)}; nothing of the file was taken in")
    return content, tuple(map(tuple, table[1:]))


def _refuse_known(app: Engine, path: Path, what: str, rows: Sequence[tuple[str, ...]], start: int) -> None:
    """A piece comes into the store with one file only. Raises Refused (conflict) naming the first row that another brought or announced."""
    page = rows[start : start + DELIVERY_ROWS]
    stream_of = sim_stream if what == "sims" else number_stream
    pieces = app.load(stream_of(row[0]) for row in page)
    coming = app.reads.rows("SELECT stream FROM o2c.agenda WHERE step = %s", f"{what[:-1]}-arrival")
    announced = {row[0] for delivery in app.load(row["stream"] for row in coming).values() for row in delivery.state.rows}
    for number, row in enumerate(page, start + 1):
        piece = pieces[stream_of(row[0])]
        if piece.version or row[0] in announced:
            stands = piece.state.status if piece.version else "announced"
            raise Refused(
                f"{path} row {number}: {row[0]} is in the store already ({stands}); nothing of the file was taken in", kind="conflict"
            )


def _command(stream: str, decision: Decision, loaded: Loaded, at: datetime, command_id: str, actor: str) -> Command:
    return Command(command_id, stream, happened(stream, decision, at), {stream: loaded}, actor, CHANNEL)


def _write(app: Engine, command: Command) -> None:
    [outcome] = app.write([command])
    if outcome.verdict not in ("appended", "repeated"):
        raise Refused(f"{command.stream}: another process changed it meanwhile; load again", kind="conflict")


class Intake:
    """One pass over a file of orders. Counted once however often it is killed and started again.

    `folder` is where refused lines are kept; with `quarantine_of` the file is such a quarantine, corrected: it is left with what is still
    refused, and goes when nothing is. Raises Refused when the file is empty or cannot be read to its end.
    """

    def __init__(
        self,
        app: Engine,
        path: Path,
        folder: Path,
        *,
        actor: str = ACTOR,
        quarantine_of: str = "",
        progress: Progress | None = None,
    ) -> None:
        self.app, self.path, self.actor, self.progress = app, path, actor, progress or (lambda lines: None)
        self.quarantine_of, self.bytes_seen = quarantine_of, fingerprint(path) if quarantine_of else ""
        content = sha256()
        refuse_empty(path, sum(1 for _ in raw_lines(path, content)))
        self.content = content.hexdigest()
        self.stream = f"intake-{self.content[:16]}"
        self.loaded = app.load([self.stream])[self.stream]
        self.name = f"{self.stream}/{self.loaded.state.closings + 1}"
        self.folder = folder
        self.quarantine = path if quarantine_of else folder / f"{self.stream}.jsonl"
        self.catalogue_version = app.load([CATALOGUE])[CATALOGUE].version
        clock = app.clock()
        self.now = clock.now
        self.latest = latest(clock)
        self.receptions: Counter[str] = Counter()
        self.turns: Counter[str] = Counter()
        self.refusals: list[Refusal] = []

    def run(self) -> Counts:
        """Go through the file, keep what is refused, and close the intake; what became of its lines."""
        with Quarantine(self.folder) as refused:
            self._go_through(refused)
            self.refusals = refused.refusals
            if self.refusals and not self.quarantine_of:
                self.quarantine = self._place(refused)
                refused.keep(self.quarantine)
            lines = sum(self.receptions.values()) + len(self.refusals)
            counts = Counts(**{**self.receptions, "refused": len(self.refusals), "lines": lines})
            self._close(counts)
            if self.quarantine_of:
                self._rewrite(refused)
        return counts

    def _go_through(self, refused: Quarantine) -> None:
        page: list[Paper] = []
        seen: set[str] = set()
        size = 0
        content = sha256()
        for line in raw_lines(self.path, content):
            try:
                paper = Paper(line.number, line.text, read(line.text, latest=self.latest))
            except Unreadable as error:
                refused.put(line, str(error))
                continue
            if len(page) == BATCH or size > BATCH_BYTES or paper.wish.external_id in seen:
                self._page(page)
                page, seen, size = [], set(), 0
            page.append(paper)
            seen.add(paper.wish.external_id)
            size += len(paper.line)
        self._page(page)
        if content.hexdigest() != self.content:
            raise Refused(f"{self.path} was changed while it was read; what was taken in stands, take it in again", kind="conflict")

    def _page(self, page: list[Paper]) -> None:
        """Take down a page of lines, no order twice; lines that another intake got ahead of are looked at again."""
        while page:
            loaded = self.app.load(paper.stream for paper in page)
            commands, pending = [], []
            for paper in page:
                reception, decision = self._receive(loaded[paper.stream], paper)
                if decision:
                    commands.append(self._capture(paper, loaded[paper.stream], decision))
                    pending.append((paper, reception))
                else:
                    self.receptions[_COUNTED[reception]] += 1
            page = []
            for outcome, (paper, reception) in zip(self.app.write(commands), pending, strict=True):
                if outcome.verdict == "stale":
                    page.append(paper)
                    self.turns[digest(paper.line)] -= 1
                else:
                    self.receptions[_COUNTED[reception]] += 1
            self.progress(sum(self.receptions.values()))

    def _receive(self, loaded: Loaded, paper: Paper) -> tuple[str, Decision]:
        return received(
            self.app, loaded, paper.wish, intake=self.name, line=paper.number, catalogue_version=self.catalogue_version, now=self.now
        )

    def _capture(self, paper: Paper, loaded: Loaded, decision: Decision) -> Command:
        """The command id is the line and its turn among identical lines of the file, so that the same line is the same intent."""
        content = digest(paper.line)
        command_id = derived_id("ingest", content, str(self.turns[content]))
        self.turns[content] += 1
        events = happened(paper.stream, decision, paper.wish.order_date)
        return Command(command_id, paper.stream, events, {paper.stream: loaded}, self.actor, paper.wish.channel, fingerprint=content)

    def _place(self, refused: Quarantine) -> Path:
        """The file of the first pass, unless somebody has worked on it since: then one of this pass."""
        usual = self.folder / f"{self.stream}.jsonl"
        return usual if not usual.exists() or refused.stands_at(usual) else self.folder / f"{self.name.replace('/', '-')}.jsonl"

    def _rewrite(self, refused: Quarantine) -> None:
        """Leave in the corrected file what is still refused. Only now: had we died before, all of it would be there to take in again."""
        if fingerprint(self.path) != self.bytes_seen:
            raise Refused(f"{self.path} was changed while it was taken in and is left as it is; take it in again", kind="conflict")
        if self.refusals:
            refused.keep(self.path)
        else:
            self.path.unlink()

    def _close(self, counts: Counts) -> None:
        """Close the intake with the lines it refused, but for those that an earlier pass over the same file has told of."""
        told = {(line.line, line.sha256) for line in self._told()}
        events: list[Event] = [refusal.event(self.name) for refusal in self.refusals if (refusal.line, refusal.sha256) not in told]
        of_counts = {key: getattr(counts, key) for key in Counts.__dataclass_fields__}
        events.append(IntakeClosed(intake=self.name, quarantine_of=self.quarantine_of, **of_counts))
        for start in range(0, len(events), EVENTS_A_COMMAND):
            part = events[start : start + EVENTS_A_COMMAND]
            last = part[-1]
            command_id = (
                derived_id("refused", self.name, str(last.line)) if isinstance(last, IntakeLineRefused) else derived_id("close", self.name)
            )
            _write(self.app, _command(self.stream, just(*part), self.loaded, self.now, command_id, self.actor))
            self.loaded = self.app.load([self.stream])[self.stream]

    def _told(self) -> Iterator[IntakeLineRefused]:
        facts = self.app.events.get(self.stream) if self.loaded.version else ()
        events = (cast("Any", fact).event for fact in facts)
        yield from (event for event in events if isinstance(event, IntakeLineRefused))


_COUNTED = {"captured": "captured", "duplicate": "duplicates", "resubmitted": "resubmitted"}
