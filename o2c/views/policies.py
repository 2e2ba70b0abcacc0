"""A policy that is tried on history: reason codes, credit policy and plan data, read from one file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from o2c.fallout import codes
from o2c.fallout.actions import ACTIONS
from o2c.fallout.codes import PARTS
from o2c.fallout.fix import OWN_PARTS, codes_part, toml_of
from o2c.kernel.identifiers import digest
from o2c.kernel.reasons import CodeBook
from o2c.kernel.refusal import Refused

if TYPE_CHECKING:
    from o2c.plan import PlanBook

PLAN_PARTS = ("credit", "plan")
ALWAYS = "0001-01-01"
SECONDS_MAX = 30 * 24 * 3600
SILENCES_MOST = 1_000
_NUMBERS = {"lead_s": SECONDS_MAX, "silences_max": SILENCES_MOST}
_SHAPE = """a policy has what a file of reason codes has, [credit.MARKET] with fields of the credit policy, [plan.steps.STEP] with lead_s or silences_max,
and [plan.waits.SPECIFICATION] with STEP = ["STEP", ...]"""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as read. `codes` is the text of its reason codes (empty: those in force); `credit` by market; `leads`, `silences` and
    `waits` by step, the last by specification first."""

    fingerprint: str
    codes: str = ""
    credit: Mapping[str, Any] = field(default_factory=dict)
    leads: Mapping[str, timedelta] = field(default_factory=dict)
    silences: Mapping[str, int] = field(default_factory=dict)
    waits: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def of_every_order(self) -> bool:
        """Whether it may touch orders in which nothing fell out."""
        return bool(self.credit or self.leads or self.silences or self.waits)

    def judged(self, book: PlanBook) -> PlanBook:
        """The book by which answers are judged: with its codes, as in force from the beginning, its credit policy, its patience.

        Raises Refused (usage) for data that does not fit.
        """
        if self.codes:
            tried = CodeBook((replace(codes.checked(book.codes, self.codes, frozenset(ACTIONS)), valid_from=ALWAYS),))
            book = replace(book, loaded_codes=lambda: tried)
        if self.credit:
            book = _fitting(lambda: book.crediting(self.credit, self.fingerprint[:12]))
        return _fitting(lambda: book.patient(self.silences)) if self.silences else book

    def timed(self, book: PlanBook) -> PlanBook:
        """The book by which steps begin and are due: with its leads and waits. Raises Refused (usage) for data that does not fit."""
        return _fitting(lambda: book.timed(self.leads, self.waits)) if self.leads or self.waits else book


def policy_of(text: str) -> Policy:
    """Read a policy from the text of its file (TOML).

    Raises Refused (usage) for text that is no TOML, for corrections, for a part that is no data of a policy, and for one that says nothing.
    """
    document = toml_of(text, "the policy")
    if document.keys() & set(OWN_PARTS):
        raise Refused("a policy corrects no order; prove corrections with `o2c fallout prove`")
    if others := document.keys() - PARTS - set(PLAN_PARTS):
        raise Refused(f"the policy has {min(others)!r}, which cannot be tried: {_SHAPE}; markets are code")
    of_codes = {key: value for key, value in document.items() if key not in PLAN_PARTS}
    if not document:
        raise Refused(f"the policy says nothing; {_SHAPE}")
    text_of_codes = codes_part(text, "the policy", of_codes, PLAN_PARTS) if of_codes.keys() - {"version", "valid_from"} else ""
    steps, waits = _plan(document.get("plan", {}))
    return Policy(
        digest(json.dumps([text_of_codes, document.get("credit", {}), document.get("plan", {})], sort_keys=True)),
        text_of_codes,
        _table(document.get("credit", {}), "credit"),
        {name: timedelta(seconds=row["lead_s"]) for name, row in steps.items() if "lead_s" in row},
        {name: row["silences_max"] for name, row in steps.items() if "silences_max" in row},
        {name: {step: tuple(named) for step, named in row.items()} for name, row in waits.items()},
    )


def _plan(plan: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if flaw := next(_flaws(_table(plan, "plan")), ""):
        raise Refused(f"{flaw}; {_SHAPE}")
    return plan.get("steps", {}), plan.get("waits", {})


def _flaws(plan: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"plan has {name!r}" for name in plan.keys() - {"steps", "waits"})
    for step, row in _table(plan.get("steps", {}), "plan.steps").items():
        for name, value in _table(row, f"plan.steps.{step}").items():
            if name not in _NUMBERS or type(value) is not int or not 0 <= value <= _NUMBERS[name]:
                yield f"plan.steps.{step}: {name} is none of its whole numbers"
    for specification, row in _table(plan.get("waits", {}), "plan.waits").items():
        for step, named in _table(row, f"plan.waits.{specification}").items():
            if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
                yield f"plan.waits.{specification}: {step} is a list of steps"


def _table(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(f"{name} is no table; {_SHAPE}")
    return value


def _fitting(made: Callable[[], PlanBook]) -> PlanBook:
    try:
        return made()
    except ValueError as flaw:
        raise Refused(f"the policy does not fit: {flaw}") from None
