"""The rules of a market for people who are no customers yet, and for complaints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProspectRules:
    """For how many days what is personal of somebody who did not order may be kept (`kept_days`)."""

    kept_days: int
    source: str


@dataclass(frozen=True, slots=True)
class ComplaintRules:
    """The clock of a complaint: `answer_days` until it must have been answered (0: no such duty), and `outside_days` after which, or at
    once after a letter of deadlock where there is one (`deadlock_letter`), the customer may go to the `body` outside."""

    answer_days: int
    outside_days: int
    deadlock_letter: bool
    body: str
    source: str


@dataclass(frozen=True, slots=True)
class CareRules:
    """What the market says of prospects and of complaints."""

    prospects: ProspectRules
    complaints: ComplaintRules
