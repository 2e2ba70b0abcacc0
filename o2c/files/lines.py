"""Reading the files that come in: gzip or not, line by line, never more of a line in memory than the limit."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, cast

from o2c.kernel.refusal import Refused
from o2c.orders.document import LINE_BYTES_MAX, TOO_LONG, Unreadable, strict_json

OnLines = Callable[[int], None]
"""Called with the number of lines (or events) that have been taken in so far."""
DOCUMENT_BYTES_MAX = 64_000_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
# The limit, and what may stand behind it: a carriage return.
_PIECE_BYTES = LINE_BYTES_MAX + 1


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line as it stands in its file, without the line feed; `number` counts from 1, blank lines too.

    Of a line over the limit `raw` is the beginning, and `rest` the pieces that follow: read while one goes through them, once.
    """

    number: int
    raw: bytes
    rest: Iterable[bytes] = ()

    @property
    def text(self) -> bytes:
        """The line without the blanks around it. Raises Unreadable when it is over the limit."""
        if self.rest != ():
            raise Unreadable(TOO_LONG)
        return self.raw.strip()


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file for reading, unpacked when it is gzip. Raises Refused when it is not there, cannot be read, or is cut off."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}; name a file that is there", kind="missing") from None
    with raw:
        if not raw.seekable():
            raise Refused(f"{path} cannot be read twice, and a file of orders must be; write it to a file first")
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        try:
            yield cast("BinaryIO", io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=raw)))) if packed else raw
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise Refused(f"{path} is cut off or no gzip file; nothing of it was taken in, fetch it again") from None
        except OSError as error:
            raise Refused(f"cannot read {path}: {error.strerror or error}; nothing of it was taken in") from None


def raw_lines(path: Path, content: Any = None) -> Iterator[RawLine]:
    """The lines of a file, blank ones left out; the file's byte order mark is none of the first line.

    `content` (a hash) is fed with what makes two files one: their lines, whatever stands between them. Raises Refused as `opened` does.
    """
    feed = content.update if content is not None else lambda piece: None
    with opened(path) as source:
        for number in count(1):
            piece = source.readline(_PIECE_BYTES + 1)
            if not piece:
                return
            whole = piece.endswith(b"\n") or len(piece) <= _PIECE_BYTES
            if number == 1:
                piece = piece.removeprefix(_BYTE_ORDER_MARK)
            if not whole:
                feed(piece)
                rest = _rest(source, feed)
                yield RawLine(number, piece, rest)
                for _ in rest:  # what nobody asked for
                    pass
            elif stripped := piece.strip():
                feed(stripped + b"\n")
                yield RawLine(number, piece.removesuffix(b"\n"))


def _rest(source: BinaryIO, feed: Any) -> Iterator[bytes]:
    while piece := source.readline(_PIECE_BYTES):
        feed(piece)
        yield piece.removesuffix(b"\n")
        if piece.endswith(b"\n"):
            return


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file without the blanks around them. Raises Refused for a line over the limit, and as `opened` does."""
    for line in raw_lines(path):
        try:
            yield line.text
        except Unreadable as error:
            raise Refused(f"{path} line {line.number}: {error}; nothing of the file was taken in") from None


def document_of(path: Path) -> Any:
    """The one JSON value of a file, read strictly. Raises Refused when the file is empty or no JSON, and as `opened` does."""
    with opened(path) as source:
        content = source.read(DOCUMENT_BYTES_MAX + 1).removeprefix(_BYTE_ORDER_MARK)
    refuse_empty(path, content.strip())
    if len(content) > DOCUMENT_BYTES_MAX:
        raise Refused(f"{path} has more than {DOCUMENT_BYTES_MAX} bytes; nothing of it was taken in, split it")
    try:
        return strict_json(content)
    except Unreadable as error:
        raise Refused(f"{path} is not JSON as it should be: {error}; nothing of it was taken in") from None


def refuse_empty(path: Path, content: Any) -> None:
    """An empty file is a transfer that failed, never a wish to take in nothing. Raises Refused."""
    if not content:
        raise Refused(f"{path} is empty, as a file is whose transfer failed; fetch it again")
