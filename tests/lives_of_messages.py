"""The lives of messages, and of how customers are told, for the golden folds."""

from collections.abc import Mapping, Sequence
from typing import Any

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
}
