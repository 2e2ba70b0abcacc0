"""Events of an eSIM profile, and of cancelling its download."""

from __future__ import annotations

from typing import ClassVar

from o2c.kernel.shapes import Done, FellOut, RecallRequested, Requested


class EsimRequested(Requested, name="esim.requested", step="esim", stream="order"):
    """The profile is to be ordered and confirmed at the SIM platform (SM-DP+)."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class EsimConfirmed(Done, name="esim.confirmed", step="esim", stream="order"):
    """The profile is confirmed and can be downloaded with its matching id (GSMA SGP.22 section 4.1)."""

    example = {"item": "1", "matching_id": "K2-1AB-9C4"}
    matching_id: str


class EsimFellOut(FellOut, name="esim.fell-out", step="esim", stream="order"):
    """The SIM platform does not know the profile, or did not answer."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SIM-DL-INST", "fault_class": "technical", "origin": "partner",
        "recoverability": "transient", "waiting_for": "us", "queue": "sim-platform", "partner_code": "UNAVAILABLE",
    }  # fmt: skip


class EsimDownloadRequested(Requested, name="esim-download.requested", step="esim-download", stream="order"):
    """The line is ready for the profile: the SIM platform is to tell when the customer has it."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class EsimDownloaded(Done, name="esim.downloaded", step="esim-download", stream="order"):
    """The profile is on the customer's device, in a state of GSMA SGP.22 section 3.1.6; nobody else can ever have it.

    `starts_on` is the day from which the service is charged, by the market's rule.
    """

    example = {"item": "1", "state": "Installed", "starts_on": "2026-01-05"}
    state: str
    starts_on: str


class EsimDownloadFellOut(FellOut, name="esim-download.fell-out", step="esim-download", stream="order"):
    """The customer refused the profile, tried too often, or the installation failed."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SIM-DL-REJ", "fault_class": "business", "origin": "customer",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "care", "partner_code": "8.8.5-3.8",
    }  # fmt: skip


class EsimCancelRequested(RecallRequested, name="esim-cancel.requested", step="esim-cancel", stream="order"):
    """The item ended: the SIM platform is to cancel the download of the profile (GSMA SGP.22, ES2+.CancelOrder)."""

    noun: ClassVar[str] = "eSIM profile"
    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class EsimCancelled(Done, name="esim-cancel.confirmed", step="esim-cancel", stream="order"):
    """The download is cancelled; `reusable` when the profile is available again (ES2+.CancelOrder, finalProfileStatusIndicator)."""

    example = {"item": "1", "reusable": True}
    reusable: bool


class EsimCancelFellOut(FellOut, name="esim-cancel.fell-out", step="esim-cancel", stream="order"):
    """The SIM platform did not answer, or the profile was downloaded already; its SIM is nobody else's any more."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SIM-DL-DONE", "fault_class": "business", "origin": "partner",
        "recoverability": "fatal", "waiting_for": "us", "queue": "sim-platform", "partner_code": "DOWNLOADED",
    }  # fmt: skip
