"""The eSIM profile's entries for the plan: the order, and the order taken back."""

from __future__ import annotations

from datetime import timedelta

from o2c.esim import rules
from o2c.esim.events import EsimCancelFellOut, EsimCancelRequested, EsimFellOut, EsimRequested
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
        codes={"UNAVAILABLE": "SIM-DL-INST", "PERMANENT": "SIM-DPUNK", "REFUSED": "SIM-DPUNK"},
        silence="SIM-DL-INST",
    ),
    ending=Ending(
        recall="esim-cancel",
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
        codes={"UNAVAILABLE": "SIM-DL-INST", "DOWNLOADED": "SIM-DL-DONE", "PERMANENT": "SIM-DPUNK", "REFUSED": "SIM-DPUNK"},
        silence="SIM-DL-INST",
    ),
)
