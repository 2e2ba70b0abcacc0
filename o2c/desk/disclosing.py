"""Taking down who is shown what is personal, in one append, before it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from o2c.access.events import PersonalDataDisclosed
from o2c.access.permissions import BY_PERSON
from o2c.access.rules import disclose
from o2c.access.state import AccessState, access_stream
from o2c.desk.act import Deed, taken_down
from o2c.engine.app import Context, Engine
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.views.following import EventRecord
from o2c.views.ownership import customers_of

TRIES_MAX = 20
SUBJECTS_MAX = 100
"""So many things are named for each customer; of more, how many there were."""


def disclosed(app: Engine, context: Context, operation: str, answer: Any, kinds: Sequence[str], why: str) -> None:
    """Take down that an answer is about to be shown: for every customer in it, of which things.

    Raises Refused (unavailable) where that cannot be written: then the answer must not be shown.
    """
    subjects: dict[str, list[str]] = {}
    rows = _found_by_person(answer) if operation == "orders.find" else list(_rows(answer))
    unnamed = customers_of(app, {row["order"] for row in rows if not row["customer"] and row["order"]})
    for row in rows:
        subjects.setdefault(row["customer"] or unnamed.get(row["order"], ""), []).append(row["subject"])
    if not subjects:
        return
    if not app.takes_writes:
        raise Refused(
            f"{operation}: this server takes no writes, so that it cannot be taken down who sees it; ask the primary", kind="unavailable"
        )
    left = [_deed(context, operation, customer, named, kinds, why) for customer, named in sorted(subjects.items())]
    for _ in range(TRIES_MAX):
        # An own id each: every look is one of its own, however like another.
        outcomes = taken_down(app, replace(context, command_id=""), [replace(deed, command_id=str(uuid4())) for deed in left])
        left = [deed for deed, outcome in zip(left, outcomes, strict=True) if isinstance(outcome, Refused)]
        if not left:
            return
    raise Refused(f"{operation}: it could not be taken down who sees it, so it is not shown; ask again", kind="unavailable")


def _deed(context: Context, operation: str, customer: str, named: Sequence[str], kinds: Sequence[str], why: str) -> Deed:
    things = tuple(dict.fromkeys(named))
    more = (f"and {len(things) - SUBJECTS_MAX} more",) if len(things) > SUBJECTS_MAX else ()
    disclosure = PersonalDataDisclosed(
        customer=customer,
        operation=operation,
        subjects=(*things[:SUBJECTS_MAX], *more),
        kinds=tuple(kinds),
        roles=context.roles,
        note=why,
    )

    def rule(state: AccessState, at: datetime) -> Decision:
        return disclose(state, disclosure)

    return Deed(access_stream(customer), (rule,), ["disclose", operation, *things])


def _rows(answer: Any) -> Iterator[dict[str, str]]:
    """What an answer tells of, each with its customer and order where they are named."""
    if isinstance(answer, EventRecord):
        yield _row(customer=answer.customer, order=answer.order, fallout=None, record=None)
    elif isinstance(answer, dict):
        yield _row(
            customer=answer.get("customer") or answer.get("customer_id"),
            order=answer.get("order") or answer.get("order_id"),
            fallout=answer.get("fallout"),
            record=answer.get("record"),
        )
    elif isinstance(answer, list | tuple):
        for part in answer:
            yield from _rows(part)


def _row(*, customer: Any, order: Any, fallout: Any, record: Any) -> dict[str, str]:
    whole = {"record": record, "fallout": fallout, "order": order, "customer": customer}
    subject = next((f"{kind} {name}" for kind, name in whole.items() if isinstance(name, str) and name), "")
    return {"customer": customer or "", "order": order if isinstance(order, str) else "", "subject": subject or "what is no customer's"}


def _found_by_person(answer: Any) -> list[dict[str, str]]:
    """Of orders that were found, those to which a name or an e-mail led."""
    return [row for found in answer if set(found["found_by"].split(", ")) & set(BY_PERSON) for row in _rows(found)]
