"""When an eSIM profile is ready, and when its download is cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.esim.events import EsimCancelled, EsimConfirmed
from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work


def profile(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the SIM platform: the `iccid` of the profile, as reserved in our own stock.

    Ordering by ICCID, not by profile type, is safe to repeat. Source: GSMA SGP.22, ES2+.DownloadOrder and ES2+.ConfirmOrder.
    """
    return {"iccid": work.outcomes["sim"]["iccid"]}


def confirmed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the profile can be downloaded, with the matching id for its activation code (GSMA SGP.22, section 4.1)."""
    return just(EsimConfirmed(item=work.item, attempt=work.attempt, matching_id=str(data.get("matching_id", ""))))


def withdrawal(work: Work) -> Mapping[str, Any]:
    """Give the body of the cancellation: the profile, which is to be available again (ES2+.CancelOrder, finalProfileStatusIndicator)."""
    return {**profile(work), "final_status": "Available"}


def cancelled(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the download is cancelled; the profile is available again, as asked, unless the platform says otherwise.

    Source: GSMA SGP.22, ES2+.CancelOrder.
    """
    return just(EsimCancelled(item=work.item, attempt=work.attempt, reusable=bool(data.get("reusable", True))))
