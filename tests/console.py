"""Somebody at the console: pages as a browser without scripts has them, read with the parser of the standard library."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from o2c.desk.act import Context, Refused
from o2c.entrypoints.http.limits import Rates
from o2c.views.reading import caught_up
from tests.service import serving
from tests.world import World

VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})


def by_key(authorization: str) -> Context:
    """Stands for the keys of a store: `Bearer NAME:role` is that person in that role."""
    name, _, role = authorization.removeprefix("Bearer ").partition(":")
    if not name or not role:
        raise Refused("no valid key came with the request", kind="unauthenticated")
    return Context(name, roles=(role,))


@dataclass
class Node:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    inside: list[Any] = field(default_factory=list)

    def all(self, tag: str, **wanted: str) -> list["Node"]:
        """The elements within that have a tag and these attributes."""
        found = []
        for each in self.inside:
            if isinstance(each, Node):
                if each.tag == tag and all(each.attributes.get(name.rstrip("_")) == value for name, value in wanted.items()):
                    found.append(each)
                found += each.all(tag, **wanted)
        return found

    @property
    def text(self) -> str:
        """What a person reads of it."""
        said = "".join(each.text if isinstance(each, Node) else str(each) for each in self.inside if not _silent(each))
        return " ".join(said.split())


def _silent(each: Any) -> bool:
    return isinstance(each, Node) and each.tag in ("script", "style")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("page", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside += [" ", node] if tag in ("p", "td", "th", "li", "dd", "dt", "div", "h1", "h2") else [node]
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag in [node.tag for node in self.open[1:]]:
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


@dataclass(frozen=True)
class Seen:
    """A page as it came."""

    answer: httpx.Response

    @property
    def root(self) -> Node:
        """The elements of the page."""
        reader = _Reader()
        reader.feed(self.answer.text)
        return reader.root

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.answer.status_code

    @property
    def text(self) -> str:
        """What a person reads of the main part."""
        return " ".join(node.text for node in self.root.all("main"))

    @property
    def alerts(self) -> list[str]:
        """The lines that say that something went wrong, without the hidden one about the connection."""
        return [node.text for node in self.root.all("p", role="alert") if node.attributes.get("id") != "lost"]

    def form(self, action: str, /, **wanted: str) -> dict[str, str]:
        """The fields of a form as they stand, without its buttons; `wanted` are hidden values that tell it from others."""
        for form in self.root.all("form", action=action):
            values = {
                node.attributes["name"]: node.attributes.get("value", "")
                for node in form.all("input")
                if "name" in node.attributes and node.attributes.get("type") not in ("checkbox", "radio")
            }
            if all(values.get(name) == value for name, value in wanted.items()):
                return values
        raise AssertionError(f"no form to {action} with {wanted}: {[form.attributes for form in self.root.all('form')]}")

    def buttons(self) -> set[str]:
        """What the buttons of the main part say."""
        return {node.text for main in self.root.all("main") for node in main.all("button")}


@dataclass(frozen=True)
class Person:
    """Somebody with a browser of his own."""

    client: httpx.Client

    def opens(self, path: str) -> Seen:
        """Open a page."""
        return Seen(self.client.get(path))

    def sends(self, page: Seen, action: str, values: Mapping[str, Any] | None = None, /, **wanted: str) -> Seen:
        """Send a form of a page with some values changed."""
        return Seen(self.client.post(action, data={**page.form(action, **wanted), **(values or {})}))

    def signs_in(self, key: str) -> Seen:
        """Sign in with a key."""
        return self.sends(self.opens("/console/sign-in"), "/console/sign-in", {"key": key})


@dataclass(frozen=True)
class Console:
    """The console of a store, and who comes to it."""

    address: str

    @contextmanager
    def visited(self) -> Iterator[Person]:
        """Somebody who has not signed in."""
        with httpx.Client(base_url=self.address, timeout=60, follow_redirects=True) as client:
            yield Person(client)

    @contextmanager
    def by(self, name: str, role: str) -> Iterator[Person]:
        """Somebody signed in, in a role."""
        with self.visited() as person:
            assert person.signs_in(f"{name}:{role}").status == 200
            yield person


@contextmanager
def console(world: World, home: Path, *, links: Rates | None = None) -> Iterator[Console]:
    """The console on the store of a world."""
    with serving(world, home, who=by_key, links=links) as visitor:
        yield Console(str(visitor.client.base_url))


def rich_world(first: Callable[[World], object] = lambda world: None) -> Any:
    """A fixture `world` for a file of tests: one store in which everything has happened (`tests/rich.py`), for all of them; `first` is done in it before."""

    @pytest.fixture(scope="module")
    def world(rich_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
        made = World(rich_dsn, tmp_path_factory.mktemp("rich"))
        first(made)
        caught_up(made.app)
        yield made
        made.close()

    return world


@pytest.fixture(scope="module")
def console_of_world(world: World) -> Iterator[Console]:
    """The console of the store that a file of tests has for all of them."""
    with console(world, world.folder) as made:
        yield made


__all__ = ["Console", "Node", "Person", "Seen", "by_key", "console", "console_of_world", "rich_world"]
