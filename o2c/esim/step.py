"""The eSIM profile's entries for the plan: the order, the download, and the order taken back."""

from __future__ import annotations

from datetime import timedelta

from o2c.esim import rules
from o2c.esim.events import EsimCancelFellOut, EsimCancelRequested, EsimDownloadFellOut, EsimDownloadRequested, EsimFellOut, EsimRequested
from o2c.kernel.step import RECALL_LEAD, ByPartner, Ending, Step
from o2c.orders.dates import from_start

STEP = Step(
    name="esim",
    requested=EsimRequested,
    fell_out=EsimFellOut,
    complete=rules.confirmed,
    lead=timedelta(seconds=40),
    open_from=from_start,
    forceable=True,
    ask=ByPartner(
        partner="sim-platform",
        payload=rules.profile,
    ),
    ending=Ending(
        recall="esim-cancel",
        done_for_good=rules.on_a_device,
    ),
)
DOWNLOAD = Step(
    name="esim-download",
    requested=EsimDownloadRequested,
    fell_out=EsimDownloadFellOut,
    complete=rules.downloaded,
    forecast=rules.usual_download,
    forceable=True,
    ask=ByPartner(
        partner="sim-platform",
        payload=rules.awaited,
    ),
)
CANCEL = Step(
    name="esim-cancel",
    requested=EsimCancelRequested,
    fell_out=EsimCancelFellOut,
    complete=rules.cancelled,
    lead=RECALL_LEAD,
    forceable=True,
    ask=ByPartner(
        partner="sim-platform",
        payload=rules.withdrawal,
    ),
)
