"""A fix: data that is tried on fallouts before it is put in force. Reason codes as an operator loads them, and corrections of orders."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from o2c.fallout.codes import PARTS
from o2c.kernel.identifiers import digest
from o2c.kernel.refusal import Refused

OWN_PARTS = ("correct", "orders")
_OWN_TABLE = re.compile(rf"""\s*\[\s*["']?({"|".join(OWN_PARTS)})["']?\s*[.\]]""")
_ANY_TABLE = re.compile(r"\s*\[")
_SHAPE = """a fix has codes, steps, retries and what else a file of reason codes has (with its `version` and `valid_from`), [correct] with KEY = "VALUE" for
every fallout, and [orders.ORDER] with the same for one order"""


@dataclass(frozen=True, slots=True)
class Fix:
    """A fix as read. `codes` is the text of the reason codes in it (empty: none), `correct` what is corrected for every fallout, `orders` what is
    corrected for the fallouts of one order, by its id or external id. Corrected values may be personal."""

    codes: str = ""
    correct: Mapping[str, str] = field(default_factory=dict, repr=False)
    orders: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def changes(self, *names: str) -> dict[str, str]:
        """What is corrected for an order of these names: what is said for every one, and over it what is said for this one."""
        return {**self.correct, **{key: value for name in names for key, value in self.orders.get(name, {}).items()}}

    @property
    def fingerprint(self) -> str:
        """What tells this fix from another."""
        return digest(
            json.dumps([self.codes, dict(self.correct), {name: dict(each) for name, each in self.orders.items()}], sort_keys=True)
        )


def fix_of(text: str) -> Fix:
    """Read a fix from the text of its file (TOML).

    Raises Refused (usage) for text that is no TOML, for a part that is no data of a fix (markets, credit policy and plans are code), for one that
    fixes nothing, and for a correction that is not text.
    """
    document = _parsed(text)
    if others := document.keys() - PARTS - set(OWN_PARTS):
        raise Refused(
            f"the fix has {min(others)!r}, which cannot be tried: {_SHAPE}; markets, credit policy and plans are not data that can be loaded"
        )
    correct, orders = document.get("correct", {}), document.get("orders", {})
    for changes in (correct, *(orders.values() if isinstance(orders, dict) else [orders])):
        if not isinstance(changes, dict) or not all(isinstance(value, str) for value in changes.values()):
            raise Refused(f'a correction is KEY = "VALUE", as --correct takes it; {_SHAPE}')
    codes = _codes_part(text)
    of_codes = {key: value for key, value in document.items() if key not in OWN_PARTS}
    if _parsed(codes) != of_codes:
        raise Refused("write [correct] and [orders.ORDER] as tables of their own, with a heading each")
    if not (of_codes or correct or orders):
        raise Refused(f"the fix says nothing; {_SHAPE}")
    return Fix(codes if of_codes else "", correct, orders)


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"the fix is no TOML: {error}") from None


def _codes_part(text: str) -> str:
    """The text without the tables of corrections: what is loaded stays readable in the log, and corrected values may be personal."""
    kept, own = [], False
    for line in text.splitlines(keepends=True):
        if _ANY_TABLE.match(line):
            own = bool(_OWN_TABLE.match(line))
        if not own:
            kept.append(line)
    return "".join(kept)
