"""Hooks: which addresses may be told, how a message is signed, when it is tried again, and when a hook begins and ends."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.hooks.addresses import is_allowed, is_public
from o2c.hooks.events import HookSecretRotated, HookSubscribed, HookSuspended, HookUnsubscribed
from o2c.hooks.rules import allow_private_address, needs_leave, resend, resume, rotate, subscribe, suspend, unsubscribe
from o2c.hooks.signing import BACK_OFF_S, JITTER, delivery_id, next_try, secret_of, signature
from o2c.hooks.state import KIND, HookState
from o2c.kernel.event import Event
from o2c.kernel.refusal import Refused

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
KEY = bytes(32)
BEGUN = HookSubscribed.model_validate(HookSubscribed.example)

ADDRESSES = [
    # Those of the registries of special addresses (RFC 6890 and its successors), what an IPv4 address hides in, and the control: public ones.
    ("93.184.215.14", "public"), ("8.8.8.8", "public"), ("2606:4700:4700::1111", "public"), ("::ffff:8.8.8.8", "public"),
    ("64:ff9b::8.8.8.8", "public"), ("172.32.0.1", "public"), ("11.0.0.1", "public"), ("192.169.0.1", "public"),
    ("127.0.0.1", "private"), ("127.255.255.254", "private"), ("::1", "private"), ("10.0.0.1", "private"), ("172.16.0.1", "private"),
    ("172.31.255.254", "private"), ("192.168.1.1", "private"), ("100.64.0.1", "private"), ("fc00::1", "private"), ("fd12:3456::1", "private"),
    ("::ffff:127.0.0.1", "private"), ("::ffff:10.0.0.1", "private"), ("64:ff9b::10.0.0.1", "private"), ("2002:7f00:1::", "private"),
    ("2002:a00:1::1", "private"), ("::127.0.0.1", "private"), ("198.18.0.1", "private"), ("192.0.2.1", "private"), ("2001:db8::1", "private"),
    ("0.0.0.0", "never"), ("::", "never"), ("169.254.169.254", "never"), ("::ffff:169.254.169.254", "never"), ("fe80::1", "never"),
    ("64:ff9b::169.254.169.254", "never"), ("224.0.0.1", "never"), ("239.1.2.3", "never"), ("ff02::1", "never"), ("240.0.0.1", "never"),
    ("255.255.255.255", "never"), ("::ffff:224.0.0.1", "never"), ("2002:a9fe:a9fe::", "never"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), ADDRESSES)
def test_which_addresses_may_be_told(text: str, kind: str) -> None:
    """Public ones always, those of our own network where that is allowed, those of a link, of many and of nobody never."""
    address = ip_address(text)

    assert (is_public(address), is_allowed(address, private=False)) == ((kind == "public"),) * 2
    assert is_allowed(address, private=True) == (kind != "never")


@hypothesis.given(st.ip_addresses(v=4))
def test_an_address_within_another_is_judged_as_itself(inner: Any) -> None:
    """However an IPv4 address is written as one of IPv6, it may be told if and only if it may be told as it is."""
    for prefix in ("::ffff:", "64:ff9b::"):
        for private in (False, True):
            assert is_allowed(ip_address(f"{prefix}{inner}"), private=private) == is_allowed(inner, private=private)


def test_the_public_vector_of_the_standard() -> None:
    """What every implementation of Standard Webhooks signs in this way."""
    secret, delivery, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC)

    assert signature([secret], delivery, at, b'{"test": 2432232314}') == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature([secret, secret], delivery, at, b"{}").count("v1,") == 2
    assert signature([secret], delivery, at, b"{}") != signature([secret], f"{delivery}x", at, b"{}")
    assert signature([secret], delivery, at, b"{}") != signature([secret], delivery, at + timedelta(seconds=1), b"{}")


def test_a_secret_follows_from_key_hook_and_generation() -> None:
    """The same again from the same, 32 bytes long, and another where any of them is another."""
    made = {secret_of(key, hook, generation) for key in (KEY, b"\1" * 32) for hook in ("a", "b") for generation in (1, 2)}

    assert len(made) == 8
    assert {secret[:6] for secret in made} == {"whsec_"}
    assert {len(secret) for secret in made} == {6 + 44}
    assert secret_of(KEY, "a", 1) in made


def test_a_delivery_has_one_id() -> None:
    """Of a hook, an event and which of its messages; without the dot that parts it from the time when it is signed."""
    ids = [delivery_id(hook, event, part) for hook in ("h", "i") for event in ("e", "f") for part in (0, 1)]

    assert len(set(ids)) == len(ids)
    assert delivery_id("h", "e", 0) == ids[0]
    assert not any("." in one or not one.startswith("msg_") for one in ids)


def test_tries_are_spread_over_days() -> None:
    """5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h between ten tries, each a tenth more or less; then it is given up."""
    waits = [next_try("msg_1", attempts, AT) for attempts in range(1, 11)]

    for wait, wanted in zip(waits, BACK_OFF_S[1:], strict=False):
        assert wait is not None
        assert 1 - JITTER <= (wait - AT).total_seconds() / wanted <= 1 + JITTER
    assert waits[-1] is None
    assert None not in waits[:-1]
    assert next_try("msg_1", 3, AT) != next_try("msg_2", 3, AT)


@pytest.mark.parametrize(
    ("url", "leave"),
    [
        ("https://example.org/hook", False), ("https://example.org:8443/a?b=c", False), ("https://93.184.215.14/", False),
        ("http://example.org/hook", True), ("https://127.0.0.1/", True), ("https://[::1]/", True), ("https://[::ffff:10.0.0.1]/", True),
        ("https://localhost/", True), ("https://a.localhost:1/", True), ("https://169.254.169.254/latest", True),
    ],
)  # fmt: skip
def test_which_urls_need_an_admins_leave(url: str, leave: bool) -> None:
    """Those without TLS, and those that name an address which is not public; what a name leads to is looked at when it is told."""
    assert needs_leave(url) == leave
    assert subscribe(HookState(), BEGUN.model_copy(update={"url": url}))


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "ftp://example.org/", "https://", "https:///path", "https://user:secret@example.org/", "https://user@example.org/",
        "https://example.org/#part", "https://example.org/a b", "https://example.org/\r\nHost: other", "https://example.org:0/", "file:///etc/passwd",
        "https://example.org:99999/", "https://exämple.org/", "https://example.org\\@other/", "https://[::1", "https://" + "a" * 2_100, "gopher://x/",
        "https://example.org\t/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    """With a sentence that does not repeat it: a secret may stand in it."""
    with pytest.raises(Refused) as caught:
        subscribe(HookState(), BEGUN.model_copy(update={"url": url}))
    assert caught.value.kind == "usage"
    assert "secret" not in str(caught.value)


def folded(*events: Event) -> HookState:
    state = KIND.initial("hook-1")
    for event in events:
        state = KIND.evolve(state, event)
    assert isinstance(state, HookState)
    return state


def test_a_rotation_lets_both_sign_for_a_day() -> None:
    """The new generation signs at once; until when the old one does stands with it."""
    [rotated] = rotate(folded(BEGUN), "1", generation=2, at=AT).events

    assert rotated == HookSecretRotated(generation=2, old_until=AT + timedelta(hours=24))
    assert folded(BEGUN, rotated).generation == 2


def test_a_hook_that_ended_is_told_nothing_and_changed_no_more() -> None:
    """It is as if there were none; what never was cannot even be ended."""
    ended = folded(BEGUN, HookUnsubscribed())

    assert not ended.standing
    assert not suspend(ended, "gone")
    for rule in (
        lambda state: resume(state, "1"),
        lambda state: allow_private_address(state, "1"),
        lambda state: rotate(state, "1", generation=2, at=AT),
        lambda state: resend(state, "1", delivery="", since=AT),
    ):
        with pytest.raises(Refused, match="there is no hook 1"):
            rule(ended)
    with pytest.raises(Refused, match="there is no hook 1"):
        unsubscribe(folded(), "1")


@pytest.mark.parametrize(
    ("delivery", "since"),
    [pytest.param("", None, id="neither"), pytest.param("msg_" + "0" * 32, AT, id="both"), pytest.param("42", None, id="no id")],
)
def test_what_is_sent_again_is_named(delivery: str, since: datetime | None) -> None:
    """One by its id, or all since a time."""
    with pytest.raises(Refused):
        resend(folded(BEGUN), "1", delivery=delivery, since=since)
    assert resend(folded(BEGUN), "1", delivery="msg_" + "0" * 32, since=None)
    assert resend(folded(BEGUN, HookSuspended(reason="gone")), "1", delivery="", since=AT)


FORMATS = [
    # What a hook is told in, the query and the types that it names, and what is said of that; None where it may be.
    ("native", "", ("order.*",), None), ("native", "eventType=ProductOrderCreateEvent", (), "no query"),
    ("tmf622-v4", "", (), None), ("tmf622-v5", "?eventType=ProductOrderCreateEvent,ProductOrderMilestoneEvent", (), None),
    ("tmf622-v4", "eventType=ProductOrderMilestoneEvent", (), "query is"), ("tmf622-v5", "state=held", (), "query is"),
    ("tmf622-v5", "nothing", (), "query is"), ("tmf622-v5", "eventType=", (), "query is"), ("tmf622-v5", "", ("order.*",), "no types"),
]  # fmt: skip


@pytest.mark.parametrize(("told_in", "query", "types", "says"), FORMATS)
def test_what_a_hook_names_fits_the_format(told_in: Any, query: str, types: tuple[str, ...], says: str | None) -> None:
    """A query is that of a TM Forum hub and can be read, and types are for our own format; else every look for the hook would fail."""
    wish = HookSubscribed(url="https://shop.example/told", types=types, format=told_in, after="0", query=query)

    if says is None:
        assert subscribe(HookState(), wish).events
    else:
        with pytest.raises(Refused, match=says):
            subscribe(HookState(), wish)
