"""Hooks of tests: a deliverer whose clock the test moves, and subscribers that are functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from o2c.desk.hooks import Subscribed, subscribe
from o2c.engine.app import Context, Engine
from o2c.running.hooks import Deliverer
from o2c.running.sending import Sent, send
from o2c.running.session import Session
from o2c.views.following import Wanted, find_events
from o2c.views.hooks import list_deliveries

ADMIN = Context("olga")
TAKEN = Sent(204, "", 1)
FAILED = Sent(500, "status-500", 1)
GONE = Sent(410, "status-410", 1)
URL = "https://shop.example/told"


@dataclass
class Post:
    """What was sent, in order: the id of each message and the headers it had; `answer` says what comes of it."""

    answer: Callable[[str, int], Sent] = lambda name, attempt: TAKEN
    sent: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, *, private: bool) -> Sent:
        """Stand for `send`."""
        name = headers["webhook-id"]
        self.sent.append((name, headers, body))
        return self.answer(name, [each for each, _, _ in self.sent].count(name))

    @property
    def ids(self) -> list[str]:
        """The ids of what was sent, in order."""
        return [name for name, _, _ in self.sent]


class Hooked:
    """A deliverer on the store of an engine, with a clock that stands until a test moves it."""

    def __init__(self, app: Engine, home: Path, *, post: Callable[..., Sent] = send) -> None:
        self.app, self.home = app, home
        self.now = datetime.now(UTC)
        self.deliverer = Deliverer(Session(app, home), send=post, clock=lambda: self.now)

    def subscribe(self, url: str = URL, *, by: Context = ADMIN, **options: Any) -> Subscribed:
        """Tell an address of events."""
        return subscribe(self.app, self.home, by, url, **options)

    def tell(self, hook: str) -> int:
        """Tell a hook all that may be told now; how many messages were sent."""
        return self.deliverer.attend(hook)

    def tell_later(self, hook: str) -> int:
        """Tell a hook all that may be told once the next attempt is due."""
        waiting = [row["next_at"] for row in list_deliveries(self.app, hook, state="pending")]
        firsts = [at for at in map(datetime.fromisoformat, waiting) if at > self.now]
        self.now = min(firsts, default=self.now) + timedelta(seconds=1)
        return self.tell(hook)

    def events(self, *types: str) -> list[Any]:
        """The events of the log, of some types, in its order."""
        return list(find_events(self.app, Wanted(types=types)))

    def states(self, hook: str) -> dict[str, int]:
        """How many deliveries of a hook there are in each state."""
        found: dict[str, int] = {}
        for row in list_deliveries(self.app, hook):
            found[row["state"]] = found.get(row["state"], 0) + 1
        return found
