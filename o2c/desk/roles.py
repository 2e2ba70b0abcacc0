"""Which roles may do what: data that `act` reads, and nothing else. One role may everything until there are more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

OPERATOR = "operator"
"""Whoever has the machine, or embeds the engine in a service of his own."""
EVERYTHING = "*"
MAY: Mapping[str, frozenset[str]] = {OPERATOR: frozenset({EVERYTHING})}
"""The verbs each role may use, by name."""


def may(roles: Iterable[str], verb: str) -> bool:
    """Whether any of the roles may use a verb."""
    return any({verb, EVERYTHING} & MAY.get(role, frozenset()) for role in roles)


def roles_for(verb: str) -> tuple[str, ...]:
    """The roles that may use a verb."""
    return tuple(role for role in MAY if may((role,), verb))
