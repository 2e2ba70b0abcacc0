"""Charts as SVG made on the server: readable without a script, in print, and by a screen reader, which reads the table beside each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT = 640, 220
LEFT, BELOW, ABOVE = 48, 24, 18


def spark(values: Sequence[float], label: str) -> Markup:
    """A row of small bars, such as how many a day."""
    top = max([*values, 1])
    bars = "".join(_bar(place * 9, 24 - 22 * value / top, 7, max(22 * value / top, 1), "bar") for place, value in enumerate(values))
    return _svg(9 * len(values), 24, label, bars, "spark")


def columns(days: Sequence[Mapping[str, Any]], x: str, series: Sequence[tuple[str, str]], label: str) -> Markup:
    """Columns side by side for each row: `x` names what stands below, `series` are (key, class)."""
    top = max([1, *(float(row[key] or 0) for row in days for key, _ in series)])
    wide = (WIDTH - LEFT) / max(len(days), 1)
    parts = [_axis(top)]
    for place, row in enumerate(days):
        for number, (key, kind) in enumerate(series):
            tall = (HEIGHT - ABOVE - BELOW) * float(row[key] or 0) / top
            left = LEFT + place * wide + wide * (0.1 + 0.8 * number / len(series))
            parts.append(_bar(left, HEIGHT - BELOW - tall, 0.8 * wide / len(series) - 1, tall, kind, f"{row[x]}: {row[key]} {key}"))
        if place % max(len(days) // 6, 1) == 0:
            parts.append(_text(LEFT + place * wide, HEIGHT - 6, str(row[x])[5:] if len(str(row[x])) == 10 else str(row[x])))
    return _svg(WIDTH, HEIGHT, label, "".join(parts))


def bars(rows: Sequence[Mapping[str, Any]], name: str, value: str, label: str, *, shares: bool = False) -> Markup:
    """Lying bars, one a row, each with its value; with `shares` with the share of all so far in its place (a Pareto chart)."""
    amounts = [float(row[value] or 0) for row in rows]
    top, whole, far = max([1.0, *amounts]), sum(amounts) or 1.0, 0.0
    parts = []
    for place, (row, amount) in enumerate(zip(rows, amounts, strict=True)):
        far += amount
        parts.append(_text(0, 17 + place * 24, str(row[name])[:18]))
        parts.append(_bar(150, 4 + place * 24, 380 * amount / top, 17, "bar", f"{row[name]}: {amount:g}"))
        parts.append(_text(154 + 380 * amount / top, 17 + place * 24, f"{100 * far / whole:.0f} %" if shares else f"{amount:,g}"))
    return _svg(WIDTH, max(24 * len(rows), 24), label, "".join(parts))


def scatter(points: Sequence[tuple[float, float]], lines: Sequence[tuple[str, float]], label: str) -> Markup:
    """Points (x between 0 and 1, y), with lines across at named heights."""
    top = max([1.0, *(y for _, y in points), *(y for _, y in lines)])
    tall = HEIGHT - ABOVE - BELOW
    parts = [_axis(top)]
    for x, y in points:
        parts.append(f'<circle class="point" cx="{LEFT + x * (WIDTH - LEFT - 8):.1f}" cy="{HEIGHT - BELOW - tall * y / top:.1f}" r="2.5"/>')
    for y in dict.fromkeys(y for _, y in lines):
        name = ", ".join(name for name, height in lines if height == y)
        at = HEIGHT - BELOW - tall * y / top
        parts.append(f'<line class="mark" x1="{LEFT}" x2="{WIDTH}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(_text(WIDTH, at - 4, name, "end"))
    return _svg(WIDTH, HEIGHT, label, "".join(parts))


def milestones(steps: Iterable[Mapping[str, Any]], label: str) -> Markup:
    """Steps one after another on a line: done, under way, waiting, to come."""
    rows = list(steps)
    wide = WIDTH / max(len(rows), 1)
    parts = [f'<line class="axis" x1="{wide / 2:.1f}" x2="{WIDTH - wide / 2:.1f}" y1="14" y2="14"/>'] if rows else []
    for place, row in enumerate(rows):
        middle = wide * (place + 0.5)
        parts.append(f'<circle class="stop {row["kind"]}" cx="{middle:.1f}" cy="14" r="7"><title>{_escaped(row["said"])}</title></circle>')
        # A name of several words stands on several lines, so that it fits between its neighbours.
        parts += [_text(middle, 38 + 13 * line, word, "middle") for line, word in enumerate(str(row["name"]).split()[:2])]
    return _svg(WIDTH, 56, label, "".join(parts), "chart stops")


def _axis(top: float) -> str:
    tall = HEIGHT - ABOVE - BELOW
    marks = [_text(LEFT - 6, HEIGHT - BELOW - tall * part + 4, f"{top * part:.3g}", "end") for part in (0, 0.5, 1)]
    return "".join([f'<line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{HEIGHT - BELOW}" y2="{HEIGHT - BELOW}"/>', *marks])


def _bar(x: float, y: float, wide: float, tall: float, kind: str, title: str = "") -> str:
    told = f"<title>{_escaped(title)}</title>" if title else ""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(wide, 0.5):.1f}" height="{tall:.1f}">{told}</rect>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_escaped(text)}</text>'


def _escaped(text: Any) -> str:
    return str(Markup.escape(text))


def _svg(wide: float, tall: float, label: str, parts: str, kind: str = "chart") -> Markup:
    # What stands in `parts` was escaped where it was made.
    return Markup(f'<svg class="{kind}" role="img" viewBox="0 0 {wide:.0f} {tall:.0f}"><title>{_escaped(label)}</title>{parts}</svg>')
