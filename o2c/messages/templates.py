"""The words of messages: packaged ones and the operator's own over them, in versions that stay for good, so that a text can be made again.
Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from string import Template
from typing import Any, get_args

from o2c.kernel.refusal import Refused
from o2c.messages.events import Milestone

FALLBACK = "en"
"""The language of who wants one that no template has."""
FIELDS = frozenset({
    "order", "name", "operator", "day", "before", "reference", "number", "provider", "bill", "amount", "currency", "owed", "need",
})  # fmt: skip
"""What a template may name with a dollar sign."""
NOTICE: Milestone = "notice"
"""What a trigger tells, in words of its own: no template has it."""
MILESTONES: tuple[str, ...] = tuple(name for name in get_args(Milestone) if name != NOTICE)
_FRAME = ("greeting", "closing", "date", "months", "needs")
_LANGUAGE = re.compile(r"[a-z]{2}")
_VERSION = re.compile(r"[\w.-]{1,40}")
_DAYS = ("day", "before")
"""Fields whose value is a day (ISO), which each language writes in its own way."""
PACKAGED = tuple(
    resources.files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("templates.toml", "leaving.toml", "numbers.toml")
)
"""The released versions, the oldest first."""


@dataclass(frozen=True, slots=True)
class Text:
    """A message as the customer reads it."""

    subject: str
    body: str


class TemplateBook:
    """All versions, in the order in which they were loaded; the newest one that has a text is in force for it."""

    def __init__(self, documents: Sequence[str]) -> None:
        read = [tomllib.loads(document) for document in (*PACKAGED, *documents)]
        self._versions: dict[str, Mapping[str, Any]] = {each["version"]: each for each in read}

    @property
    def versions(self) -> Mapping[str, Mapping[str, Any]]:
        """What each version says, by its name."""
        return self._versions

    def language(self, *wanted: str, tells: str = NOTICE) -> str:
        """The first of some languages that there are words in for a milestone: one of an operator's own may lack those that came since. Of
        a tag such as pt-PT the part before the dash counts."""
        known = {name for each in self._versions.values() for name in each if name != "version" and self._tells(each, name, tells)}
        return next((code for each in wanted if (code := each.partition("-")[0].lower()) in known and _LANGUAGE.fullmatch(code)), FALLBACK)

    def in_force(self, language: str, milestone: str) -> str:
        """The version whose words tell a milestone in a language now."""
        return next(name for name, each in reversed(self._versions.items()) if self._tells(each, language, milestone))

    @staticmethod
    def _tells(told: Mapping[str, Any], language: str, milestone: str) -> bool:
        return language in told and (milestone == NOTICE or milestone in told[language].get("messages", {}))

    def text(self, version: str, language: str, milestone: str, values: Mapping[str, str]) -> Text:
        """The text of a message by the words of a version; a part of the frame that it does not have is that of the versions before it."""
        words = values if milestone == NOTICE else self._versions[version][language]["messages"][milestone]
        frame = self._frame(version, language)
        told = {name: _day(frame, value) if name in _DAYS and value else value for name, value in values.items()}
        told["need"] = frame["needs"].get(values.get("need", ""), frame["needs"]["default"])
        parts = (frame["greeting"], words["text"], frame["closing"])
        return Text(
            Template(words["subject"]).safe_substitute(told), "\n\n".join(Template(part).safe_substitute(told) for part in parts) + "\n"
        )

    def _frame(self, version: str, language: str) -> dict[str, Any]:
        names = list(self._versions)
        frame: dict[str, Any] = {}
        for name in names[: names.index(version) + 1]:
            of_language = self._versions[name].get(language, {})
            needs = {**frame.get("needs", {}), **of_language.get("needs", {})}
            frame |= {key: of_language[key] for key in _FRAME if key in of_language} | {"needs": needs}
        return frame


@cache
def book_of(documents: tuple[str, ...]) -> TemplateBook:
    """The book of the packaged versions and of files over them."""
    return TemplateBook(documents)


def _day(frame: Mapping[str, Any], text: str) -> str:
    day = date.fromisoformat(text)
    return Template(frame["date"]).safe_substitute(day=str(day.day), month=frame["months"][day.month - 1], year=str(day.year))


def checked(documents: Sequence[str], text: str) -> str:
    """The version of a file that may be loaded over those before it.

    Raises Refused (usage) with the first thing in it that is wrong: no TOML, a version that is known, a milestone or field that there is
    not, a language of which something is missing.
    """
    try:
        told = tomllib.loads(text)
        before = TemplateBook(documents)
        if flaw := next(_flaws(told, before), ""):
            raise ValueError(flaw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise Refused(f"no templates were loaded: {what}") from None
    return str(told["version"])


def _flaws(told: Mapping[str, Any], before: TemplateBook) -> Iterator[str]:
    version = told["version"]
    if not isinstance(version, str) or not _VERSION.fullmatch(version) or version in before.versions:
        yield "give it a `version` of its own: a word that was not loaded before"
    languages = {name: each for name, each in told.items() if name != "version"}
    if not languages:
        yield "it has no language, such as [en.messages.received]"
    for code, each in languages.items():
        if not _LANGUAGE.fullmatch(code):
            yield f"{code[:20]!r} is no language of two letters"
        yield from (f"{code}: {flaw}" for flaw in _of_language(each, complete=before.language(code) != code))


def _of_language(each: Mapping[str, Any], *, complete: bool) -> Iterator[str]:
    messages = each.get("messages", {})
    if unknown := sorted({*each} - {*_FRAME, "messages"}) or sorted({*messages} - {*MILESTONES}):
        yield f"there is no {unknown[0][:40]!r}; the messages are {', '.join(MILESTONES)}"
    if complete and (missing := [key for key in _FRAME if key not in each] + [name for name in MILESTONES if name not in messages]):
        yield f"a language that is new needs {missing[0]!r} as well"
    if "months" in each and len(each["months"]) != 12:
        yield "a year has twelve months"
    if complete and "default" not in each["needs"]:
        yield "needs lack a default"
    for name, words in messages.items():
        yield from (f"{name}: {flaw}" for flaw in _of_words(words))
    for key in ("greeting", "closing"):
        yield from (f"{key}: {flaw}" for flaw in flaws_of_text(each.get(key, "")))


def _of_words(words: Mapping[str, Any]) -> Iterator[str]:
    for part in ("subject", "text"):
        if not isinstance(words[part], str) or not words[part].strip():
            yield f"its {part} is no text"
        yield from flaws_of_text(words[part])
    if "\n" in words["subject"]:
        yield "a subject is one line"


def flaws_of_text(text: str) -> Iterator[str]:
    """What is wrong with the fields that a text names with a dollar sign."""
    template = Template(text)
    if not template.is_valid():
        yield "a dollar sign that names nothing is written twice"
    if unknown := sorted({*template.get_identifiers()} - FIELDS):
        yield f"there is no ${unknown[0][:40]}; use {', '.join('$' + name for name in sorted(FIELDS))}"
