"""Taking in files of orders. Every line is accounted for; a killed intake goes on where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.desk.act import permitted
from o2c.desk.capture import customer_streams, earlier_stream, latest, order_stream, received, standing, tier_in
from o2c.desk.earlier import earlier_by, earlier_of
from o2c.desk.followed import apart_of, followed
from o2c.engine.app import Context, Engine
from o2c.engine.drafts import Command, Loaded
from o2c.files.lines import OnLines, RawLine, refuse_empty
from o2c.files.loading import ACTOR, BATCH, BY_INTAKE, command_of, refuse_no_catalogue, written
from o2c.files.papers import BY_LINE, papers_of
from o2c.files.quarantine import Quarantine, Refusal, fingerprint, origin_of
from o2c.intake.events import IntakeClosed, IntakeLineRefused
from o2c.journeys.state import POLICY_STREAM
from o2c.kernel.carry import happened
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, current
from o2c.orders.document import Unreadable, read
from o2c.orders.receiving import SetApart, came_at
from o2c.orders.same_wish import Earlier
from o2c.orders.wish import Wish

BATCH_BYTES = 8_000_000
EVENTS_A_COMMAND = 2_000


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the lines of an intake."""

    lines: int = 0
    captured: int = 0
    duplicates: int = 0
    resubmitted: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class TakenIn:
    """An intake that was closed: its name, what became of its lines, and those that were refused, which are kept in the file
    `quarantine`."""

    name: str
    counts: Counts
    refusals: Sequence[Refusal]
    quarantine: Path


def ingest(app: Engine, home: Path, path: Path, *, context: Context = BY_INTAKE, market: str = HOME, corrected: bool = False) -> TakenIn:
    """Take in a file of TMF622 v4 product orders, one a line or in one array, under the rules of a market.

    Refused lines are kept in the quarantine of the data folder `home`; a `corrected` file is such a quarantine. Raises Refused: usage (no
    catalogue yet, no such market, a file that is empty or cannot be read to its end), missing and conflict as `Intake` does.
    """
    actor = permitted(context, "orders.ingest").actor
    refuse_no_catalogue(app)
    current(market, app.clock().now.date())
    origin = origin_of(app, path) if corrected else ""
    folder = path.parent if corrected else home / "quarantine"
    intake = Intake(app, path, folder, market=market, actor=actor, quarantine_of=origin)
    counts = intake.run()
    return TakenIn(intake.name, counts, intake.refusals, intake.quarantine)


@dataclass(frozen=True, slots=True)
class Paper:
    """A line that could be read: where it stands, its bytes, and what it wishes."""

    number: int
    line: bytes
    wish: Wish

    @property
    def streams(self) -> tuple[str, ...]:
        """The stream of the order, the one it would have in a store made before owners of external ids were told apart, and the
        customer's."""
        return order_stream(self.wish), earlier_stream(self.wish), *customer_streams(self.wish)


class Intake:
    """One pass over a file of orders. Counted once however often it is killed and started again.

    `market` is the code of the market its orders belong to; `folder` is where refused lines are kept; with `quarantine_of` the file is such
    a quarantine, corrected: it is left with what is still refused, and goes when nothing is. Raises Refused when the file is empty or
    cannot be read to its end.
    """

    def __init__(
        self,
        app: Engine,
        path: Path,
        folder: Path,
        *,
        market: str = HOME,
        actor: str = ACTOR,
        quarantine_of: str = "",
        progress: OnLines | None = None,
    ) -> None:
        self.app, self.path, self.actor, self.progress = app, path, actor, progress or (lambda lines: None)
        self.market = market
        self.quarantine_of, self.bytes_seen = quarantine_of, fingerprint(path) if quarantine_of else ""
        content = sha256()
        _refuse_no_orders(path, papers_of(path, content), corrected=bool(quarantine_of))
        self.content = content.hexdigest()
        self.stream = f"intake-{self.content[:16]}"
        self.loaded = app.load_one(self.stream)
        self.name = f"{self.stream}/{self.loaded.state.closings + 1}"
        self.folder = folder
        self.quarantine = path if quarantine_of else folder / f"{self.stream}.jsonl"
        self.catalogue_version = app.load_one(CATALOGUE).version
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
        for line in papers_of(self.path, content):
            try:
                paper = Paper(line.number, line.text, read(line.text, now=self.now, latest=self.latest))
            except Unreadable as error:
                refused.put(line, f"{error}{BY_LINE}" if _begun(line.raw) else str(error))
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
            loaded = self.app.load([POLICY_STREAM, *(stream for paper in page for stream in paper.streams)])
            earlier = earlier_of(self.app, (paper.wish for paper in page))
            commands, pending = [], []
            for paper in page:
                order = standing(loaded, paper.wish)
                apart = apart_of(self.app, loaded, paper.wish)
                reception, decision = self._receive(order, paper, tier_in(loaded, paper.wish), earlier, apart)
                if decision:
                    if not apart:
                        earlier.setdefault(paper.wish.party, []).append(earlier_by(paper.wish, order.stream))
                    tried, journeys = followed(self.app, loaded, paper.wish, order.stream.partition("-")[2], decision)
                    commands.append(self._capture(paper, order, decision + tried, journeys))
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

    def _receive(
        self, loaded: Loaded, paper: Paper, tier: str, earlier: Mapping[str, list[Earlier]], apart: SetApart
    ) -> tuple[str, Decision]:
        place = {"intake": self.name, "line": paper.number, "catalogue_version": self.catalogue_version}
        told = {"market": self.market, "now": self.now, "tier": tier, "earlier": earlier, "apart": apart}
        return received(self.app, loaded, paper.wish, **cast("Any", {**place, **told}))

    def _capture(self, paper: Paper, loaded: Loaded, decision: Decision, journeys: Mapping[str, Loaded]) -> Command:
        """The command id is the line and its turn among identical lines of the file, so that the same line is the same intent."""
        content = digest(paper.line)
        command_id = derived_id("ingest", content, str(self.turns[content]))
        self.turns[content] += 1
        events = happened(loaded.stream, decision, came_at(loaded.state, paper.wish, self.now))
        seen = {**journeys, loaded.stream: loaded}
        return Command(command_id, loaded.stream, events, seen, self.actor, paper.wish.channel, fingerprint=content)

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
            written(self.app, command_of(self.stream, just(*part), self.loaded, self.now, command_id, self.actor))
            self.loaded = self.app.load_one(self.stream)

    def _told(self) -> Iterator[IntakeLineRefused]:
        facts = self.app.events.get(self.stream) if self.loaded.version else ()
        events = (cast("Any", fact).event for fact in facts)
        yield from (event for event in events if isinstance(event, IntakeLineRefused))


def _begun(raw: bytes) -> bool:
    """Whether a line looks like the beginning of something that is not one order a line."""
    return raw.strip() == b"{" or raw.lstrip().startswith(b"[")


_OF_AN_ORDER = (
    b'"productOrderItem"',
    b'"orderItem"',
    b'"externalId"',
    b'"externalIdentifier"',
    b'"orderDate"',
    b'"requestedStartDate"',
    b'"requestedCompletionDate"',
)
"""Names that only an order has, in either version of the standard; a line that is cut off still shows some."""


def _refuse_no_orders(path: Path, lines: Iterable[RawLine], *, corrected: bool) -> None:
    """A file of something else was named by mistake: nothing of it belongs into the log. Raises Refused, also when it is empty."""
    count, orders = 0, corrected
    for line in lines:
        count += 1
        orders = orders or any(name in line.raw for name in _OF_AN_ORDER)
    refuse_empty(path, count)
    if not orders:
        raise Refused(f"{path} is no file of orders: none of its {count} lines is like one; nothing of it was taken in, name another file")


_COUNTED = {"captured": "captured", "duplicate": "duplicates", "resubmitted": "resubmitted"}
