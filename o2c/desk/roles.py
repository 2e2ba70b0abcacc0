"""Which roles may what: the table of `access.permissions`, read as a question. What it does not allow is forbidden."""

from __future__ import annotations

from collections.abc import Iterable

from o2c.access.permissions import BY_LINK, HOLDER, NO, OPERATOR, PERMISSIONS, ROLES, YES

__all__ = ["HOLDER", "OPERATOR", "ROLES", "granted", "may", "roles_for"]


def granted(roles: Iterable[str], operation: str) -> frozenset[str]:
    """In which ways any of the roles may use an operation: `yes`, `masked`, `own`; empty where none may."""
    held = frozenset(roles)
    if OPERATOR in held:
        return frozenset({YES})
    if HOLDER in held:
        return frozenset({YES}) if operation in BY_LINK else frozenset()
    row = PERMISSIONS.get(operation, {})
    return frozenset(row.get(role, NO) for role in held) - {NO}


def may(roles: Iterable[str], operation: str) -> bool:
    """Whether any of the roles may use an operation in some way."""
    return bool(granted(roles, operation))


def roles_for(operation: str) -> tuple[str, ...]:
    """The roles that may use an operation in some way, `operator` first."""
    return tuple(role for role in (OPERATOR, *ROLES) if may((role,), operation))
