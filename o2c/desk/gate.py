"""The one gate before every operation: who may is checked, what is personal is left out or taken down, and what is another's is not there.

Verbs ask for themselves as well (`desk.act`); a view has nobody else who asks for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

from o2c.access.permissions import DISCLOSED, EVENTS, MASKED, OPERATOR, OWN, SEALED, SUBJECTS, YES
from o2c.desk.act import permitted, ways
from o2c.desk.disclosing import disclosed
from o2c.engine.app import Context, Engine
from o2c.kernel.refusal import Refused
from o2c.kernel.stream import category_of
from o2c.views.masking import masked_answer, sealed_answer
from o2c.views.ownership import OWN as OWN_BY_KIND

__all__ = ["DISCLOSED", "EVENTS", "admitted", "asked"]

IDENTIFIERS = "identifiers"
PERSONAL = ("personal", IDENTIFIERS)
"""The options by which a view gives what is personal."""
CAPTURED_BY = "captured_by"
"""The option of a list by which it gives what somebody captured."""
BATCH = 200
"""So many things of an answer that goes on are taken down together."""


def asked(
    context: Context,
    operation: str,
    function: Callable[..., Any],
    arguments: Sequence[Any],
    options: Mapping[str, Any],
    *,
    why: str = "",
    kept: Callable[[Any], Any] = lambda answer: answer,
) -> Any:
    """Call the function of an operation for somebody, and give its answer as he may see it.

    `arguments` and `options` are the function's own without its `context`. An option that asks for what is personal counts where the asker
    may see that; then it is taken down first, with `why`, and where it cannot be, nothing is shown. A face that looks through an answer
    says what of it is `kept`: only that is given, and taken down. Raises Refused: forbidden, missing (of what is not the asker's own, where
    he may see nothing else), and whatever the operation refuses.
    """
    context = permitted(context, operation)
    allowed = ways(context, operation)
    told, identifiers = dict(options), True
    if operation in EVENTS:
        identifiers = bool(told.pop(IDENTIFIERS, False)) or OPERATOR in context.roles
    call = _bound(function, context, arguments, told)
    is_view = "context" not in call.arguments
    whole = YES in allowed or (OWN in allowed and _is_own(context, operation, call, others=MASKED in allowed))
    personal = [name for name in PERSONAL if call.arguments.get(name)]
    for name in personal if not whole else ():
        call.arguments[name] = False
    sealed = _sealed(context, operation, call) if operation in EVENTS else frozenset()
    answer = function(*call.args, **call.kwargs)
    if not is_view or OPERATOR in context.roles:
        return kept(answer)
    if sealed:
        answer = sealed_answer(answer, sealed)
    if not whole or not identifiers:
        answer = masked_answer(answer)
    answer = kept(answer)
    is_asked_for = bool(personal) or operation == "orders.find" or (operation in EVENTS and identifiers)
    if YES not in allowed or not is_asked_for:
        return answer
    return _taken_down(_engine(call), context, operation, answer, why)


def _sealed(context: Context, operation: str, call: inspect.BoundArguments) -> frozenset[str]:
    """The kinds of stream whose events the asker may not see. Raises Refused (forbidden) where he asks for one of them by its name."""
    kinds = frozenset(kind for kind, view in SEALED.items() if not ways(context, view))
    if (kind := category_of(str(call.arguments.get("name", "")))) in kinds:
        raise Refused(
            f"{context.actor} may not use {operation} on {kind} streams; ask for a role that may {SEALED[kind]}", kind="forbidden"
        )
    return kinds


def admitted(
    context: Context, operation: str, function: Callable[..., Any], arguments: Sequence[Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """The options of a call, if the asker may make it, with what is his own named by its id: for who looks something up before he calls.

    What is looked up without this tells everybody what there is. Raises Refused as `asked` does: forbidden, missing, usage.
    """
    context = permitted(context, operation)
    own = {name: value for name, value in options.items() if not (operation in EVENTS and name == IDENTIFIERS)}
    call = _bound(function, context, arguments, own)
    allowed = ways(context, operation)
    if operation in EVENTS:
        _sealed(context, operation, call)
    if YES not in allowed and OWN in allowed:
        _is_own(context, operation, call, others=MASKED in allowed)
    return {**options, **{name: call.arguments[name] for name in own if name in call.arguments}}


@cache
def _parameters(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def _bound(function: Callable[..., Any], context: Context, arguments: Sequence[Any], options: Mapping[str, Any]) -> inspect.BoundArguments:
    """The call of a function, with the context where it takes one. Raises Refused (usage) for arguments that it does not take."""
    signature = _parameters(function)
    given, names = list(arguments), list(signature.parameters)
    named = dict(options)
    if "context" in names:
        place = names.index("context")
        positional = signature.parameters["context"].kind is not inspect.Parameter.KEYWORD_ONLY
        if positional and len(given) >= place:
            given.insert(place, context)
        else:
            named["context"] = context
    try:
        return signature.bind(*given, **named)
    except TypeError as error:
        raise Refused(f"{function.__name__}: {error}; see what it takes") from None


def _is_own(context: Context, operation: str, call: inspect.BoundArguments, *, others: bool) -> bool:
    """Whether what is asked for is the asker's own; with `others` he may see those as well, masked. Raises Refused (missing)."""
    if CAPTURED_BY in _parameters_of(call):
        if not others:
            call.arguments[CAPTURED_BY] = context.actor
        return not others
    kind, argument = SUBJECTS[operation]
    name = str(call.arguments[argument])
    if own := OWN_BY_KIND[kind](_engine(call), context.actor, name):
        call.arguments[argument] = own
        return True
    if others:
        return False
    raise Refused(f"{context.actor} has no {kind} {name}; give one that it captured or registered itself", kind="missing")


def _parameters_of(call: inspect.BoundArguments) -> Mapping[str, inspect.Parameter]:
    return call.signature.parameters


def _engine(call: inspect.BoundArguments) -> Engine:
    engine = call.arguments["app"]
    assert isinstance(engine, Engine)
    return engine


def _taken_down(app: Engine, context: Context, operation: str, answer: Any, why: str) -> Any:
    """An answer, once it stands in the log that it was given; of one that goes on, part by part."""
    if not isinstance(answer, Iterator):
        disclosed(app, context, operation, answer, DISCLOSED.get(operation, UNNAMED), why)
        return answer
    return _part_by_part(app, context, operation, answer, why)


UNNAMED = ("personal",)
"""The kind of what a view gives that the table does not name."""


def _part_by_part(app: Engine, context: Context, operation: str, answer: Iterator[Any], why: str) -> Iterator[Any]:
    for first in answer:
        # A page is a part; single things are taken together, as far as they are there.
        parts = [first] if isinstance(first, list) else [first, *islice(answer, BATCH - 1)]
        for part in parts if isinstance(first, list) else (parts,):
            disclosed(app, context, operation, part, DISCLOSED.get(operation, UNNAMED), why)
        yield from parts
