"""How values look on a page: times, money, ages, and the words of our own that a person reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from o2c.entrypoints.http.console import charts
from o2c.views.reading import amount_text, plain

STATES: Mapping[str, str] = {"partial": "partly done"}
"""States in the words of a person; what is not here reads as it is."""
STANDING: Mapping[str, str] = {"inProgress": "in hand", "awaitingInformation": "waits for an answer"}
"""The same of a fallout: what is in progress is in somebody's hand."""


def rendered(template: str, **values: Any) -> str:
    """A template with values."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("o2c.entrypoints.http.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        when=when,
        day=day,
        age=age,
        money=money,
        state=state,
        standing=standing,
        name=quoted,
        said=said,
        words=words,
        counted=counted,
        exact=exact,
        hours=hours,
    )
    made.globals.update(asset=asset, query=query, chart=charts)
    return made


def when(value: Any) -> Markup:
    """A time, told in UTC; the page's own script tells it local or relative where somebody wants that."""
    if not value:
        return Markup('<span class="none">not yet</span>')
    told = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    stamp = plain(told)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, stamp, f"{told:%d %b %Y %H:%M} UTC")


def day(value: Any) -> Markup:
    """A calendar day; it has no zone."""
    if not value:
        return Markup('<span class="none">none</span>')
    return Markup('<span class="day">{}</span>').format(f"{datetime.fromisoformat(str(value)[:10]):%d %b %Y}")


def age(seconds: Any) -> str:
    """How long, in two units."""
    if seconds is None:
        return "unknown"
    left = timedelta(seconds=max(int(seconds), 0))
    hours, minutes = left.seconds // 3600, left.seconds // 60 % 60
    if left.days:
        return f"{left.days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def hours(value: Any) -> str:
    """Hours with one place."""
    return "unknown" if value is None else f"{float(value):,.1f} h"


def money(amount_minor: Any, currency: Any) -> str:
    """An amount as a person reads it."""
    return amount_text(int(amount_minor), str(currency)) if amount_minor is not None and currency else "none"


def state(value: Any) -> str:
    """A state in the words of a person."""
    return STATES.get(str(value), words(value))


def standing(value: Any) -> str:
    """How a fallout stands, in the words of a person."""
    return STANDING.get(str(value), state(value))


def words(value: Any) -> str:
    """A name of the program's as words: `fail-item` is "fail item"."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in str(value))
    return spaced.replace("-", " ").replace("_", " ").strip()


def counted(many: int, what: str) -> str:
    """So many of something, as it is said: 1 day, 2 days."""
    return f"{many} {what}{'' if many == 1 else 's'}"


def quoted(value: Any) -> str:
    """A name as a part of a path."""
    return quote(str(value), safe="")


def said(value: Any, otherwise: str = "none") -> Any:
    """A value, or that there is none."""
    return Markup('<span class="none">{}</span>').format(otherwise) if value in (None, "", [], {}) else value


def exact(value: Any) -> str:
    """JSON to the letter, with sorted keys; whole numbers stay whole however large."""
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def query(values: Mapping[str, Any], **changes: Any) -> str:
    """The query of a page with some values changed; what says nothing is left out."""
    kept = {name: value for name, value in {**values, **changes}.items() if value not in ("", None, False)}
    return f"?{urlencode(kept)}" if kept else "?"


STATIC = files("o2c.entrypoints.http.console") / "static"
KINDS: Mapping[str, str] = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def static(name: str) -> bytes:
    """A file that pages need. Raises FileNotFoundError."""
    known = {entry.name: entry for entry in STATIC.iterdir() if entry.name.rpartition(".")[2] in KINDS}
    if name not in known:
        raise FileNotFoundError(name)
    return known[name].read_bytes()


def asset(name: str) -> str:
    """The address of a file that pages need, with a mark of its content, so that a browser never keeps an old one."""
    return f"/console/static/{name}?v={sha256(static(name)).hexdigest()[:12]}"
