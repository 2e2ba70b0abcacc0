"""How a delivery is signed, and when it is tried again (Standard Webhooks, spec/standard-webhooks.md)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from o2c.kernel.chance import jitter
from o2c.kernel.identifiers import derived_id

PREFIX = "whsec_"
BACK_OFF_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""How long to wait before each attempt, counted from the one before it ("Retries"): after the last of them a delivery is given up."""
JITTER = 0.1


def secret_of(key: bytes, hook: str, generation: int) -> str:
    """The secret of a hook as its subscriber keeps it: 32 bytes that follow from the operator's key, which they do not give away."""
    made = hmac.digest(key, f"o2c webhook secret\n{hook}\n{generation}".encode(), hashlib.sha256)
    return PREFIX + base64.b64encode(made).decode()


def signature(secrets: Sequence[str], delivery: str, sent_at: datetime, body: bytes) -> str:
    """The value of `webhook-signature`: for each secret a signature of id, time and body, parted by blanks ("Signature scheme")."""
    signed = f"{delivery}.{int(sent_at.timestamp())}.".encode() + body
    keys = [base64.b64decode(secret.removeprefix(PREFIX), validate=True) for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}" for key in keys)


def delivery_id(hook: str, event_id: str, part: int) -> str:
    """The id of a delivery, the same however often it is sent: of a hook, an event, and which of the messages that the event makes."""
    return "msg_" + derived_id("webhook", hook, event_id, str(part)).replace("-", "")


def next_try(delivery: str, attempts: int, at: datetime) -> datetime | None:
    """When to try again after so many attempts have failed, the last of them at a time; None where it is given up."""
    if attempts >= len(BACK_OFF_S):
        return None
    return at + timedelta(seconds=BACK_OFF_S[attempts] * jitter(0, delivery, attempts, JITTER))
