"""What can be asked or done next about what an answer names: links of the description of the service (OpenAPI 3.1, Link Object)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_OF_ORDER = {
    f"orders.{action}": "name" for action in ("show", "timeline", "plan", "document", "link", "amend", "cancel")
} | {"ports.cancel": "name", "payments.deposit": "order"}  # fmt: skip
_OF_FALLOUT = {"fallout.show": "name", "fallout.work": "fallout", "fallout.resolve": "fallout"}
_OF_HOOK = {f"hooks.{action}": "hook" for action in ("deliveries", "rotate", "resend", "resume", "unsubscribe")}
_OF_INVOICE = {f"payments.{action}": "invoice" for action in ("show", "record", "retry")}
LINKS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "orders.capture": ("200", "/order", _OF_ORDER),
    "orders.list": ("200", "/0/order", _OF_ORDER),
    "fallout.list": ("200", "/0/fallout", _OF_FALLOUT),
    "fallout.bulk": ("200", "/job", {"fallout.job": "job"}),
    "hooks.subscribe": ("200", "/hook", _OF_HOOK),
    "keys.issue": ("200", "/prefix", {"keys.revoke": "prefix"}),
    "payments.invoices": ("200", "/0/invoice", _OF_INVOICE),
    **{
        f"tmf622.v{version}.{made}": ("201", "/id", {f"tmf622.v{version}.{action}": "identity" for action in actions})
        for version in (4, 5)
        for made, actions in (("create", ("show", "patch")), ("cancel", ("cancellation",)), ("subscribe", ("unsubscribe",)))
    },
}
"""By operation: the status of the answer, where in it the name stands, and the operations that take it, each with its parameter."""
CANCELLED_BY = {f"tmf622.v{version}.create": f"tmf622.v{version}.cancel" for version in (4, 5)}
"""Operations that take the name in their body."""


def links(operation: str) -> tuple[str, dict[str, Any]] | None:
    """The links of an operation, with the status of the answer that has them; None without."""
    if operation not in LINKS:
        return None
    return LINKS[operation][0], dict(_links(operation))


def _links(operation: str) -> Iterator[tuple[str, dict[str, Any]]]:
    _, pointer, targets = LINKS[operation]
    where = f"$response.body#{pointer}"
    for target, parameter in targets.items():
        yield target, {"operationId": target, "parameters": {parameter: where}}
    if (task := CANCELLED_BY.get(operation)) is not None:
        yield task, {"operationId": task, "requestBody": {"productOrder": {"id": where}}}
