"""Numbers without a gap: the papers that a law wants numbered one after another, and the series in which they stand."""

from __future__ import annotations

from o2c.kernel.event import Event

GUARD = "series"
"""The kind of a guard change that is no guard but the next number of a series: its key names the series, its holder is the number."""
DIGITS_MIN = 6


class Numbered(Event):
    """Base of the events by which a paper is issued that takes the next number of a series (Directive 2006/112/EC art. 226(2); EN 16931
    BT-1).

    A rule names the `series`, of one legal entity, one kind of paper and one year, or a range that an authority approved, which has an end.
    `serial`, from 1 on, and `legal_number`, which is the series and the serial as text or the number of the range, are given as the event
    is written, in the same transaction: no number is left out and none comes twice. What was issued before there were series has none of
    the three, and its `number` is what the law means.
    """

    series: str = ""
    serial: int = 0
    legal_number: str = ""

    @property
    def serials_max(self) -> int | None:
        """How many numbers the series has; None for one without an end."""
        return None

    def number_at(self, serial: int) -> str:
        """The number at a place of the series as people and the law read it."""
        return legal_number(self.series, serial)

    def used_by(self, serial: int) -> tuple[tuple[str, Event], ...]:
        """What happens to other streams, by name, as the number at a place is taken: a series with an end says that it runs low, and that
        it is over."""
        return ()


def legal_number(series: str, serial: int) -> str:
    """Give the number of a paper as people and the law read it: `GB1-INV-2026-000123`."""
    return f"{series}-{serial:0{DIGITS_MIN}d}"


def given(event: Numbered, serial: int) -> Numbered:
    """Give the event with its place in its series."""
    return event.model_copy(update={"serial": serial, "legal_number": event.number_at(serial)})
