"""The eSIM profile's entry for the plan."""

from __future__ import annotations

from datetime import timedelta

from o2c.esim import rules
from o2c.esim.events import EsimFellOut, EsimRequested
from o2c.kernel.step import Step

STEP = Step(
    name="esim",
    requested=EsimRequested,
    fell_out=EsimFellOut,
    complete=rules.confirmed,
    partner="sim-platform",
    payload=rules.profile,
    codes={"UNAVAILABLE": "SIM-DL-INST", "PERMANENT": "SIM-DPUNK", "REFUSED": "SIM-DPUNK"},
    silence="SIM-DL-INST",
    lead=lambda work: timedelta(seconds=40),
    forceable=True,
)
