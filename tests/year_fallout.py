"""What people do about fallouts of a year: most of what the network or a SIM platform did not do is asked for again, and some lines that serve nobody are given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from o2c.desk.fallout import Fail, Retry, resolve

if TYPE_CHECKING:
    from tests.year_deeds import Year

ON_FOR_NOBODY = ("esim-download", "cutover", "number-change")
"""The steps after which a line is on and does not serve its customer as it was ordered."""
OF_THE_NETWORK = ("activation", "activation-cancel", "service-change", "service-change-cancel", "product-off")
OPEN = "SELECT fallout::text AS fallout, step FROM projection.fallout WHERE state = 'open' AND step = ANY(%s) ORDER BY 1"
GIVEN_UP = 0.4


def with_fallouts(year: Year) -> None:
    """Each is looked at when people are at the desk: tried again, or its item given up."""
    for row in year.app.reads.rows(OPEN, [*ON_FOR_NOBODY, *OF_THE_NETWORK]):
        gives_up = row["step"] in ON_FOR_NOBODY and year.chance(row["fallout"], year.now, "gives up") < GIVEN_UP
        way = Fail() if gives_up else Retry()
        year.try_to(f"fallouts: {type(way).__name__.lower()} {row['step']}", resolve, row["fallout"], way, note="looked at")
