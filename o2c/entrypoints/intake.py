"""Taking files in: catalogue, customers, stock and orders. Every line is accounted for; a killed intake goes on where it was."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

from o2c import plan
from o2c.app import Command, Loaded, Engine, happened
from o2c.catalogue.rules import publish
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.customers.rules import register
from o2c.customers.state import stream_of
from o2c.intake.events import IntakeClosed
from o2c.kernel.decision import Decision, just
from o2c.kernel.identifiers import derived_id, digest, order_id
from o2c.kernel.refusal import Refused
from o2c.markets.gb import GB
from o2c.numbers import rules as numbers
from o2c.orders.document import SOURCE, Unreadable, Wish, parse, read
from o2c.orders.events import OrderCaptured
from o2c.orders.rules import receive
from o2c.runner import Runner
from o2c.sim import rules as sims

BATCH = 250
DELIVERY_ROWS = 1_000
ACTOR = "intake"
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the lines of an intake."""

    lines: int = 0
    captured: int = 0
    duplicates: int = 0
    resubmitted: int = 0
    refused: int = 0


def opened(path: Path) -> BinaryIO:
    """A file for reading, unpacked when it is gzip. Raises Refused when it is not there or cannot be read."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}; name a file that is there", kind="missing") from None
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file without their ends, blank ones left out. Raises Refused when a gzip file is cut off."""
    with opened(path) as source:
        try:
            for line in source:
                if stripped := line.strip():
                    yield stripped
        except (EOFError, gzip.BadGzipFile):
            raise Refused(f"{path} is cut off or no gzip file; nothing behind the cut was read, fetch it again") from None


def _json(path: Path, text: bytes) -> Any:
    try:
        value = json.loads(text, parse_float=str)
        if "\\u0000" in json.dumps(value) or "\\ud8" in json.dumps(value):
            raise ValueError("characters that no database keeps")
        return value
    except ValueError:
        raise Refused(f"{path} is not JSON; nothing of it was taken in") from None


def load_catalogue(app: Engine, path: Path) -> int:
    """Publish the offerings of a TMF620 file (a list); how many were new or changed."""
    with opened(path) as source:
        documents = _json(path, source.read())
    if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
        raise Refused(f"{path} is no list of TMF620 offerings; nothing of it was taken in")
    loaded = app.load([CATALOGUE])[CATALOGUE]
    kind, state, events = app.kind(CATALOGUE), loaded.state, []
    for document in documents:
        with _shaped(path, f"offering {document.get('id')}"):
            published = publish(state, document=document, currency=GB.currency, specifications=plan.SPECIFICATIONS)
        for event in published:
            state = kind.evolve(state, event)
            events.append(event)
    if events:
        _write(
            app,
            CATALOGUE,
            just(*events),
            loaded,
            app.clock().now,
            derived_id("catalogue", digest(json.dumps(documents)), str(loaded.version)),
        )
    return len(events)


def load_customers(app: Engine, path: Path) -> int:
    """Register the TMF632 parties of a file, one JSON a line; how many were new or changed."""
    changed = 0
    documents = [_party(path, number, line) for number, line in enumerate(lines_of(path), 1)]
    for start in range(0, len(documents), BATCH):
        page = {stream_of(str(document.get("id", ""))): document for document in documents[start : start + BATCH]}
        while page:
            loaded = app.load(page)
            commands = []
            for stream, document in page.items():
                with _shaped(path, f"party {document.get('id')}"):
                    events = register(loaded[stream].state, document=document)
                if events:
                    command_id = derived_id("register", stream, digest(json.dumps(document)), str(loaded[stream].version))
                    commands.append(_command(stream, just(*events), loaded[stream], app.clock().now, command_id))
            outcomes = app.write(commands)
            changed += sum(outcome.verdict == "appended" for outcome in outcomes)
            stale = {command.stream for command, outcome in zip(commands, outcomes, strict=True) if outcome.verdict == "stale"}
            page = {stream: page[stream] for stream in stale}
    return changed


def _party(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        return parse(line)
    except Unreadable as error:
        raise Refused(f"{path} line {number}: {error}; nothing of the file was taken in, correct it and load it again") from None


@contextmanager
def _shaped(path: Path, what: str) -> Iterator[None]:
    """A document that has not the shape its standard gives it is a caller's mistake."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        raise Refused(f"{path}: {what} is not of the standard's shape; correct it and load it again") from None


def load_stock(app: Engine, runner: Runner, what: str, path: Path, at: datetime | None) -> int:
    """Announce a delivery of `sims` or `numbers`; without a time, or with one that has passed, it is taken in at once. How many new rows."""
    announce, columns = (sims.announce, sims.COLUMNS) if what == "sims" else (numbers.announce, numbers.COLUMNS)
    content = [line.decode("utf-8", "replace") for line in lines_of(path)]
    table = list(csv.reader(content))
    if not table or tuple(table[0]) != columns:
        raise Refused(f"{path} is no {what} file: its first line must be {','.join(columns)}; nothing of it was taken in")
    now = app.clock().now
    rows = tuple(tuple(row) for row in table[1:])
    whole = announce(rows=rows, at=at or now)
    name = digest("\n".join(content))[:12]
    fresh = 0
    for number, start in enumerate(range(0, len(rows), DELIVERY_ROWS), 1):
        stream = f"delivery-{what}-{name}-{number}"
        loaded = app.load([stream])[stream]
        if loaded.version and not loaded.state.arrived and (loaded.state.due_at != at if at else loaded.state.due_at > now):
            raise Refused(f"{path} is announced for {loaded.state.due_at} already; that stands", kind="conflict")
        if not loaded.version:
            part = whole.model_copy(update={"rows": whole.rows[start : start + DELIVERY_ROWS]})
            _write(app, stream, just(part), loaded, now, derived_id("announce", stream))
            fresh += len(part.rows)
        if (at or now) <= now and (waiting := app.reads.of_stream(stream)):
            runner.attend(waiting, round_=0)
    return fresh


def _command(stream: str, decision: Decision, loaded: Loaded, at: datetime, command_id: str) -> Command:
    return Command(command_id, stream, happened(stream, decision, at), {stream: loaded}, ACTOR, ACTOR)


def _write(app: Engine, stream: str, decision: Decision, loaded: Loaded, at: datetime, command_id: str) -> None:
    [outcome] = app.write([_command(stream, decision, loaded, at, command_id)])
    if outcome.verdict not in ("appended", "repeated"):
        raise Refused(f"{stream}: another process changed it meanwhile; load again", kind="conflict")


class Intake:
    """One pass over a file of orders. Counted once however often it is killed and started again."""

    def __init__(self, app: Engine, path: Path, quarantine: Path, *, progress: Progress | None = None) -> None:
        self.app, self.path, self.progress = app, path, progress or (lambda lines: None)
        content = sha256()
        for line in lines_of(path):
            content.update(line + b"\n")
        self.stream = f"intake-{content.hexdigest()[:16]}"
        self.loaded = app.load([self.stream])[self.stream]
        self.name = f"{self.stream}/{self.loaded.state.closings + 1}"
        self.quarantine = quarantine / f"{self.stream}.jsonl"
        self.catalogue_version = app.load([CATALOGUE])[CATALOGUE].version
        self.now = app.clock().now
        self.receptions: Counter[str] = Counter()
        self.turns: Counter[str] = Counter()
        self.refused: list[str] = []

    def run(self) -> Counts:
        """Go through the file and close the intake; what became of its lines."""
        page: list[tuple[int, bytes, Wish]] = []
        seen: set[str] = set()
        refused: list[bytes] = []
        for number, line in enumerate(lines_of(self.path), 1):
            try:
                wish = read(line)
            except Unreadable as error:
                self.refused.append(f"line {number}: {error}")
                refused.append(line)
                continue
            if len(page) == BATCH or wish.external_id in seen:
                self._page(page)
                page, seen = [], set()
            page.append((number, line, wish))
            seen.add(wish.external_id)
        self._page(page)
        if refused:
            self._keep(refused)
        return self._close(Counts(**{**self.receptions, "refused": len(refused), "lines": sum(self.receptions.values()) + len(refused)}))

    def _page(self, page: list[tuple[int, bytes, Wish]]) -> None:
        """Take down a page of lines, no order twice; lines that another intake got ahead of are looked at again."""
        while page:
            streams = {wish.external_id: f"order-{order_id(SOURCE, wish.external_id)}" for _, _, wish in page}
            loaded = self.app.load(streams.values())
            commands, pending = [], []
            for number, line, wish in page:
                stream = streams[wish.external_id]
                reception, decision = self._receive(loaded[stream], number, wish)
                if decision:
                    commands.append(self._capture(stream, loaded[stream], decision, line, wish))
                    pending.append((number, line, wish, reception))
                else:
                    self.receptions[_COUNTED[reception]] += 1
            page = []
            for outcome, (number, line, wish, reception) in zip(self.app.write(commands), pending, strict=True):
                if outcome.verdict == "stale":
                    page.append((number, line, wish))
                    self.turns[digest(line)] -= 1
                else:
                    self.receptions[_COUNTED[reception]] += 1
            self.progress(sum(self.receptions.values()))

    def _receive(self, loaded: Loaded, number: int, wish: Wish) -> tuple[str, Decision]:
        state = loaded.state
        known = bool(state.external_id) and (state.intake, state.line) != (self.name, number) and wish.fingerprint != state.fingerprint
        return receive(
            state,
            wish,
            intake=self.name,
            line=number,
            catalogue_version=self.catalogue_version,
            now=self.now,
            original=self._original(loaded.stream) if known else None,
        )

    def _original(self, stream: str) -> str:
        [fact] = self.app.events.get(stream, lte=1)
        return cast("OrderCaptured", cast("Any", fact).event).original

    def _capture(self, stream: str, loaded: Loaded, decision: Decision, line: bytes, wish: Wish) -> Command:
        """The command id is the line and its turn among identical lines of the file, so that the same line is the same intent."""
        content = digest(line)
        command_id = derived_id("ingest", content, str(self.turns[content]))
        self.turns[content] += 1
        events = happened(stream, decision, wish.order_date)
        return Command(command_id, stream, events, {stream: loaded}, ACTOR, wish.channel, fingerprint=content)

    def _keep(self, refused: list[bytes]) -> None:
        self.quarantine.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self.quarantine.with_suffix(".partial")
        partial.touch(mode=0o600)  # raw papers of customers
        partial.write_bytes(b"\n".join(refused) + b"\n")
        partial.replace(self.quarantine)

    def _close(self, counts: Counts) -> Counts:
        closed = IntakeClosed(intake=self.name, **{key: getattr(counts, key) for key in Counts.__dataclass_fields__})
        _write(self.app, self.stream, just(closed), self.loaded, self.now, derived_id("close", self.name))
        return counts


_COUNTED = {"captured": "captured", "duplicate": "duplicates", "resubmitted": "resubmitted"}
