"""Options that many commands share, and what a shell completes where the values are a fixed set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import typer

from o2c.views.codes import queues, reason_codes
from o2c.views.orders import ORDER_STATES

Actor = Annotated[str, typer.Option(metavar="NAME", envvar="O2C_ACTOR", help="Who acts; stands in the log.")]
CommandId = Annotated[str, typer.Option(metavar="UUID", help="Makes a repeat safe: what has the same id is done once.")]


def completing(values: Iterable[str] | Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Completes a word by those of the values that begin with it; a function gives them when they are wanted."""

    def complete(incomplete: str) -> list[str]:
        return sorted(value for value in (values() if callable(values) else values) if value.startswith(incomplete))

    return complete


complete_state = completing(ORDER_STATES)
complete_queue = completing(queues)
complete_reason = completing(reason_codes)
complete_decision = completing(("approve", "decline"))
