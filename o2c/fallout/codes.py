"""The file of reason codes: the one of the package, and those that an operator loads over it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, cast

from o2c.fallout.actions import ACTIONS
from o2c.fallout.fitting import PARTS, Document, Misfit, fitted, row_of
from o2c.kernel.reasons import OTHER_PARTNERS, USUAL_OUTAGES, CodeBook, Codes, OutageRule, Reason, Retries, StepCodes
from o2c.kernel.refusal import Refused

__all__ = ["PARTS", "Document", "Misfit", "book_of", "checked", "misfits", "packaged", "parsed"]


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
    """The packaged table with an operator's own files over it, in the order in which they were loaded.

    A file that was right when it was loaded may name what a later program no longer has: what fits of it is in force, and `misfits` has the
    rest.
    """
    return CodeBook((*packaged().versions, *(codes for _, codes, _ in _folded(documents) if codes)))


def misfits(documents: tuple[str, ...]) -> tuple[tuple[str, Misfit], ...]:
    """What of an operator's files is not in force because it does not fit this program, each with the version of its file.

    What a later file says anew under the same entry stands in its place; a part that there is not counts as answered by any later file.
    """
    folded = list(_folded(documents))
    answered = [{*document, *(f"{part}.{name}" for part, rows in document.items() if isinstance(rows, Mapping) for name in rows)}
                for document, _, _ in folded]  # fmt: skip
    return tuple(
        (str(document.get("version", "(none)")), misfit)
        for place, (document, _, found) in enumerate(folded)
        for misfit in found
        if not any(misfit.entry in later or (misfit.entry not in PARTS and "." not in misfit.entry) for later in answered[place + 1 :])
    )


def _folded(documents: tuple[str, ...]) -> Iterator[tuple[Document, Codes | None, tuple[Misfit, ...]]]:
    """Each file as parsed, the table that it makes of the one before (None: nothing of it can be used), and what in it does not fit."""
    before = packaged().newest
    for text in documents:
        try:
            document = parsed(text)
            fits, found = fitted(document, before, frozenset(ACTIONS))
            before = _over(before, fits)
        except (Refused, KeyError) as flaw:
            yield {}, None, (Misfit("file", f"nothing of it can be used: {flaw}"),)
            continue
        yield document, before, found


def checked(book: CodeBook, text: str, actions: frozenset[str]) -> Codes:
    """The table that a file makes of the newest one. `actions` are the names of the table of actions.

    Raises Refused (usage) with the first thing in it that is wrong: an unknown part or key, a code without all its keys, a word that is
    none of its kind, a queue, code or step that there is not, a version that was loaded before.
    """
    document, before = parsed(text), book.newest
    fits, found = fitted(document, before, actions)
    try:
        if found:
            raise ValueError(found[0].what)
        if not str(document.get("version", "")).strip() or document["version"] in {codes.version for codes in book.versions}:
            raise ValueError("give it a `version` that was not loaded before")
        date.fromisoformat(str(document.get("valid_from", "")))
    except ValueError as flaw:
        raise Refused(f"no reason codes were loaded: {flaw}; `o2c fallout codes` shows the table as it stands") from None
    return _over(before, fits)


def _over(before: Codes | None, document: Document) -> Codes:
    """A document that fits over the table before it: codes, queues and steps that it names are changed, all others stay."""
    version, valid_from = str(document["version"]), str(document["valid_from"])
    old = before.reasons if before else {}
    queues = {reason.queue: {"owner": reason.owner, "runbook": reason.runbook} for reason in old.values()} | document.get("queues", {})
    rows = {code: {**row_of(old.get(code)), **row} for code, row in document.get("codes", {}).items()}
    changed = {code: _reason(code, row, queues, version, valid_from) for code, row in rows.items()}
    moved = {
        code: _reason(code, row_of(reason), queues, version, valid_from)
        for code, reason in old.items()
        if code not in changed and reason.queue in document.get("queues", {})
    }
    given = document.get("retries", {}).get("transient")
    retries = Retries(**given) if given else before.retries if before else Retries()
    hours = {int(severity): tuple(levels) for severity, levels in document.get("escalation", {}).items()}
    escalation = {**(before.escalation if before else {}), **hours}
    tiers = {**(before.tiers if before else {}), **document.get("tiers", {})}
    steps = {**(before.steps if before else {}), **_steps(before, document)}
    scheduled = {**(before.scheduled if before else {}), **document.get("scheduled", {})}
    reasons = {**old, **moved, **changed}
    scheduled = {code: when for code, when in scheduled.items() if reasons[code].retry == "scheduled"}
    outages = _outages(before.outages if before else {}, document.get("outages", {}))
    return Codes(version, valid_from, reasons, steps, retries, escalation, tiers, scheduled, outages)


def _outages(before: Mapping[str, OutageRule], given: Mapping[str, Mapping[str, int]]) -> dict[str, OutageRule]:
    """The rules of outages after those given: what a partner's own says stands over what is usual, and stays when the usual changes."""
    old = before.get(OTHER_PARTNERS, USUAL_OUTAGES)
    usual = replace(old, **given.get(OTHER_PARTNERS, {}))
    found = {OTHER_PARTNERS: usual}
    for partner in (before.keys() | given.keys()) - {OTHER_PARTNERS}:
        own = {name: figure for name, figure in asdict(before.get(partner, old)).items() if figure != getattr(old, name)}
        found[partner] = replace(usual, **{**own, **given.get(partner, {})})
    return found


def _reason(code: str, row: Mapping[str, Any], queues: Mapping[str, Mapping[str, str]], version: str, valid_from: str) -> Reason:
    fields = {**row, "actions": tuple(row["actions"]), **queues[row["queue"]]}
    return Reason(code=code, version=version, valid_from=valid_from, **fields)


def _steps(before: Codes | None, document: Document) -> dict[str, StepCodes]:
    found = {}
    for step, given in document.get("steps", {}).items():
        old = before.steps[step] if before else StepCodes(given["silence"])
        found[step] = StepCodes(given.get("silence", old.silence), {**old.codes, **given.get("codes", {})})
    return found
