"""An order of ours as the productOrder of TMF622, v4 or v5, and its cancellations as tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from o2c.entrypoints.http.tmf.shaping import shaped
from o2c.entrypoints.http.tmf.values import stamp_ms, text

Document = Mapping[str, Any]
BASE = "/tmf-api/productOrderingManagement/v{version}"
FROM_PAPER = frozenset({
    "agreement", "billingAccount", "cancellationReason", "channel", "description", "note", "notificationContact", "orderTotalPrice", "payment",
    "productOfferingQualification", "productOrderItem", "quote", "relatedParty", "orderRelationship",
})  # fmt: skip
"""What a reader gets out of the paper that was captured, and with it what is personal; everything else is told by us."""
ONLY_V5 = ("productOrderErrorMessage", "productOrderJeopardyAlert", "productOrderMilestone")
"""What only v5 tells: of the course of an order."""
_NOT_OF_PAPER = ("id", "href", "state", "externalIdentifier", "orderDate", "creationDate", "completionDate", "cancellationDate",
    "expectedCompletionDate", "requestedInitialState", *ONLY_V5)  # fmt: skip
"""What a channel may write, and we decide."""
_STATUSES = {"reached": "Completed", "missed": "Violated", "to come": "Yet-To-Reach"}
TASK_STATES = {"asked for": "acknowledged", "under way": "inProgress", "done": "done", "refused": "terminatedWithError"}
"""By the state of a cancellation, that of its task."""


def order_path(order: str, version: int) -> str:
    """Where an order is."""
    return f"{BASE.format(version=version)}/productOrder/{order}"


def task_path(cancellation: str, version: int) -> str:
    """Where a cancellation is."""
    return f"{BASE.format(version=version)}/cancelProductOrder/{cancellation}"


def product_order(document: Document, version: int) -> dict[str, Any]:
    """An order in the shape of a version. Without its paper (it is personal) what was captured of it stands instead."""
    paper = document["paper"] if isinstance(document["paper"], dict) else _paper_of(document)
    kept = {name: value for name, value in paper.items() if name not in _NOT_OF_PAPER}
    made: dict[str, Any] = shaped({**kept, "productOrderItem": [], "externalId": None}, "ProductOrder", version) or {}
    own = {**_told(document, version), **_amended(document, made), **(_only_v5(document, paper) if version == 5 else {})}
    made |= {name: value for name, value in own.items() if value not in (None, "")}
    made["productOrderItem"] = _items(paper.get("productOrderItem"), document, version) or [_no_item(document, version)]
    made["relatedParty"] = made.get("relatedParty") or _parties(document, version)
    return {name: made[name] for name in ("id", "href", *sorted(made.keys() - {"id", "href"}))}


def _paper_of(document: Document) -> dict[str, Any]:
    """What is known of a paper that is not shown: no place, no characteristic, no name."""
    nested: dict[str, list[dict[str, Any]]] = {}
    made = {}
    for line in document["lines"]:
        item = {name: line[name] for name in ("action", "quantity") if line[name]}
        refs = {"productOffering": line["offering"], "product": line["product"], "billingAccount": line["account"]}
        related = [{"id": other, "relationshipType": "reliesOn"} for other in line["relies_on"]]
        item |= {"id": line["item"], **{name: {"id": value} for name, value in refs.items() if value}}
        made[line["item"]] = {**item, **({"productOrderItemRelationship": related} if related else {})}
        nested.setdefault(line["parent"], []).append(made[line["item"]])
    for name, item in made.items():
        if inner := [child for child in nested.get(name, ()) if child is not item]:
            item["productOrderItem"] = inner
    top = nested.get("", [])
    account = {"billingAccount": {"id": document["account"]}} if document["account"] else {}
    return {"productOrderItem": top, "channel": [{"id": document["channel"]}], **account, "@type": "ProductOrder"}


def _told(document: Document, version: int) -> dict[str, Any]:
    """What we say of an order."""
    state, closed = document["state"], stamp_ms(document["closed_at"])
    return {
        "id": document["order"],
        "href": order_path(document["order"], version),
        "state": state,
        "externalId": document["external_id"] if version == 4 else None,
        "orderDate" if version == 4 else "creationDate": stamp_ms(document["captured_at"]),
        "category": document["category"],
        "priority": str(document["priority"]),
        "completionDate": closed if state in ("completed", "partial") else None,
        "cancellationDate": closed if state == "cancelled" else None,
        "expectedCompletionDate": stamp_ms(document["promised_until"]),
        "@type": "ProductOrder",
    }


def _amended(document: Document, made: Document) -> dict[str, Any]:
    """What was amended since: the last word counts, and notes are added."""
    told: dict[str, Any] = {}
    notes = list(made.get("note", ()))
    for amendment in document["amendments"]:
        words = {"description": "description", "contact": "notificationContact"}
        told |= {shown: amendment[name] for name, shown in words.items() if name in amendment["amended"] and name in amendment}
        if amendment.get("note"):
            at = stamp_ms(amendment["amended_at"])
            notes.append({"id": amendment["amendment"], "author": amendment["by"], "date": at, "text": amendment["note"], "@type": "Note"})
    return {**told, **({"note": notes} if notes else {})}


def _only_v5(document: Document, paper: Document) -> dict[str, Any]:
    sent = shaped({"externalId": paper.get("externalId")}, "ProductOrder", 5) if isinstance(paper.get("externalId"), list) else {}
    identifier = {"@type": "ExternalIdentifier", "owner": document["owner"], "id": document["external_id"]}
    related = [{"id": document["after"], "relationshipType": "follows", "@type": "OrderRelationship"}] if document["after"] else []
    found = {
        "externalId": (sent or {}).get("externalId") or [{name: value for name, value in identifier.items() if value}],
        "orderRelationship": related,
        "productOrderMilestone": [_milestone(document, one) for one in document["milestones"]],
        "productOrderErrorMessage": [_error(document, one) for one in document["fallouts"] if one["state"] == "open"],
        "productOrderJeopardyAlert": list(_alerts(document)),
    }
    return {name: value for name, value in found.items() if value}


def _items(items: Any, document: Document, version: int) -> list[dict[str, Any]]:
    """The items as they were sent, each with its state."""
    states = {line["item"]: line["state"] for line in document["lines"]}
    made = []
    for place, item in enumerate(items if isinstance(items, list) else (), start=1):
        if isinstance(item, dict):
            rest = {name: value for name, value in item.items() if name not in ("productOrderItem", "state")}
            own = shaped({**rest, "id": text(item.get("id")) or f"#{place}"}, "ProductOrderItem", version) or {}
            own.setdefault("action", "noChange")
            own["state"] = _item_state(states.get(str(own["id"]), str(document["state"])), version)
            own["@type"] = own.get("@type") or "ProductOrderItem"
            inner = _items(item.get("productOrderItem"), document, version)
            made.append({**own, **({"productOrderItem": inner} if inner else {})})
    return made


def _no_item(document: Document, version: int) -> dict[str, Any]:
    """What stands where an order came without items: an order has one at least, and by this one nothing changes."""
    return {"id": "#0", "action": "noChange", "state": _item_state(document["state"], version), "@type": "ProductOrderItem"}


def _item_state(state: str, version: int) -> str:
    """v4 has no item that is done in part: it shows as one that must be looked at."""
    return "failed" if state == "partial" and version == 4 else state


def _parties(document: Document, version: int) -> Any:
    if not document["customer"]:
        return []
    party = {"id": document["customer"], "role": "customer", "@referredType": "Customer"}
    return (shaped({"relatedParty": [party], "productOrderItem": []}, "ProductOrder", version) or {})["relatedParty"]


def _milestone(document: Document, one: Document) -> dict[str, Any]:
    return _without_none({
        "id": f"{one['item'] or 'order'}/{one['milestone']}",
        "name": one["milestone"],
        "description": f"promised for {one['promised_on']}" if one["promised_on"] else None,
        "milestoneDate": stamp_ms(one["reached_at"] or one.get("promised_until")),
        "status": _STATUSES[one["status"]],
        "productOrderItem": _item_refs(document, one["item"]),
        "@type": "ProductOrderMilestone",
    })  # fmt: skip


def _error(document: Document, one: Document) -> dict[str, Any]:
    return _without_none({
        "code": one["reason"],
        "reason": one["meaning"],
        "message": f"{one['step']} waits for {one['waiting_for']}",
        "status": one["state"],
        "timestamp": stamp_ms(one["opened_at"]),
        "productOrderItem": _item_refs(document, one["item"]),
        "@type": "ProductOrderErrorMessage",
    })  # fmt: skip


def _alerts(document: Document) -> Iterator[dict[str, Any]]:
    """The order as a whole, and each item whose promise was moved, is broken, or is in danger as it was written down, while it is open."""
    if document["danger"]:
        yield _alert_of_order(document)
    missed = {one["item"] for one in document["milestones"] if one["status"] == "missed"}
    for promise in document["promises"]:
        in_danger = promise["revisions"] or promise["danger"]
        if promise["item"] not in missed and (not in_danger or promise["state"] in ("completed", "failed", "cancelled")):
            continue
        cause = " ".join(part for part in (promise["cause_step"], promise["cause_reason"]) if part)
        yield _without_none({
            "id": f"{promise['item']}/promise",
            "name": "promise",
            "jeopardyType": "Critical" if promise["item"] in missed or promise["danger"] == "critical" else "Hazard",
            "exception": cause or None,
            "message": f"promised for {promise['promised_on']}, first for {promise['first_promised_on']}",
            "productOrderItem": _item_refs(document, promise["item"]),
            "@type": "ProductOrderJeopardyAlert",
        })  # fmt: skip


def _alert_of_order(document: Document) -> dict[str, Any]:
    """What was written down of the danger of an order as a whole, of which nothing is promised."""
    return {
        "id": "order/agreed",
        "alertDate": stamp_ms(document["danger_at"]),
        "name": "agreed",
        "jeopardyType": document["danger"].capitalize(),
        "message": "nothing is promised yet, and the day that is agreed with the customer comes near",
        "@type": "ProductOrderJeopardyAlert",
    }


def _item_refs(document: Document, item: str) -> list[dict[str, Any]] | None:
    """The line that an item is of, whose name its own begins with."""
    lines = {line["item"] for line in document["lines"]}
    line = item if item in lines else item.rpartition("#")[0]
    if line not in lines:
        return None
    return [{"productOrderId": document["order"], "productOrderItemId": line, "@type": "ProductOrderItemRef"}]


def cancel_task(row: Document, version: int, *, reason: str | None) -> dict[str, Any]:
    """The cancellation of an order as the task that TMF622 has for it."""
    asked_at = stamp_ms(row["requested_at"])
    order = {"id": row["order"], "href": order_path(row["order"], version), "@referredType": "ProductOrder", "@type": "ProductOrderRef"}
    return _without_none({
        "id": row["cancellation"],
        "href": task_path(row["cancellation"], version),
        "cancellationReason": reason or None,
        "creationDate": asked_at if version == 5 else None,
        "requestedCancellationDate": asked_at,
        "effectiveCancellationDate": stamp_ms(row["ended_at"]),
        "productOrder": order,
        "state": TASK_STATES[row["state"]],
        "@type": "CancelProductOrder",
    })  # fmt: skip


def _without_none(made: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if value is not None}


def personal_among(fields: Sequence[str]) -> bool:
    """Whether somebody who asks for these attributes (none: all) is to be shown what was captured, and so what is personal."""
    return not fields or any(name.partition(".")[0] in FROM_PAPER for name in fields)
