"""What the Python face has around each of its verbs and views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import uuid4

from o2c.desk.act import Context, Refused
from o2c.running.failing import NO_ANSWER

P = ParamSpec("P")
T = TypeVar("T")


def answered(verb: Callable[P, T]) -> Callable[P, T]:
    """A server that does not answer is one kind of refusal, whichever library noticed it."""

    @wraps(verb)
    def asked(*arguments: P.args, **options: P.kwargs) -> T:
        if getattr(arguments[0], "_closed", False):
            raise Refused("this OrderToCash was closed; open another one")
        try:
            return verb(*arguments, **options)
        except NO_ANSWER as error:
            raise Refused(
                f"{verb.__name__}: the database did not answer ({type(error).__name__}); what was asked may have been done:"
                " ask again with the same command id",
                kind="unavailable",
            ) from None

    return asked


def occurring(context: Context) -> Context:
    """For what happens as often as it is told: without an id of the caller's every call is one of its own."""
    return context if context.command_id else replace(context, command_id=str(uuid4()))
