"""Conformance in Python: the declared rules, and how things moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from o2c.checks.conformance import Kept, Transition, check_conformance, list_transitions
from o2c.entrypoints.answered import answered

if TYPE_CHECKING:
    from o2c.running.session import Session


class Conformance:
    """The part of `OrderToCash` that is about the declared rules of the trade."""

    _session: Session

    @answered
    def conformance(self, *, rule: str = "") -> list[Kept]:
        """How each declared rule, or the one named, is kept: orders looked at, and what broke it. Raises Refused (missing) for no such
        rule."""
        return check_conformance(self._session.app, rule=rule)

    @answered
    def transitions(self, *, machine: str = "") -> list[Transition]:
        """Every move that the state machines declare, or the one named, and how often the log has it. Raises Refused (missing) for no such
        machine."""
        return list_transitions(self._session.app, machine=machine)
