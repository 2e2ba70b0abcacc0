"""When an eSIM profile is ready."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.esim.events import EsimCancelled, EsimConfirmed
from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work


def profile(work: Work) -> Mapping[str, Any]:
    return {"iccid": work.outcomes["sim"]["iccid"]}


def confirmed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(EsimConfirmed(item=work.item, attempt=work.attempt, matching_id=str(data.get("matching_id", ""))))


def withdrawal(work: Work) -> Mapping[str, Any]:
    """Which profile is taken back, to be on offer again afterwards."""
    return {**profile(work), "final_status": "Available"}


def cancelled(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """The platform made the profile available again, as it was asked, unless it says otherwise."""
    return just(EsimCancelled(item=work.item, attempt=work.attempt, reusable=bool(data.get("reusable", True))))
