"""What an order, an account or a plan pins by name never changes under that name: markets by version, the plan by its own."""

import json
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from o2c import plan
from o2c.markets.registry import MARKETS

GOLDEN = Path(__file__).parents[1] / "golden" / "pins"
MARKET_PINS = {market.pin: market for versions in MARKETS.values() for market in versions}
WANTED = [
    {**sim, **brings}
    for sim, brings in product(({}, {"simType": "esim"}, {"simType": "physical"}), ({}, {"portInNumber": "+447700900001"}))
]
"""What a line may ask for that decides which steps it gets."""


def plain(value: Any) -> Any:
    """A value as JSON, the same on every run."""
    if is_dataclass(value):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in sorted(value.items(), key=lambda pair: str(pair[0]))}
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if value is None or isinstance(value, (bool, int, str)):
        return value
    assert not callable(value), f"{value!r} is a rule and no data: what it does cannot be pinned by a version"
    return str(getattr(value, "pattern", value))


def of_plan() -> dict[str, Any]:
    """The steps that a line of each specification gets, for all that it may ask for, each with those it waits for."""
    book = plan.PlanBook(lambda version: plan.CATALOGUE.initial)
    return {
        specification: {json.dumps(wanted): plain(book.steps_of(specification, wanted)) for wanted in WANTED}
        for specification in sorted(plan.PLANS)
    }


PINS = {**{pin: plain(market) for pin, market in MARKET_PINS.items()}, f"plan@{plan.PLAN_VERSION}": of_plan()}


@pytest.mark.parametrize("pin", sorted(PINS))
def test_what_is_pinned_stands(pin: str) -> None:
    """Golden files are added and, once a version was released, never edited: orders that pinned it would be judged by other rules."""
    path = GOLDEN / f"{pin}.json"
    if os.environ.get("O2C_WRITE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(PINS[pin], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: run this test once with O2C_WRITE_GOLDEN=1 and look at what it writes"
    what = "plan.py: raise PLAN_VERSION" if pin.startswith("plan@") else "o2c/markets: add a version with a later valid_from"
    assert json.loads(path.read_text(encoding="utf-8")) == PINS[pin], (
        f"what {pin} means was changed; put it back and change {what}; or, if {pin} was never released, run this test once with O2C_WRITE_GOLDEN=1"
    )


def test_no_pin_is_lost() -> None:
    """Whoever pinned a market is judged by it for good: a version that was ever pinned stays in the program. Of plans only the newest is needed."""
    assert {path.stem for path in GOLDEN.glob("*.json") if not path.stem.startswith("plan@")} == set(MARKET_PINS)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"payment_terms_days": 99}, id="a number"),
        pytest.param({"tax_rates": ()}, id="a list"),
        pytest.param({"currency": "SEK"}, id="a word"),
    ],
)
@pytest.mark.parametrize("pin", sorted(MARKET_PINS))
def test_a_change_in_place_shows(pin: str, change: Mapping[str, Any]) -> None:
    """A control: any part that is another makes another pin."""
    assert plain(replace(MARKET_PINS[pin], **change)) != PINS[pin]
