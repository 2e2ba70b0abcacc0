"""What a person typed, judged before anything is done: names that stand in the log, and filters that filter by something there is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from o2c.desk.act import Refused


def named(actor: str) -> str:
    """Who acts. Raises Refused for a blank name: it stands in the log for good."""
    if not actor.strip():
        raise Refused("--actor stands in the log for good; say who acts")
    return actor


def one_of(option: str, value: str, known: Iterable[str]) -> str:
    """The value of a filter, or empty for no filter. Raises Refused with what there is: a typo would find nothing and look like good
    news."""
    there = sorted(known)
    if value and value not in there:
        raise Refused(f"{option} {value}: there is no such thing to filter by; there are {', '.join(there)}")
    return value


def text_of(path: Path) -> str:
    """The text of a file. Raises Refused for one that is not there or no UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{path} is no UTF-8 text") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None
