"""Reason codes of fallout: class, origin, recoverability, the party we wait for, and queue. Versioned data.

The partner's raw code is kept beside ours. Source: the fallout table (vocabulary of Oracle OSM, Salesforce, ServiceNow, TIBCO and TM Forum
eTOM 1.3.3.8).
"""

from __future__ import annotations

from dataclasses import dataclass

from o2c.kernel.shapes import FaultClass, Origin, Recoverability, WaitingFor

DEFECT = "SYS-BUG"
"""Our code for a defect of ours: a rule that raised an exception, or a partner's code that is mapped to none of ours."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason code: its queue, the class and origin of the fault, whether another attempt can help, and the party we wait for."""

    code: str
    queue: str
    fault_class: FaultClass
    origin: Origin
    recoverability: Recoverability
    waiting_for: WaitingFor


_TABLE = (
    Reason("DQ-PARTY", "data-quality", "data", "upstream", "correctable", "channel"),
    Reason("DQ-ITEM", "data-quality", "data", "upstream", "correctable", "channel"),
    Reason("DQ-ACTION", "data-quality", "data", "upstream", "correctable", "channel"),
    Reason("DQ-DATE", "data-quality", "data", "upstream", "correctable", "channel"),
    Reason("DQ-OFFER", "catalogue", "data", "upstream", "correctable", "channel"),
    Reason("DQ-DUP", "data-quality", "data", "upstream", "correctable", "us"),
    Reason("DQ-ADDR", "data-quality", "data", "upstream", "correctable", "customer"),
    Reason("DQ-PHONE", "data-quality", "data", "upstream", "correctable", "customer"),
    Reason("KYC-DOC", "kyc", "business", "customer", "correctable", "customer"),
    Reason("KYC-MATCH", "kyc", "business", "customer", "fatal", "us"),
    Reason("CR-REFER", "credit", "business", "direct", "correctable", "us"),
    Reason("CR-DEPOSIT", "credit", "business", "customer", "correctable", "customer"),
    Reason("CR-DECLINE", "credit", "business", "customer", "fatal", "customer"),
    Reason("CR-TIMEOUT", "credit", "technical", "partner", "transient", "us"),
    Reason("KYC-TMO", "kyc", "technical", "partner", "transient", "us"),
    Reason("INV-SIM", "inventory", "business", "direct", "correctable", "partner"),
    Reason("INV-NUM", "inventory", "business", "direct", "correctable", "partner"),
    Reason("SIM-DPUNK", "sim-platform", "technical", "partner", "fatal", "us"),
    Reason("SIM-DL-INST", "sim-platform", "technical", "partner", "transient", "us"),
    Reason("SIM-DL-DONE", "sim-platform", "business", "customer", "fatal", "us"),
    Reason("SIM-DL-REJ", "care", "business", "customer", "correctable", "customer"),
    Reason("SIM-DL-LIM", "care", "business", "customer", "fatal", "us"),
    Reason("NET-HLR", "network", "technical", "direct", "transient", "us"),
    Reason("NET-TMO", "network", "technical", "direct", "transient", "us"),
    Reason("NET-CFG", "network", "technical", "direct", "fatal", "us"),
    Reason("NP-CODE", "porting", "business", "customer", "correctable", "customer"),
    Reason("NP-NAME", "porting", "business", "customer", "correctable", "customer"),
    Reason("NP-INACT", "porting", "business", "customer", "fatal", "customer"),
    Reason("NP-NOTPORT", "porting", "business", "customer", "correctable", "customer"),
    Reason("NP-BAR", "porting", "business", "customer", "correctable", "customer"),
    Reason("NP-CONFLICT", "porting", "technical", "partner", "transient", "us"),
    Reason("NP-CUTOVER", "porting", "technical", "direct", "transient", "us"),
    Reason("NP-CUTFAIL", "porting", "technical", "partner", "fatal", "us"),
    Reason("NP-LATE", "porting", "business", "partner", "fatal", "us"),
    Reason("LOG-ADDR", "logistics", "business", "customer", "correctable", "customer"),
    Reason("LOG-TMO", "logistics", "technical", "partner", "transient", "us"),
    Reason("LOG-LOST", "logistics", "technical", "partner", "fatal", "us"),
    Reason("LOG-VISIT", "logistics", "technical", "partner", "transient", "us"),
    Reason("LOG-NOVISIT", "logistics", "technical", "partner", "fatal", "us"),
    Reason("LOG-ENROUTE", "logistics", "business", "partner", "fatal", "us"),
    Reason("PAY-AUTH", "payments", "business", "customer", "correctable", "customer"),
    Reason("PAY-MANDATE", "payments", "business", "customer", "correctable", "customer"),
    Reason("PAY-TMO", "payments", "technical", "partner", "transient", "us"),
    Reason("SYS-BUG", "engineering", "defect", "direct", "correctable", "us"),
)
REASONS: dict[str, Reason] = {reason.code: reason for reason in _TABLE}
