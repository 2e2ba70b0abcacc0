"""When an eSIM profile is ready, and when its download is cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from o2c.esim.events import EsimCancelled, EsimConfirmed, EsimDownloaded
from o2c.kernel.decision import Decision, just
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.orders.dates import DOWNLOAD_DAYS

CHARGED_FROM = {"download": "Installed", "first-use": "Enabled"}
"""The state of a profile that must be reached before the service is charged, by the market's rule."""


def profile(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the SIM platform: the `iccid` of the profile, as reserved in our own stock.

    Ordering by ICCID, not by profile type, is safe to repeat. Source: GSMA SGP.22, ES2+.DownloadOrder and ES2+.ConfirmOrder.
    """
    return {"iccid": work.outcomes["sim"]["iccid"]}


def confirmed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the profile can be downloaded, with the matching id for its activation code (GSMA SGP.22, section 4.1)."""
    return just(EsimConfirmed(item=work.item, attempt=work.attempt, matching_id=str(data.get("matching_id", ""))))


def awaited(work: Work) -> Mapping[str, Any]:
    """Give the body of the question when the customer has the profile: the profile, and the state that the market charges from.

    Source: the market's `esim_charged_from`; GSMA SGP.22 section 3.1.6 (states of a profile).
    """
    return {**profile(work), "state": CHARGED_FROM[work.market.esim_charged_from]}


def downloaded(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the customer has the profile, and that the service is charged from this day of the market's calendar."""
    starts_on = local_date(at, work.market.zone).isoformat()
    state = str(data.get("state") or CHARGED_FROM[work.market.esim_charged_from])
    return just(EsimDownloaded(item=work.item, attempt=work.attempt, state=state, starts_on=starts_on))


def usual_download(work: Work, at: datetime) -> datetime:
    """Give the time by which a customer has usually downloaded the profile: a day later."""
    return at + timedelta(days=DOWNLOAD_DAYS)


def on_a_device(work: Work) -> bool:
    """Whether the profile was downloaded: then no cancellation makes it available again (GSMA SGP.22, ES2+.CancelOrder, 8.2.1-3.3)."""
    return bool(work.outcomes.get("esim-download"))


def withdrawal(work: Work) -> Mapping[str, Any]:
    """Give the body of the cancellation: the profile, which is to be available again (ES2+.CancelOrder, finalProfileStatusIndicator)."""
    return {**profile(work), "final_status": "Available"}


def cancelled(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the download is cancelled; the profile is available again, as asked, unless the platform says otherwise.

    Source: GSMA SGP.22, ES2+.CancelOrder.
    """
    return just(EsimCancelled(item=work.item, attempt=work.attempt, reusable=bool(data.get("reusable", True))))
