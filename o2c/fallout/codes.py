"""The file of reason codes: the one of the package, and those that an operator loads over it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, cast, get_args

from o2c.kernel.reasons import CodeBook, Codes, Reason, Retries, RetryClass, StepCodes
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import FaultClass, Origin, Recoverability, WaitingFor

Document = Mapping[str, Any]
"""A file of codes as parsed: `version`, `valid_from`, and of `retries`, `queues`, `codes` and `steps` what it says."""
PARTS = frozenset({"version", "valid_from", "retries", "escalation", "tiers", "queues", "codes", "steps"})
"""The parts that a file of codes can have."""
_OF_CODE: Mapping[str, tuple[str, ...]] = {
    "fault_class": get_args(FaultClass), "origin": get_args(Origin), "recoverability": get_args(Recoverability),
    "retry": get_args(RetryClass), "waiting_for": get_args(WaitingFor),
}  # fmt: skip
_TEXTS = ("meaning", "next", "queue")
_KEYS = frozenset({*_OF_CODE, *_TEXTS, "severity", "actions"})
SEVERITIES = range(1, 6)
LEVELS = 3
TIER_MAX = 9


def parsed(document: str) -> Document:
    """A file of codes, from its text. Raises Refused (usage) for one that is no TOML."""
    try:
        # A day that stands without quotes is its text.
        return cast("Document", json.loads(json.dumps(tomllib.loads(document), default=str)))
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"the file is no TOML: {error}; no reason codes were loaded") from None


@cache
def packaged() -> CodeBook:
    """The table of the package."""
    return CodeBook((_over(None, tomllib.loads(resources.files(__package__).joinpath("codes.toml").read_text(encoding="utf-8"))),))


def book_of(documents: tuple[str, ...]) -> CodeBook:
    """The packaged table with an operator's own files over it, in the order in which they were loaded. ValueError for one that does not fit."""
    versions = packaged().versions
    for document in documents:
        versions = (*versions, _over(versions[-1], parsed(document)))
    return CodeBook(versions)


def checked(book: CodeBook, text: str, actions: frozenset[str]) -> Codes:
    """The table that a file makes of the newest one. `actions` are the names of the table of actions.

    Raises Refused (usage) with the first thing in it that is wrong: an unknown part or key, a code without all its keys, a word that is none
    of its kind, a queue, code or step that there is not, a version that was loaded before.
    """
    document = parsed(text)
    try:
        _no_others("the file", document, PARTS)
        before = book.newest
        if not str(document.get("version", "")).strip() or document["version"] in {codes.version for codes in book.versions}:
            raise ValueError("give it a `version` that was not loaded before")
        date.fromisoformat(str(document.get("valid_from", "")))
        for code, row in document.get("codes", {}).items():
            _check_code(code, {**_as_row(before.reasons.get(code)), **row}, actions)
        _check_rules(document)
        codes = _over(before, document)
    except (ValueError, TypeError, AttributeError, KeyError) as flaw:
        what = f"it lacks {flaw}" if isinstance(flaw, KeyError) else str(flaw)
        raise Refused(f"no reason codes were loaded: {what}; `o2c fallout codes` shows the table as it stands") from None
    return codes


def _check_code(code: str, row: Mapping[str, Any], actions: frozenset[str]) -> None:
    _no_others(code, row, _KEYS)
    if missing := _KEYS - row.keys():
        raise ValueError(f"{code} lacks {', '.join(sorted(missing))}")
    for name, words in _OF_CODE.items():
        if row[name] not in words:
            raise ValueError(f"{code}: {name} is one of {', '.join(words)}, not {row[name]!r}")
    if row["severity"] not in SEVERITIES:
        raise ValueError(f"{code}: severity is a whole number from {SEVERITIES[0]} to {SEVERITIES[-1]}")
    if (row["retry"] == "transient") != (row["recoverability"] == "transient"):
        raise ValueError(f"{code}: what is transient is tried again as transient, and nothing else is")
    if unknown := [name for name in row["actions"] if name not in actions]:
        raise ValueError(f"{code}: no action is called {unknown[0]}; there are {', '.join(sorted(actions))}")


def _check_rules(document: Document) -> None:
    for severity, levels in document.get("escalation", {}).items():
        if (
            severity not in map(str, SEVERITIES)
            or len(levels) != LEVELS
            or not all(isinstance(hours, int) and hours > 0 for hours in levels)
        ):
            raise ValueError(f"escalation of severity {severity}: say {LEVELS} whole numbers of hours for a severity from 1 to 5")
        if list(levels) != sorted(levels):
            raise ValueError(f"escalation of severity {severity}: each level comes later than the one below")
    for tier, place in document.get("tiers", {}).items():
        if not isinstance(place, int) or not 0 <= place <= TIER_MAX:
            raise ValueError(f"tier {tier} is a whole number from 0 to {TIER_MAX}")


def _no_others(what: str, given: Mapping[str, Any], known: frozenset[str]) -> None:
    if others := given.keys() - known:
        raise ValueError(f"{what} has {min(others)!r}, which is none of {', '.join(sorted(known))}")


def _over(before: Codes | None, document: Document) -> Codes:
    """A document over the table before it: codes, queues and steps that it names are changed, all others stay."""
    version, valid_from = str(document["version"]), str(document["valid_from"])
    old = before.reasons if before else {}
    queues = {reason.queue: {"owner": reason.owner, "runbook": reason.runbook} for reason in old.values()} | document.get("queues", {})
    rows = {code: {**_as_row(old.get(code)), **row} for code, row in document.get("codes", {}).items()}
    changed = {code: _reason(code, row, queues, version, valid_from) for code, row in rows.items()}
    moved = {
        code: _reason(code, _as_row(reason), queues, version, valid_from)
        for code, reason in old.items()
        if code not in changed and reason.queue in document.get("queues", {})
    }
    reasons = {**old, **moved, **changed}
    steps = {**(before.steps if before else {}), **_steps(before, document, reasons)}
    given = document.get("retries", {}).get("transient")
    retries = Retries(**given) if given else before.retries if before else Retries()
    hours = {int(severity): tuple(levels) for severity, levels in document.get("escalation", {}).items()}
    escalation = {**(before.escalation if before else {}), **hours}
    tiers = {**(before.tiers if before else {}), **document.get("tiers", {})}
    return Codes(version, valid_from, reasons, steps, retries, escalation, tiers)


def _reason(code: str, row: Mapping[str, Any], queues: Mapping[str, Mapping[str, str]], version: str, valid_from: str) -> Reason:
    if row["queue"] not in queues:
        raise ValueError(f"{code}: no queue is called {row['queue']}; name it under [queues] with its owner and runbook")
    fields = {**row, "actions": tuple(row["actions"]), **queues[row["queue"]]}
    return Reason(code=code, version=version, valid_from=valid_from, **fields)


def _steps(before: Codes | None, document: Document, reasons: Mapping[str, Reason]) -> dict[str, StepCodes]:
    found = {}
    for step, given in document.get("steps", {}).items():
        if before and step not in before.steps:
            raise ValueError(f"no partner carries out a step called {step}")
        old = before.steps[step] if before else StepCodes(given["silence"])
        found[step] = StepCodes(given.get("silence", old.silence), {**old.codes, **given.get("codes", {})})
        if unknown := [code for code in (found[step].silence, *found[step].codes.values()) if code not in reasons]:
            raise ValueError(f"step {step}: no reason is called {unknown[0]}")
        if reasons[found[step].silence].recoverability != "transient":
            raise ValueError(f"step {step}: a silence is tried again, so its code must be a transient one")
    return found


def _as_row(reason: Reason | None) -> dict[str, Any]:
    return {name: getattr(reason, name) for name in _KEYS} if reason else {}
