"""The hierarchy of a customer's billing accounts: legal entities, their cost centres and sites, and which account pays for which.

Source: TMF666 v4.0.0 (an account has relationships to others); EN 16931-1, BT-133 (the buyer's own accounting reference of a line).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from o2c.customers.events import AccountPlaced, Level, Pays
from o2c.customers.state import CustomerState
from o2c.kernel.refusal import Refused

LEVELS: tuple[Level, ...] = get_args(Level)
"""What an account stands for, from the top down: nothing stands below what is further down."""
PLACED_MAX = 5_000
"""The most accounts in one hierarchy: it is read whole."""
Placed = Mapping[str, AccountPlaced]


def place(state: CustomerState, *, account: str, level: Level, parent: str, pays: Pays, contact: str) -> list[AccountPlaced]:
    """Give an account of a registered customer its place, or another one; nothing where it stands so already.

    What stands below it moves along. What is charged already stays where it is charged. Raises Refused: missing (the customer is not
    registered, the account above is not placed), usage (no such level; below nothing it can only pay itself), conflict (above it stands
    what it is above of, or what is further down).
    """
    if state.papers is None:
        raise Refused("accounts are placed for registered customers only; load the customer first", kind="missing")
    if level not in LEVELS:
        raise Refused(f"account {account}: no such level {level}; use one of {', '.join(LEVELS)}")
    if pays == "parent" and not parent:
        raise Refused(f"account {account} stands below nothing, so that nobody else can pay for it; say that it pays itself, or its parent")
    _refuse_parent(state, account, level, parent)
    customer = state.papers.customer
    placed = AccountPlaced(customer=customer, account=account, level=level, parent=parent, pays=pays, contact=contact)
    return [] if state.placed.get(account) == placed else [placed]


def _refuse_parent(state: CustomerState, account: str, level: Level, parent: str) -> None:
    below = [one.level for one in state.placed.values() if one.parent == account]
    if account not in state.placed and len(state.placed) >= PLACED_MAX:
        raise Refused(f"a hierarchy has {PLACED_MAX:,} accounts at most; place this one with another customer", kind="conflict")
    if any(LEVELS.index(one) < LEVELS.index(level) for one in below):
        raise Refused(f"account {account}: below it stands what cannot stand below a {level}; move that first", kind="conflict")
    if not parent:
        return
    if parent not in state.placed:
        raise Refused(f"account {parent} has no place in the hierarchy; place it before what stands below it", kind="missing")
    if account in above(state.placed, parent):
        raise Refused(f"account {account} stands above {parent} already; move that first", kind="conflict")
    if LEVELS.index(state.placed[parent].level) > LEVELS.index(level):
        raise Refused(f"account {account}: a {level} does not stand below a {state.placed[parent].level}", kind="conflict")


def above(placed: Placed, account: str) -> Iterator[str]:
    """Give an account and those above it, from the bottom up. A circle, which no rule makes, is followed once."""
    seen: set[str] = set()
    while account and account not in seen:
        seen.add(account)
        yield account
        account = placed[account].parent if account in placed else ""


def payer_of(placed: Placed, account: str) -> str:
    """Give the account that pays for an account: itself, or the nearest one above it that pays itself."""
    for one in above(placed, account):
        if one not in placed or placed[one].pays == "itself":
            return one
    return account


def in_order(placed: Placed) -> Iterator[tuple[int, str]]:
    """Give the accounts with how deep they stand (0 at the top), each before what is below it, by id among those beside it."""
    below: dict[str, list[str]] = {}
    for account, one in sorted(placed.items()):
        below.setdefault(one.parent, []).append(account)
    waiting = [(0, account) for account in reversed(below.get("", []))]
    while waiting:
        depth, account = waiting.pop()
        yield depth, account
        waiting += [(depth + 1, one) for one in reversed(below.get(account, []))]
