"""Changing part of a document: merge patch (RFC 7396) and JSON Patch (RFC 6902), whose paths may say which of several is meant.

A patch is applied to the document as its reader has it; what is different then is what is wished for.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from o2c.desk.act import Refused
from o2c.desk.amending import Amendment

MERGE = ("application/json", "application/merge-patch+json")
PATCH = "application/json-patch+json"
QUERY = "application/json-patch-query+json"
MEDIA_TYPES = (*MERGE, PATCH, QUERY)
CHANGEABLE = ("category", "description", "note", "notificationContact", "priority")
"""What of an order may change without touching how it is carried out."""
CARRIED_OUT = ("billingAccount", "productOrderItem", "requestedCompletionDate", "requestedStartDate")
"""What of an order may change while it is carried out, by a merge patch on its paper."""
OPERATIONS_MAX = 100
_WHICH = re.compile(r"(?P<path>[^?]*)\?(?P<name>[^=&]+)=(?P<value>[^&]*)")


def sent_as(kind: str, patch: Any) -> str:
    """A patch as one text, the same for the same patch of the same kind: what tells a repeat from another wish."""
    return json.dumps(["merge" if kind in MERGE else kind, patch], sort_keys=True, default=str)


def patched(target: Any, operations: Any, *, which: bool) -> Any:
    """A document after the operations of a JSON Patch (RFC 6902); with `which`, a path may end in `?productOrderItem.id=120`.

    Raises Refused: malformed for what is no patch, conflict for a place that is not there or a test that fails.
    """
    if not isinstance(operations, list) or not 0 < len(operations) <= OPERATIONS_MAX:
        raise Refused(f"a JSON Patch is a list of 1 to {OPERATIONS_MAX} operations", kind="malformed")
    made = copy.deepcopy(target)
    for operation in operations:
        if not isinstance(operation, dict) or operation.get("op") not in ("add", "remove", "replace", "move", "copy", "test"):
            raise Refused("an operation of a JSON Patch has an op: add, remove, replace, move, copy or test", kind="malformed")
        made = _applied(made, operation, which=which)
    return made


def _applied(target: Any, operation: Mapping[str, Any], *, which: bool) -> Any:
    op, path = operation["op"], _steps(target, operation.get("path"), which=which)
    if op in ("move", "copy"):
        source = _steps(target, operation.get("from"), which=which)
        value = copy.deepcopy(_at(target, source))
        return _added(_removed(target, source) if op == "move" else target, path, value)
    if op == "remove":
        return _removed(target, path)
    if "value" not in operation:
        raise Refused(f"the operation {op} has no value", kind="malformed")
    if op == "test":
        if _at(target, path) != operation["value"]:
            raise Refused("the order is not as the test of the patch expects; read it again", kind="conflict")
        return target
    if op == "replace":
        _at(target, path)
        return _put(target, path, operation["value"])
    return _added(target, path, operation["value"])


def _steps(target: Any, pointer: Any, *, which: bool) -> list[str]:
    """The names and places along a JSON pointer (RFC 6901). Of a list, the element that the query picks is meant."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise Refused("the path of an operation is a JSON pointer, such as /description", kind="malformed")
    told = _WHICH.fullmatch(pointer) if which else None
    steps = [part.replace("~1", "/").replace("~0", "~") for part in (told["path"] if told else pointer).split("/")[1:]]
    if told is None:
        return steps
    names, wanted = told["name"].split("."), unquote(told["value"])
    found: list[str] = []
    for step in steps:
        found.append(step)
        inner = _at(target, found)
        if isinstance(inner, list) and step == names[0]:
            places = [n for n, each in enumerate(inner) if isinstance(each, dict) and str(_at(each, names[1:], missing=None)) == wanted]
            if len(places) != 1:
                raise Refused(f"{len(places)} of {step} fit {told['name']}; a patch changes one", kind="conflict")
            found.append(str(places[0]))
    return found


_NOTHING = object()


def _at(target: Any, steps: list[str], missing: Any = _NOTHING) -> Any:
    for step in steps:
        if isinstance(target, dict) and step in target:
            target = target[step]
        elif isinstance(target, list) and step.isascii() and step.isdigit() and int(step) < len(target):
            target = target[int(step)]
        elif missing is not _NOTHING:
            return missing
        else:
            raise Refused("the patch names a place that the order does not have", kind="conflict")
    return target


def _put(target: Any, steps: list[str], value: Any) -> Any:
    if not steps:
        return value
    holder = _at(target, steps[:-1])
    holder[int(steps[-1]) if isinstance(holder, list) else steps[-1]] = value
    return target


def _added(target: Any, steps: list[str], value: Any) -> Any:
    if not steps:
        return value
    holder, last = _at(target, steps[:-1]), steps[-1]
    if isinstance(holder, list):
        if last != "-" and not (last.isascii() and last.isdigit() and int(last) <= len(holder)):
            raise Refused("the patch names a place that the order does not have", kind="conflict")
        holder.insert(len(holder) if last == "-" else int(last), value)
    elif isinstance(holder, dict):
        holder[last] = value
    else:
        raise Refused("the patch names a place that the order does not have", kind="conflict")
    return target


def _removed(target: Any, steps: list[str]) -> Any:
    _at(target, steps)
    if not steps:
        return None
    holder = _at(target, steps[:-1])
    del holder[int(steps[-1]) if isinstance(holder, list) else steps[-1]]
    return target


def amendment_of(before: Mapping[str, Any], after: Any) -> Amendment:
    """What is wished for, out of a document before and after a patch. Raises Refused (usage): it names what may not change, and what
    may."""
    if not isinstance(after, dict):
        raise Refused("the patch leaves no order")
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} - {"@type"}
    if fixed := sorted(changed - set(CHANGEABLE)):
        raise Refused(f"{', '.join(fixed[:5])[:200]} cannot be changed; what may be is {', '.join(CHANGEABLE)}")
    texts = {name: _text(after, name) for name in ("category", "description", "notificationContact") if name in changed}
    return Amendment(
        priority=_priority(after.get("priority")) if "priority" in changed else None,
        category=texts.get("category"),
        description=texts.get("description"),
        contact=texts.get("notificationContact"),
        note=_note(before.get("note", []), after.get("note")) if "note" in changed else None,
    )


def _text(after: Mapping[str, Any], name: str) -> str:
    value = after.get(name, "")
    if not isinstance(value, str):
        raise Refused(f"{name} is a text")
    return value


def _priority(value: Any) -> int:
    if not isinstance(value, str) or value not in ("0", "1", "2", "3", "4"):
        raise Refused('the priority is "0" to "4", "0" the highest')
    return int(value)


def _note(before: Any, after: Any) -> str:
    """The one note that was added; those that were there stay."""
    new = [note for note in after if note not in before] if isinstance(after, list) else []
    if not isinstance(after, list) or any(note not in after for note in before) or len(new) != 1:
        raise Refused("notes stay; one may be added at a time")
    text = new[0].get("text") if isinstance(new[0], dict) else None
    if not isinstance(text, str) or not text:
        raise Refused("a note has a text")
    return text
