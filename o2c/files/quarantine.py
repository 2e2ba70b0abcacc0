"""Quarantine: refused lines kept to the byte, so that a person can correct them and have them taken in again."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from o2c.engine.app import Engine
from o2c.files.lines import RawLine
from o2c.intake.events import IntakeLineRefused
from o2c.kernel.refusal import Refused

_NAMED = re.compile(r"(intake-[0-9a-f]{16})(-[0-9]+)?\.jsonl")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused line: where it stands, why, and the SHA-256 (hex) of its raw bytes."""

    line: int
    reason: str
    sha256: str

    def event(self, intake: str) -> IntakeLineRefused:
        """What the log keeps of it."""
        return IntakeLineRefused(intake=intake, line=self.line, reason=self.reason, sha256=self.sha256)


class Quarantine:
    """The lines that one intake refuses. Until they are kept they lie in a nameless file, which goes when the process does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refusals: list[Refusal] = []
        self._content = sha256()
        self._spool: IO[bytes] | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.close()

    def put(self, line: RawLine, reason: str) -> None:
        """Set a line aside, whole, however long it is."""
        if self._spool is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._spool = self._opened.enter_context(tempfile.TemporaryFile(dir=self.folder))  # noqa: SIM115 closed by that stack
        content = sha256()
        for piece in chain((line.raw,), line.rest):
            content.update(piece)
            self._write(piece)
        self._write(b"\n")
        self.refusals.append(Refusal(line.number, reason, content.hexdigest()))

    def _write(self, piece: bytes) -> None:
        assert self._spool is not None
        self._content.update(piece)
        self._spool.write(piece)

    def keep(self, path: Path) -> None:
        """Put the lines at the path in one move, safe on the disk when this returns."""
        assert self._spool is not None
        handle, name = tempfile.mkstemp(prefix=f"{path.stem}.", suffix=".partial", dir=path.parent)  # mode 0600: raw papers of customers
        try:
            with os.fdopen(handle, "wb") as partial:
                self._spool.seek(0)
                shutil.copyfileobj(self._spool, partial)
                partial.flush()
                os.fsync(partial.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        synced(path.parent)

    def stands_at(self, path: Path) -> bool:
        """Whether the file at the path holds these lines and no other."""
        return path.exists() and fingerprint(path) == self._content.hexdigest()


def synced(folder: Path) -> None:
    """Have the disk know what names stand in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fingerprint(path: Path) -> str:
    """The SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as source:
        return file_digest(source, "sha256").hexdigest()


def origin_of(app: Engine, path: Path) -> str:
    """The intake that refused the lines of a quarantine file, told by the file's name. Raises Refused."""
    named = _NAMED.fullmatch(path.name)
    if named is None:
        raise Refused(f"{path} is no quarantine file (those are named intake-….jsonl by the intake); leave --quarantine out")
    if not app.load_one(named[1]).version:
        raise Refused(
            f"{path}: no intake {named[1]} was closed in this store; take in the file it came from, or leave --quarantine out",
            kind="missing",
        )
    return named[1]
