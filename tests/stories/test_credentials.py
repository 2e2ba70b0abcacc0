"""Keys and tokens: who sends them is known, quickly; what was revoked is refused within seconds; a secret stands nowhere."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog

from o2c.access.keys import proves
from o2c.access.rules import LIFE_S_MAX
from o2c.desk.act import permitted
from o2c.desk.credentials import FRESH_S, Credentials
from o2c.desk.customers import register_customer
from o2c.desk.keys import Issued, distrust_issuer, issue_key, revoke_key, trust_issuer
from o2c.engine.app import Context
from o2c.entrypoints.python import OrderToCash
from o2c.kernel.refusal import Refused
from o2c.views.access import list_issuers, list_keys
from tests.desk import Desk
from tests.rules.test_tokens import GOOD, ISSUER, JWKS, PRIVATE, jwk, signed
from tests.world import World

ROOT = Context("root")
ADMIN = Context("ada", roles=("admin",))


class Clock:
    """The real time, and how long it ran, as a test wants them."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.ran_s = 0.0

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.ran_s += seconds


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def credentials(world: World, clock: Clock) -> Credentials:
    return Credentials(world.app, now=lambda: clock.now, monotonic=lambda: clock.ran_s)


def issued(world: World, **changes: Any) -> Issued:
    return issue_key(world.app, ADMIN, **{"acts_as": "web-shop", "roles": ["service"], **changes})


def trusted(world: World, **changes: Any) -> Any:
    told = {"audience": "o2c", "jwks": JWKS, "claim": "groups", "roles": {"care-desk": "agent"}, **changes}
    return trust_issuer(world.app, ADMIN, ISSUER, **told)


def token(clock: Clock, life_s: int = 600, **changes: Any) -> str:
    at = int(clock.now.timestamp())
    return f"Bearer {signed({**GOOD, 'iat': at, 'exp': at + life_s, **changes}, algorithm='EdDSA')}"


def unknown(credentials: Credentials, authorization: str | None) -> str:
    with pytest.raises(Refused) as caught:
        credentials.context(authorization)
    assert caught.value.kind == "unauthenticated"
    return str(caught.value)


def whole_log(world: World) -> str:
    """Everything that the store holds, in one text."""
    found = []
    with psycopg.connect(world.dsn) as conn:
        tables = conn.execute("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('o2c', 'projection')")
        for (table,) in tables.fetchall():
            found.append(str(conn.execute(f"SELECT array_agg(t::text) FROM {table} t").fetchone()))
    return "\n".join(found)


def test_a_key_says_who_sends_it(world: World, credentials: Credentials) -> None:
    """Alone or as a bearer's, the scheme in any letters; it acts under its name, in its roles, and within its operations."""
    made = issued(world, operations=["orders.capture"])
    assert re.fullmatch(r"o2c_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", made.key)
    for value in (made.key, f"Bearer {made.key}", f"bearer  {made.key} "):
        who = credentials.context(value, channel="web")
        assert who == Context("web-shop", "web", "", ("service",), frozenset({"orders.capture"}))
    assert permitted(who, "orders.capture")
    with pytest.raises(Refused, match=r"may not use orders\.show"):
        permitted(who, "orders.show")


def test_a_secret_stands_nowhere(world: World, credentials: Credentials, capsys: pytest.CaptureFixture[str]) -> None:
    """Not in the store, nor in a log line, a repr or an exception; the store has its SHA-256, which no view shows."""
    with structlog.testing.capture_logs() as lines:
        made = issued(world)
        credentials.context(made.key)
        wrong = [made.key[:-1], f"Basic {made.key}", f"{made.key}x", made.key[:18] + "A" * 43]
        said = [unknown(credentials, value) for value in wrong]
        with pytest.raises(Refused) as caught:
            revoke_key(world.app, ADMIN, f"nonsense {made.key}", note="lost")
    secret = made.key.split("_", 2)[2]
    told = f"{made!r} {credentials!r} {vars(credentials)} {lines} {said} {caught.value} {capsys.readouterr()}"
    assert secret not in whole_log(world)
    assert secret not in told
    digest = world.app.reads.rows("SELECT personal ->> 'digest' AS digest FROM o2c.event WHERE type = 'key.issued'")[0]["digest"]
    assert proves(secret, digest)
    assert digest not in json.dumps(list_keys(world.app))
    assert world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'key.issued' AND body ? 'digest'") == []
    assert not proves(secret, None)
    assert not proves(secret, "0" * 64)


def test_what_is_wrong_is_not_told(world: World, credentials: Credentials, clock: Clock) -> None:
    """One and the same line for every credential that is none; why stands in the log."""
    made, other = issued(world, days=1), issued(world)
    revoke_key(world.app, ADMIN, other.prefix, note="lost")
    trusted(world)
    clock.passes(86_400)
    values: list[str | None] = [
        None, "", "Bearer", "Bearer ", made.key, other.key, "o2c_000000000000_" + "x" * 43, made.key[:18] + other.key[18:], "Basic YTpi", "garbage",
        "Bearer garbage", token(clock, aud="others"), token(clock, sub="engine"), "Bearer " + "x" * 10_000_000, "Bearer clé", "Digest x", "o2c_",
        token(clock).removeprefix("Bearer "),
    ]  # fmt: skip
    with structlog.testing.capture_logs() as lines:
        assert len({unknown(credentials, value) for value in values}) == 1
    why = [line["why"] for line in lines if line["event"] == "credential_refused"]
    assert len(why) == len(values)
    assert len(set(why)) > 8
    assert {"a key that expired", "a key that was revoked", "a key that nobody was issued"} <= set(why)
    assert credentials.context(token(clock)).actor == "ann"


def test_a_token_says_who_sends_it(world: World, credentials: Credentials, clock: Clock) -> None:
    """Once its issuer is trusted, and no longer than it lives, remembered or not."""
    assert unknown(credentials, token(clock))
    trusted(world)
    clock.passes(FRESH_S)
    good = token(clock, life_s=60)
    assert credentials.context(good, command_id="c") == Context("ann", "api", "c", ("agent",), None)
    clock.passes(60 + 29)
    assert credentials.context(good).actor == "ann"
    clock.passes(1)
    assert unknown(credentials, good)


@pytest.mark.parametrize("kind", ["key", "token"])
def test_what_was_revoked_is_refused_within_seconds(world: World, credentials: Credentials, clock: Clock, kind: str) -> None:
    """Not at once, for answers are remembered, but FRESH_S seconds later at the latest; nobody is kept by asking all the time."""
    made = issued(world)
    trusted(world)
    value = made.key if kind == "key" else token(clock)
    assert credentials.context(value)
    if kind == "key":
        revoke_key(world.app, ADMIN, made.prefix, note="the laptop was stolen")
    else:
        distrust_issuer(world.app, ADMIN, ISSUER, note="its keys were stolen")
    assert FRESH_S <= 5
    for _ in range(9):
        clock.passes(FRESH_S / 10)
        assert credentials.context(value)
    clock.passes(FRESH_S / 10)
    assert unknown(credentials, value)


def test_a_request_after_the_first_costs_little(world: World, clock: Clock) -> None:
    """Under 100 microseconds at the median, and the store is not asked; a credential that is none is never remembered."""
    credentials = Credentials(world.app, fresh_s=600)
    made = issued(world)
    trusted(world)
    for value in (made.key, token(clock)):
        assert credentials.remembered(value) is None
        known = credentials.context(value)
        assert credentials.remembered(value) == replace(known, channel="desk")
        asked: list[Any] = []
        load: Callable[..., Any] = world.app.load
        world.app.load = lambda *names, load=load, asked=asked, **how: asked.append(names) or load(*names, **how)  # type: ignore[method-assign] # counted
        took = sorted(_timed(lambda value=value: credentials.context(value)) for _ in range(2_000))
        world.app.load = load  # type: ignore[method-assign] # as it was
        assert asked == []
        assert took[len(took) // 2] < 100e-6
    held = len(credentials._known)
    unknown(credentials, "Bearer garbage")
    assert len(credentials._known) == held == 2
    assert credentials.remembered("Bearer garbage") is None
    assert credentials.remembered("") is None


def test_what_is_no_longer_fresh_is_not_remembered(world: World, clock: Clock) -> None:
    """A key is known without the store for its seconds, and looked up again after them."""
    seconds = [100.0]
    credentials = Credentials(world.app, fresh_s=5, monotonic=lambda: seconds[0])
    made = issued(world)
    credentials.context(made.key)
    seconds[0] += 4.9
    assert credentials.remembered(made.key) is not None
    seconds[0] += 0.2
    assert credentials.remembered(made.key) is None


def _timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def test_the_last_use_is_kept_by_the_day(world: World, credentials: Credentials, clock: Clock) -> None:
    """Many uses of a day are one event; one on the next day is another; on a server that takes no writes the key is good all the same."""
    made = issued(world)
    assert [row["used_on"] for row in list_keys(world.app)] == [None]
    for _ in range(5):
        credentials.context(made.key)
        clock.passes(FRESH_S)
    clock.passes(86_400)
    world.app.takes_writes = False
    assert credentials.context(made.key)
    world.app.takes_writes = True
    clock.passes(FRESH_S)
    credentials.context(made.key)
    assert world.types(f"key-{made.prefix}") == ["key.issued", "key.used", "key.used"]
    assert [row["used_on"] for row in list_keys(world.app)] == [clock.now.date().isoformat()]


def test_a_key_is_issued_once_for_a_command_id(world: World) -> None:
    """The repeat names the same key and cannot show its secret; for another wish the id is refused."""
    once = replace(ADMIN, command_id="5f9c1d0e-5b1a-4a55-9a67-2f0f9d1b6c11")
    told = {"acts_as": "web-shop", "roles": ["service"]}
    first, again = (issue_key(world.app, once, **told) for _ in range(2))  # type: ignore[arg-type] # told is of both kinds
    assert (again.prefix, again.expires_at, again.key, again.written.repeated) == (first.prefix, first.expires_at, "", True)
    with pytest.raises(Refused, match="used for something else"):
        issue_key(world.app, once, acts_as="other", roles=["service"])
    assert len(list_keys(world.app)) == 1
    assert issued(world).prefix != issued(world).prefix


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"roles": ["operator"]}, "no role operator", id="whoever has the machine"),
        pytest.param({"roles": ["root"]}, "no role root", id="a role that is none"),
        pytest.param({"roles": []}, "at least one role", id="no role"),
        pytest.param({"operations": ["orders.explode"]}, "no operation orders.explode", id="an operation that is none"),
        pytest.param({"acts_as": "engine"}, "a name of its own", id="the engine"),
        pytest.param({"acts_as": ""}, "a name of its own", id="nobody"),
        pytest.param({"acts_as": "a\nb"}, "a name of its own", id="two lines"),
        pytest.param({"days": 0}, "1 to 366 days", id="no day"),
        pytest.param({"days": 367}, "1 to 366 days", id="for ever"),
    ],
)
def test_keys_that_are_not_issued(world: World, changes: dict[str, Any], why: str) -> None:
    """Nobody is given what is not in the table, or another's name."""
    with pytest.raises(Refused, match=why) as caught:
        issued(world, **changes)
    assert caught.value.kind == "usage"
    assert list_keys(world.app) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"roles": {"x": "operator"}}, "no role operator", id="whoever has the machine"),
        pytest.param({"roles": {}}, "at least one role", id="no role"),
        pytest.param({"jwks": json.dumps({"keys": [jwk(PRIVATE["ed"], "ed", kid="1")]})},
                     "no public key", id="a private key"),
        pytest.param({"jwks": "{}"}, "at least one", id="no keys"),
        pytest.param({"audience": " "}, "audience", id="no audience"),
        pytest.param({"claim": ""}, "claim", id="no claim"),
        pytest.param({"life_s_max": 59}, "60 to 86400 seconds", id="too short"),
        pytest.param({"life_s_max": LIFE_S_MAX + 1}, "60 to 86400 seconds", id="too long"),
    ],
)  # fmt: skip
def test_issuers_that_are_not_trusted(world: World, changes: dict[str, Any], why: str) -> None:
    """What a token could do under them is told before it is too late."""
    with pytest.raises(Refused, match=why) as caught:
        trusted(world, **changes)
    assert caught.value.kind == "usage"
    assert list_issuers(world.app) == []


def test_two_delays_do_not_add_up(world: World, credentials: Credentials, clock: Clock) -> None:
    """A token that is new to a process which knew its issuer as trusted a moment ago is believed no longer than that."""
    trusted(world)
    credentials.context(token(clock))
    clock.passes(FRESH_S * 0.9)
    distrust_issuer(world.app, ADMIN, ISSUER, note="leaked")
    other = token(clock, life_s=500)
    assert credentials.context(other).actor

    clock.passes(FRESH_S * 0.2)
    unknown(credentials, other)


@pytest.mark.parametrize("role", ["service", "agent", "supervisor", "analyst", "auditor", "privacy-officer"])
def test_only_an_admin_deals_with_credentials(world: World, role: str) -> None:
    """Nobody else issues, revokes, trusts or distrusts, whatever face he comes by."""
    who = Context("eve", roles=(role,))
    for deed in (
        lambda: issue_key(world.app, who, acts_as="eve", roles=["admin"]),
        lambda: revoke_key(world.app, who, "4f2a9c01b7de", note="x"),
        lambda: trust_issuer(world.app, who, ISSUER, audience="o2c", jwks=JWKS, claim="c", roles={"x": "admin"}),
        lambda: distrust_issuer(world.app, who, ISSUER, note="x"),
    ):
        with pytest.raises(Refused, match="eve may not use") as caught:
            deed()
        assert caught.value.kind == "forbidden"


def test_on_the_command_line(world: World, credentials: Credentials, desk: Desk, tmp_path: Path, clock: Clock) -> None:
    """A key is issued, listed and revoked; an issuer is trusted, listed and trusted no more; each refusal has one line."""
    words = ("--acts-as", "web-shop", "--role", "service", "--operation", "orders.capture")
    made, _ = json.JSONDecoder().raw_decode(desk.types("keys", "issue", *words, "-o", "json"))
    assert credentials.context(made["key"]).actor == "web-shop"
    [row] = desk.sees("keys", "list")
    assert (row["prefix"], row["stands"], row["operations"]) == (made["prefix"], "valid", ["orders.capture"])
    desk.types("keys", "revoke", made["prefix"], "--reason", "lost")
    assert "already" in desk.types("keys", "revoke", made["prefix"], "--reason", "lost")
    assert [row["stands"] for row in desk.sees("keys", "list")] == ["revoked"]
    with pytest.raises(Refused, match="no such key"):
        desk.types("keys", "revoke", "000000000000", "--reason", "lost")

    (tmp_path / "keys.json").write_text(JWKS)
    words = ("--audience", "o2c", "--jwks", str(tmp_path / "keys.json"), "--claim", "groups", "--role", "care-desk=agent", "--prefix", "p:")
    desk.types("issuers", "trust", ISSUER, *words)
    assert credentials.context(token(clock)).actor == "p:ann"
    assert [row["issuer"] for row in desk.sees("issuers", "list")] == [ISSUER]
    desk.types("issuers", "distrust", ISSUER, "--reason", "stolen")
    assert "was not before" in desk.types("issuers", "distrust", ISSUER, "--reason", "stolen")
    assert desk.sees("issuers", "list") == []
    for wrong, why in (
        (("issuers", "distrust", "x", "--reason", "y"), "no such issuer"),
        (("issuers", "trust", ISSUER, *words[:-3], "agent"), "--role is"),
    ):
        with pytest.raises(Refused, match=why):
            desk.types(*wrong)


def test_a_service_in_python_answers_for_others(world: World, dsn: str) -> None:
    """It asks who sends a credential, and calls what is asked for in that name: what the role may not is refused, what it may is done."""
    made = issued(world)
    with OrderToCash(dsn) as o2c:
        who = o2c.who(f"Bearer {made.key}")
        party = {"@type": "Individual", "id": "C-71", "givenName": "Tamsel", "familyName": "Holmquay"}
        o2c.ask("customers.register", who, party)
        register_customer(world.app, ROOT, {**party, "id": "C-72"})
        assert o2c.ask("customers.show", who, "C-71", personal=True)["name"] == "Tamsel Holmquay"
        assert o2c.ask("fallout.actions", who)
        for operation, arguments, kind in (
            ("customers.show", ("C-72",), "missing"),
            ("keys.list", (), "forbidden"),
            ("projections.status", (), "forbidden"),
            ("orders.explode", (), "missing"),
        ):
            with pytest.raises(Refused) as caught:
                o2c.ask(operation, who, *arguments)
            assert caught.value.kind == kind
        assert o2c.ask("projections.status", ADMIN)
        again = o2c.issue_key(ADMIN, acts_as="crm", roles=["service"])
        o2c.revoke_key(again.prefix, ADMIN, note="a try")
        assert {row["stands"] for row in o2c.issued_keys()} == {"valid", "revoked"}
        o2c.trust_issuer(ISSUER, ADMIN, audience="o2c", jwks=JWKS, claim="groups", roles={"x": "agent"})
        assert len(o2c.issuers()) == 1
        o2c.distrust_issuer(ISSUER, ADMIN, note="a try")
        assert o2c.issuers() == []
        assert o2c.access_records() == []
