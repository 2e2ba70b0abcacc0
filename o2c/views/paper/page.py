"""A paper as a page of its own: everything in one document, for a screen and for print."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from o2c.views.paper.content import Paper, quantity_text
from o2c.views.paper.pdf import facts, sums

if TYPE_CHECKING:
    from jinja2 import Template


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(loader=PackageLoader("o2c.views.paper"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return made.get_template("paper.html")


def page_of(paper: Paper) -> str:
    """Give the paper as an HTML document without scripts, and without anything from elsewhere."""
    return _template().render(paper=paper, facts=facts(paper), sums=sums(paper), quantity=quantity_text)
