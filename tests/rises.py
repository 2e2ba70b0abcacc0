"""Rises of prices in the laws of rules: the catalogue that they are announced in, and the rule that decides once."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from o2c.catalogue.rises import announce_rise
from o2c.catalogue.state import KIND
from o2c.kernel.decision import just
from tests.given import CATALOGUE, MARKET, MONDAY

WISH: dict[str, Any] = {
    "offering": "line", "rise_minor": 150, "from_day": date(2026, 2, 20), "market": MARKET, "on": MONDAY.date(), "at": MONDAY,
}  # fmt: skip
OF_RISES = [pytest.param(KIND, replace(CATALOGUE), lambda s: just(*announce_rise(s, **WISH)), id="announce-a-rise")]
"""By kind of stream and state, the rule that decides once and, on what it made, nothing."""
