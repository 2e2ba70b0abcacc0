"""The lives of messages, of how customers are told, and of triggers and what they set off, for the golden folds."""

from collections.abc import Mapping, Sequence
from typing import Any

_TASK = {"item": "", "step": "task"}
OF_MESSAGES: Mapping[str, Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]] = {
    "message": {
        "sent at last": (
            ("message.scheduled", {}),
            ("message.begun", {}),
            ("message.deferred", {}),
            ("message.begun", {"attempt": 2}),
            ("message.bounced", {"attempt": 2}),
            ("message.begun", {"attempt": 3, "medium": "letter", "transport": "file"}),
            ("message.outcome-lost", {"attempt": 3, "medium": "letter"}),
            ("message.resend-asked", {}),
            ("message.begun", {"attempt": 4, "medium": "letter", "transport": "file"}),
            ("message.sent", {"attempt": 4, "medium": "letter", "receipt": "m-4.json"}),
        ),
        "withheld": (("message.scheduled", {}), ("message.withheld", {})),
        "by no medium": (("message.scheduled", {"media": ["email"]}), ("message.begun", {}), ("message.bounced", {"then": ""})),
    },
    "messaging": {
        "started, with own words": (("messaging.started", {}), ("messaging.templates-loaded", {})),
        "stopped": (("messaging.started", {}), ("messaging.stopped", {})),
    },
    "triggers": {
        "set, set otherwise, retired, set again": (
            ("trigger.set", {}),
            ("trigger.set", {"version": 2, "when": []}),
            ("trigger.set", {"trigger": "other", "then": {"do": "alarm", "severity": 2, "text": "look"}}),
            ("trigger.retired", {}),
            ("trigger.set", {"version": 3}),
        ),
    },
    "firing": {
        "a task that was done": (("trigger.fired", {}), ("trigger.task-opened", {}), ("trigger.task-closed", {})),
        "a task that was dropped": (("trigger.fired", {}), ("trigger.task-opened", {}), ("trigger.task-closed", {"decision": "decline"})),
        "withheld": (("trigger.withheld", {}),),
        "stopped by a defect": (
            ("trigger.fired", {}), ("step.stopped", _TASK), ("step.cancelled", _TASK), ("retry.scheduled", _TASK), ("partner.accepted", _TASK),
            ("partner.silent", _TASK), ("call.parked", _TASK), ("call.resumed", _TASK), ("step.forced", _TASK), ("step.skipped", _TASK),
        ),
    },
}  # fmt: skip
