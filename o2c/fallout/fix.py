"""A fix: data that is tried on fallouts before it is put in force. Reason codes as an operator loads them, and corrections of orders."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from o2c.fallout.codes import PARTS
from o2c.kernel.identifiers import digest
from o2c.kernel.refusal import Refused

OWN_PARTS = ("correct", "orders")
_ANY_TABLE = re.compile(r"\s*\[")
_SHAPE = """a fix has codes, steps, retries and what else a file of reason codes has (with its `version` and `valid_from`), [correct] with KEY = "VALUE" for
every fallout, and [orders.ORDER] with the same for one order"""


@dataclass(frozen=True, slots=True)
class Fix:
    """A fix as read. `codes` is the text of the reason codes in it (empty: none), `correct` what is corrected for every fallout, `orders`
    what is corrected for the fallouts of one order, by its id or external id. Corrected values may be personal."""

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

    Raises Refused (usage) for text that is no TOML, for a part that is no data of a fix (markets are code; credit policy and plan are told
    of what was, with `o2c counterfactual`), for one that fixes nothing, and for a correction that is not text.
    """
    document = toml_of(text, "the fix")
    if others := document.keys() - PARTS - set(OWN_PARTS):
        raise Refused(f"the fix has {min(others)!r}, which cannot be tried: {_SHAPE}; markets, credit policy and plans cannot be loaded")
    correct, orders = document.get("correct", {}), document.get("orders", {})
    for changes in (correct, *(orders.values() if isinstance(orders, dict) else [orders])):
        if not isinstance(changes, dict) or not all(isinstance(value, str) for value in changes.values()):
            raise Refused(f'a correction is KEY = "VALUE", as --correct takes it; {_SHAPE}')
    of_codes = {key: value for key, value in document.items() if key not in OWN_PARTS}
    codes = codes_part(text, "the fix", of_codes, OWN_PARTS)
    if not (of_codes or correct or orders):
        raise Refused(f"the fix says nothing; {_SHAPE}")
    return Fix(codes if of_codes else "", correct, orders)


def toml_of(text: str, what: str) -> dict[str, Any]:
    """The document of a text. Raises Refused (usage) for one that is no TOML; `what` names it."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{what} is no TOML: {error}") from None


def codes_part(text: str, what: str, of_codes: Mapping[str, Any], others: Sequence[str]) -> str:
    """The text without the tables of the other parts: what is loaded stays readable in the log, and corrected values may be personal.

    Raises Refused (usage) where what is left says not exactly `of_codes`.
    """
    other_table = re.compile(rf"""\s*\[\s*["']?({"|".join(others)})["']?\s*[.\]]""")
    kept, own = [], False
    for line in text.splitlines(keepends=True):
        if _ANY_TABLE.match(line):
            own = bool(other_table.match(line))
        if not own:
            kept.append(line)
    codes = "".join(kept)
    if toml_of(codes, what) != of_codes:
        raise Refused(f"write {' and '.join(f'[{name}]' for name in others)} as tables of their own, with a heading each")
    return codes
