"""The command of a due row: one for each time that something made it due, the same whoever attends to it and however often."""

from datetime import UTC, datetime

from o2c.engine.tasks import Task
from o2c.kernel.agenda import Entry
from o2c.store.reads import DueRow

AT = datetime(2026, 1, 31, 5, 33, tzinfo=UTC)


def row(cause: str) -> DueRow:
    """A query of an invoice's payment that is due at a time, made so by an event."""
    return DueRow(Entry(stream="invoice-1", item="", step="payment", kind="query", due_at=AT, priority=4, since=AT), cause, 0)


def test_a_row_that_is_due_again_at_the_same_time_is_another() -> None:
    """A call that was parked at a time, was made earlier as its partner came up, and is told to come at that same time: it is no repeat."""
    first, again = Task("invoice-1", (row("accepted-1"),)), Task("invoice-1", (row("accepted-2"),))

    assert first.command_id != again.command_id
    assert first.command_id == Task("invoice-1", (row("accepted-1"),)).command_id
