"""A verb or a view, as faces see it: its name, the one function behind it, who may use it, and how it is asked for somebody."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from o2c.desk.act import Context
from o2c.desk.gate import admitted, asked
from o2c.desk.roles import roles_for

_SENTENCE = re.compile(r".+?\.(?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Operation:
    """A verb or a view: its name, and the one function behind it on every face.

    `decided_by` is the view that shows what a verb changes: whoever calls from afar says which state of it he decided by.
    """

    name: str
    function: Callable[..., Any]
    decided_by: str = ""

    @property
    def who(self) -> tuple[str, ...]:
        """The roles that may use it in some way."""
        return roles_for(self.name)

    def ask(
        self, context: Context, *arguments: Any, why: str = "", kept: Callable[[Any], Any] = lambda answer: answer, **options: Any
    ) -> Any:
        """Call it for somebody: a face whose askers have several roles calls operations in this way and in no other.

        `arguments` and `options` are those of the function without its `context`. What is personal is masked, left out, or taken down with
        `why` before it is given, by the asker's roles; views of events take `identifiers`. What of an answer is `kept` is all that is
        given, and taken down. Raises Refused: forbidden, missing, and as the operation does. See `desk.gate`.
        """
        return asked(context, self.name, self.function, arguments, options, why=why, kept=kept)

    def admit(self, context: Context, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The options of a call, if somebody may make it, with what is his own named by its id.

        A face that looks something up before it asks (a version, a mark) asks this first: else it tells who may not what there is. Raises
        Refused as `ask` does.
        """
        return admitted(context, self.name, self.function, arguments, options)

    def opened_on(self, app: Any, home: Any) -> tuple[Any, ...]:
        """What its function takes of an open store, in the order in which it takes it: the engine, and the data folder."""
        store = {"app": app, "home": home}
        return tuple(store[name] for name in inspect.signature(self.function).parameters if name in store)

    @property
    def help(self) -> str:
        """What it does, in one sentence: the first of the function's docstring."""
        first = _SENTENCE.match(inspect.getdoc(self.function) or "")
        return " ".join(first[0].split()) if first else ""
