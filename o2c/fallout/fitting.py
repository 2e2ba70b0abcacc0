"""What of a file of reason codes fits the program and the table before it: what does not is named and left out, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, get_args

from o2c.kernel.reasons import HOURS, MOMENTS, OTHER_PARTNERS, UNSURE, WAITS_BY_ITSELF, Codes, OutageRule, Reason, Retries, RetryClass
from o2c.kernel.shapes import FaultClass, Origin, Recoverability, WaitingFor

Document = Mapping[str, Any]
"""A file of codes as parsed: `version`, `valid_from`, and of each of the other PARTS what it says."""
PARTS = frozenset({"version", "valid_from", "retries", "escalation", "tiers", "queues", "codes", "steps", "scheduled", "outages"})
"""The parts that a file of codes can have."""
SEVERITIES = range(1, 6)
LEVELS = 3
TIER_MAX = 9
_OF_CODE: Mapping[str, tuple[str, ...]] = {
    "fault_class": get_args(FaultClass), "origin": get_args(Origin), "recoverability": get_args(Recoverability),
    "retry": get_args(RetryClass), "waiting_for": get_args(WaitingFor),
}  # fmt: skip
_TEXTS = ("meaning", "next", "queue")
KEYS = frozenset({*_OF_CODE, *_TEXTS, "severity", "actions"})
"""The keys of a code; one that is new has all of them."""
_OF_QUEUE = frozenset({"owner", "runbook"})
_OF_STEP = frozenset({"silence", "codes"})
_OF_RETRIES = frozenset(field.name for field in fields(Retries))
_OF_OUTAGES = {field.name: (1, 10**9) for field in fields(OutageRule)} | {"usual_percent": (1, 99)}
"""The figures of a rule of outages, each with the least and the most that it can be."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A thing in a file that does not fit: the entry that it stands in (`codes.NP-CODE`, `steps.porting`, a part), and what is wrong with
    it."""

    entry: str
    what: str


@dataclass(slots=True)
class _Fitting:
    """A file at work: what of it fits so far, and what does not."""

    before: Codes
    document: Document
    actions: frozenset[str]
    kept: dict[str, Any] = field(default_factory=dict)
    misfits: list[Misfit] = field(default_factory=list)

    def entries(self, part: str) -> Iterator[tuple[str, Any, Callable[[str], None]]]:
        """The entries of a part, each with how to say that something of it does not fit; one that is no table is left out."""
        given = self.document.get(part, {})
        if not isinstance(given, Mapping):
            self.misfits.append(Misfit(part, f"{part} is no table"))
            return
        for name, row in given.items():
            yield name, row, partial(self.misfit, f"{part}.{name}")

    def misfit(self, entry: str, what: str) -> None:
        """Say that something of an entry does not fit."""
        self.misfits.append(Misfit(entry, what))

    def put(self, part: str, name: str, value: Any) -> None:
        """Keep an entry."""
        self.kept.setdefault(part, {})[name] = value


def fitted(document: Document, before: Codes, actions: frozenset[str]) -> tuple[Document, tuple[Misfit, ...]]:
    """What of a file fits over the table before it, and what does not.

    Of a known code, queue or step only what does not fit is left out, so that it stays as it was in that; a new code without all its keys
    is left out as a whole, and with it what partners' codes came to it. `actions` are the names of the table of actions.
    """
    work = _Fitting(before, document, actions)
    work.misfits += [Misfit(part, _none_of("the file", part, PARTS)) for part in document if part not in PARTS]
    work.kept |= {part: document[part] for part in ("version", "valid_from") if part in document}
    for each in (_queues, _codes, _steps, _retries, _escalation, _tiers, _scheduled, _outages):
        each(work)
    return work.kept, tuple(work.misfits)


def row_of(reason: Reason | None) -> dict[str, Any]:
    """A reason as a file would say it; empty for none."""
    return {name: getattr(reason, name) for name in KEYS} if reason else {}


def _queues(work: _Fitting) -> None:
    known = _known_queues(work.before)
    for name, row, misfit in work.entries("queues"):
        kept = _known_keys(f"queue {name}", row, _OF_QUEUE, misfit)
        kept = {key: value for key, value in kept.items() if _text(f"queue {name}", key, value, misfit)}
        if missing := _OF_QUEUE - {**known.get(name, {}), **kept}.keys():
            misfit(f"queue {name} lacks {', '.join(sorted(missing))}")
        else:
            work.put("queues", name, {**known.get(name, {}), **kept})


def _known_queues(codes: Codes) -> dict[str, dict[str, str]]:
    return {reason.queue: {"owner": reason.owner, "runbook": reason.runbook} for reason in codes.reasons.values()}


def _codes(work: _Fitting) -> None:
    queues = _known_queues(work.before).keys() | work.kept.get("queues", {}).keys()
    for code, row, misfit in work.entries("codes"):
        old = row_of(work.before.reasons.get(code))
        kept = {key: value for key, value in _known_keys(code, row, KEYS, misfit).items() if _value_fits(code, key, value, queues, misfit)}
        if isinstance(named := kept.get("actions"), list):
            kept["actions"] = [name for name in named if name in work.actions]
            for name in (name for name in named if name not in work.actions):
                misfit(f"{code}: no action is called {name}; there are {', '.join(sorted(work.actions))}")
        whole = {**old, **kept}
        if "retry" in whole and (whole["retry"] == "transient") != (whole.get("recoverability") == "transient"):
            misfit(f"{code}: what is transient is tried again as transient, and nothing else is")
            kept = {key: value for key, value in kept.items() if key not in ("retry", "recoverability")}
        elif code in UNSURE and whole.get("retry") in ("transient", "scheduled"):
            misfit(f"{code}: nobody knows whether the work was done, so a person tries it again, and the partner is asked first")
            kept = {key: value for key, value in kept.items() if key not in ("retry", "recoverability")}
        if missing := KEYS - {**old, **kept}.keys():
            misfit(f"{code} lacks {', '.join(sorted(missing))}")
        else:
            work.put("codes", code, kept)


def _value_fits(code: str, key: str, value: Any, queues: frozenset[str] | set[str], misfit: Callable[[str], None]) -> bool:
    flaw = ""
    if key in _OF_CODE and value not in _OF_CODE[key]:
        flaw = f"{key} is one of {', '.join(_OF_CODE[key])}, not {value!r}"
    elif key == "severity" and (type(value) is not int or value not in SEVERITIES):
        flaw = f"severity is a whole number from {SEVERITIES[0]} to {SEVERITIES[-1]}"
    elif key == "actions" and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        flaw = "actions are a list of names"
    elif key in _TEXTS and not isinstance(value, str):
        flaw = f"{key} is text"
    elif key == "queue" and value not in queues:
        flaw = f"no queue is called {value}; name it under [queues] with its owner and runbook"
    if flaw:
        misfit(f"{code}: {flaw}")
    return not flaw


def _steps(work: _Fitting) -> None:
    reasons = work.before.reasons.keys() | work.kept.get("codes", {}).keys()
    for name, row, misfit in work.entries("steps"):
        if name not in work.before.steps:
            misfit(f"no partner carries out a step called {name}")
            continue
        given = _known_keys(f"step {name}", row, _OF_STEP, misfit)
        codes = given.get("codes", {})
        if not isinstance(codes, Mapping):
            misfit(f"step {name}: codes are a table of the partner's codes")
            codes = {}
        for ours in (ours for ours in codes.values() if ours not in reasons):
            misfit(f"step {name}: no reason is called {ours}")
        step: dict[str, Any] = {"codes": {theirs: ours for theirs, ours in codes.items() if ours in reasons}}
        if "silence" in given and _silence_fits(work, name, given["silence"], misfit):
            step["silence"] = given["silence"]
        work.put("steps", name, step)


def _silence_fits(work: _Fitting, step: str, code: Any, misfit: Callable[[str], None]) -> bool:
    if code not in work.before.reasons and code not in work.kept.get("codes", {}):
        misfit(f"step {step}: no reason is called {code}")
        return False
    if _told(work, code, "recoverability") != "transient":
        misfit(f"step {step}: a silence is tried again, so its code must be a transient one")
        return False
    return True


def _retries(work: _Fitting) -> None:
    for kind, row, misfit in work.entries("retries"):
        if kind != "transient":
            misfit(_none_of("retries", kind, frozenset({"transient"})))
            continue
        given = _known_keys("retries.transient", row, _OF_RETRIES, misfit)
        for key in (key for key, value in given.items() if type(value) is not int or value < 0):
            misfit(f"retries.transient: {key} is a whole number from 0")
        if fits := {key: value for key, value in given.items() if type(value) is int and value >= 0}:
            work.put("retries", kind, fits)


def _escalation(work: _Fitting) -> None:
    for severity, levels, misfit in work.entries("escalation"):
        whole = isinstance(levels, list) and len(levels) == LEVELS and all(type(hours) is int and hours > 0 for hours in levels)
        if severity not in map(str, SEVERITIES) or not whole:
            misfit(f"escalation of severity {severity}: say {LEVELS} whole numbers of hours for a severity from 1 to 5")
        elif list(levels) != sorted(levels):
            misfit(f"escalation of severity {severity}: each level comes later than the one below")
        else:
            work.put("escalation", severity, levels)


def _tiers(work: _Fitting) -> None:
    for tier, place, misfit in work.entries("tiers"):
        if type(place) is not int or not 0 <= place <= TIER_MAX:
            misfit(f"tier {tier} is a whole number from 0 to {TIER_MAX}")
        else:
            work.put("tiers", tier, place)


def _scheduled(work: _Fitting) -> None:
    for code, when, misfit in work.entries("scheduled"):
        if _told(work, code, "retry") != "scheduled":
            misfit(f"{code} is no code of retry class scheduled, so no time is set for it")
        elif not isinstance(when, str) or (when not in {**WAITS_BY_ITSELF, **MOMENTS} and not HOURS.fullmatch(when)):
            words = ", ".join((*WAITS_BY_ITSELF, *MOMENTS))
            misfit(f"scheduled {code} is one of {words}, or hours such as 24h, not {when!r}")
        else:
            work.put("scheduled", code, when)
    for code in work.kept.get("codes", {}):
        timed = code in work.kept.get("scheduled", {}) or code in work.before.scheduled
        if _told(work, code, "retry") == "scheduled" and not timed:
            work.misfit(f"codes.{code}", f"{code} is scheduled, and [scheduled] does not say when; until it does, a person tries it again")


def _outages(work: _Fitting) -> None:
    for partner, row, misfit in work.entries("outages"):
        if partner not in {*work.before.outages, OTHER_PARTNERS}:
            misfit(f"outages: no partner is called {partner}; there are {', '.join(sorted(work.before.outages))}")
            continue
        kept = _known_keys(f"outages of {partner}", row, frozenset(_OF_OUTAGES), misfit)
        for name, figure in list(kept.items()):
            least, most = _OF_OUTAGES[name]
            if type(figure) is not int or not least <= figure <= most:
                misfit(f"outages of {partner}: {name} is a whole number from {least} to {most}")
                del kept[name]
        if kept:
            work.put("outages", partner, kept)


def _told(work: _Fitting, code: str, key: str) -> str:
    """What the table says of a code once the file is over it; empty for a code that there is not."""
    return str({**row_of(work.before.reasons.get(code)), **work.kept.get("codes", {}).get(code, {})}.get(key, ""))


def _known_keys(what: str, row: Any, known: frozenset[str], misfit: Callable[[str], None]) -> dict[str, Any]:
    """What a row says under keys that there are."""
    if not isinstance(row, Mapping):
        misfit(f"{what} is no table")
        return {}
    for key in (key for key in row if key not in known):
        misfit(_none_of(what, key, known))
    return {key: value for key, value in row.items() if key in known}


def _text(what: str, key: str, value: Any, misfit: Callable[[str], None]) -> bool:
    if not isinstance(value, str):
        misfit(f"{what}: {key} is text")
    return isinstance(value, str)


def _none_of(what: str, given: str, known: frozenset[str]) -> str:
    return f"{what} has {given!r}, which is none of {', '.join(sorted(known))}"
