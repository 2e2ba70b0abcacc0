"""The rules of a market for products in service: when they rest, and how a contract ends before its term."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SuspensionRules:
    """A reason for which a product rests: whether it is `charged` meanwhile, and whether its term is longer by those days (`extends_term`)."""

    charged: bool
    extends_term: bool
    source: str


@dataclass(frozen=True, slots=True)
class LifeRules:
    """How products in service change and end.

    `suspensions` are the reasons for which a customer may let a product rest. A contract that ends before its term costs `early_percent` of the recurring prices that
    were still to come (0: nothing). After another SIM was given, a number may not be ported out or changed for `sim_swap_hold_days` (0: at once).
    """

    suspensions: Mapping[str, SuspensionRules]
    early_percent: int
    sim_swap_hold_days: int
    source: str
