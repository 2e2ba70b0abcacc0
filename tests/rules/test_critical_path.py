"""What the end of an order really waited for, where several things were waited for at once: one table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from projections.critical_path import critical_path, waited_s
from projections.engine.seen import stamp

BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)


def hour(hours: float) -> datetime:
    return BEGUN + timedelta(hours=hours)


def step(*changes: tuple[float, str], waits: tuple[str, ...] = (), known: float | None = None) -> dict[str, Any]:
    """A step as the fold keeps it: who is waited for from which hour on (empty: nobody any more)."""
    return {
        "line": [[stamp(hour(at)), who] for at, who in changes],
        "waits": list(waits),
        "known": None if known is None else stamp(hour(known)),
    }


PARCEL = step((1, "partner"), (30, ""), waits=("1/sim",))
SIM = step((0, "us"), (1, ""))
TABLE = [
    pytest.param({}, 5, {"us": 5}, id="nothing under way is ours"),
    pytest.param({"1/sim": SIM, "1/delivery": PARCEL}, 30, {"us": 1, "partner": 29}, id="one after another"),
    pytest.param(
        {"1/sim": SIM, "1/delivery": PARCEL, "1/cutover": step((1, "regulator"), (100, ""))}, 100, {"us": 1, "regulator": 99},
        id="the notice outlasts the parcel, so the parcel cost nothing",
    ),
    pytest.param(
        {"1/sim": SIM, "1/delivery": step((1, "partner"), (2, "us"), (20, "partner"), (100, "")), "1/cutover": step((1, "regulator"), (50, ""))}, 100,
        {"us": 19, "partner": 81}, id="our fallout counts where the end waited for it",
    ),
    pytest.param(
        {"1/esim": step((0, "partner"), (2, "")), "1/number": step((0, "us"), (3, "")), "1/activation": step((3, "customer"), (4, ""), waits=("1/number",))}, 4,
        {"us": 3, "customer": 1}, id="what was waited for comes before what was not",
    ),
    pytest.param(
        {"1/a": step((0, "partner"), (3, "")), "1/b": step((0, "us"), (3, "")), "1/c": step((3, "partner"), (4, ""), waits=("1/a",))}, 4,
        {"partner": 4}, id="of two that ended together that one which the next step waits for",
    ),
    pytest.param({"1/a": step((0, "partner"), (2, "")), "1/b": step((3, "partner"), (4, ""))}, 4, {"partner": 3, "us": 1}, id="a gap between two is ours"),
    pytest.param({"1/a": step((0, "partner")), "1/b": step((0, "us"))}, 4, {"us": 4}, id="open: ours is not excused by a partner's"),
    pytest.param({"1/a": step((0, "partner")), "1/b": step((0, "customer"))}, 4, {"customer": 4}, id="open: a customer before a partner"),
    pytest.param({"1/a": step((0, "us"), known=5), "1/b": step((0, "partner"))}, 4, {"partner": 4}, id="open: what has no known end before what has"),
    pytest.param({"1/a": step((0, "us"), known=5), "1/b": step((0, "partner"), known=9)}, 4, {"partner": 4}, id="open: of known ends the last"),
    pytest.param({"1/a": step((0, "us"), known=3), "1/b": step((0, "partner"), known=9)}, 4, {"us": 4}, id="open: an end that is past is known no more"),
    pytest.param({"1/a": step((0, "us"), (4, "")), "1/b": step((2, "partner"))}, 4, {"us": 2, "partner": 2}, id="open: what goes on before what has just ended"),
    pytest.param({"1/a": step((0, "customer"), (24, "us"))}, 4, {"customer": 4}, id="open: what is foreseen for later has not come"),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "ended", "hours"), TABLE)
def test_who_was_waited_for(steps: dict[str, dict[str, Any]], ended: float, hours: dict[str, int]) -> None:
    """In whole hours, from capture on."""
    found = waited_s(critical_path(steps, BEGUN, hour(ended)))

    assert {who: seconds / 3_600 for who, seconds in found.items() if seconds} == hours
