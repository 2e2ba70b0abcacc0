"""Who may what, over HTTP: each role with a key of its own, each operation with its example, as the table of permissions says; and no forged token."""

import json
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from o2c.access.permissions import CELLS, MASKED, NO, OWN, PERMISSIONS, ROLES, SUBJECTS
from o2c.desk import gate
from o2c.desk.credentials import Credentials
from o2c.desk.hooks import subscribe
from o2c.desk.keys import issue_key, trust_issuer
from o2c.engine.app import Context
from o2c.entrypoints.http.examples import HOOK, INVOICE
from o2c.entrypoints.http.limits import Rates
from o2c.entrypoints.http.tmf.readable import READABLE
from tests.console import rich_world
from tests.rich import RIVAL
from tests.rules.test_tokens import CORPUS, ISSUER, JWKS, signed
from tests.sent import CALLS, OPERATIONS, ORDERS, Sent, StandIns, sent
from tests.service import Visitor, serving
from tests.world import World

KINDS = {"/problems/unauthenticated", "/problems/forbidden"}
WRITE = {name for name, call in CALLS.items() if call.verb}


world = rich_world()


@pytest.fixture(scope="module")
def stand_ins(world: World) -> StandIns:
    return StandIns(world)


@pytest.fixture(scope="module")
def service(world: World) -> Iterator[Visitor]:
    """The service as it is installed: callers are known by keys and tokens."""
    known = {"audience": "o2c", "jwks": JWKS, "claim": "groups", "roles": {"care-desk": "agent"}}
    trust_issuer(world.app, Context("root"), ISSUER, **known)  # type: ignore[arg-type]  # of several kinds
    plenty = Rates(rate_per_s=10_000, burst=10_000)
    with serving(world, world.folder, rates=plenty, strangers=plenty, who=Credentials(world.app).context) as made:
        yield made


@pytest.fixture(scope="module")
def keys(world: World) -> dict[str, str]:
    """A key for each role; the service's acts as the shop that captured an order."""
    names = {role: "web-shop" if role == "service" else f"some-{role}" for role in ROLES}
    return {role: issue_key(world.app, Context("root"), acts_as=name, roles=[role]).key for role, name in names.items()}


def asked(service: Visitor, key: str, request: Sent) -> Any:
    """What comes of a request with a key."""
    headers = {"Authorization": f"Bearer {key}", **request.headers}
    return service.client.request(request.method, request.path, params=request.query, json=request.body, headers=headers)


def not_as_told(operation: str, cell: str, told: Any, full: list[str]) -> str:
    """What is wrong about an answer for a role that may so much; empty for nothing."""
    kind = told.json().get("type", "") if told.status_code >= 400 else ""
    if told.status_code >= 500:
        return f"{told.status_code}"
    if cell == NO:
        return "" if (told.status_code, kind) == (403, "/problems/forbidden") else f"forbidden, but {told.status_code}"
    if kind in KINDS:
        return f"allowed, but {told.status_code}: {told.json()['detail']}"
    if cell == MASKED and (shown := [number for number in full if number in told.text]):
        return f"masked, but {shown[0]} is told"
    return ""


@pytest.fixture(scope="module")
def numbers(world: World) -> list[str]:
    """Every number and SIM that there is, in full."""
    return [row["key"] for row in world.app.reads.rows("SELECT key FROM projection.stock")]


def wrong_of(
    service: Visitor, keys: Mapping[str, str], stand_ins: StandIns, numbers: list[str], cells: Collection[str] = CELLS
) -> list[str]:
    """Every place of the table that is not as it says, of those that say one of `cells`."""
    found = []
    for operation in sorted(OPERATIONS, key=lambda name: (name in WRITE, name)):
        # What is forbidden is asked first, so that what a request did cannot hide it.
        for role in sorted(ROLES, key=lambda role: PERMISSIONS[operation][role] != NO):
            if PERMISSIONS[operation][role] not in cells:
                continue
            request = sent(operation, stand_ins, key=str(uuid4()))
            told = asked(service, keys[role], request)
            if wrong := not_as_told(
                operation, PERMISSIONS[operation][role], told, [n for n in numbers if n not in json.dumps(request.body)]
            ):
                found.append(f"{operation} {role}: {wrong}")
    return found


def test_each_role_may_what_the_table_says(service: Visitor, keys: Mapping[str, str], stand_ins: StandIns, numbers: list[str]) -> None:
    """Allowed is done or refused for another reason; masked tells no number in full; forbidden is 403."""
    assert wrong_of(service, keys, stand_ins, numbers) == []


def test_a_hole_is_seen(
    service: Visitor, keys: Mapping[str, str], stand_ins: StandIns, numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were everything allowed, nothing masked, the test above would fail at each place that is not allowed."""
    with monkeypatch.context() as holed:
        holed.setattr(gate, "permitted", lambda context, operation: context)
        holed.setattr(gate, "ways", lambda context, operation: frozenset({"yes"}))
        found = wrong_of(service, keys, stand_ins, numbers, {NO, MASKED})

    places = {line.rpartition(":")[0].partition(":")[0] for line in found if "forbidden, but" in line}
    views = {f"{name} {role}" for name in set(OPERATIONS) - WRITE for role in ROLES if PERMISSIONS[name][role] == NO}
    assert views <= places
    assert [line for line in found if "masked, but" in line]


@pytest.fixture(scope="module")
def others(world: World) -> dict[str, str]:
    """Of each kind of thing one that another shop began."""
    [invoice] = world.app.reads.rows("SELECT invoice FROM projection.invoices WHERE customer_id = 'C-72' LIMIT 1")
    hook = subscribe(world.app, world.folder, RIVAL, "https://rival.example/told").hook
    return {"order": "RIVAL-1", "customer": "C-72", "invoice": invoice["invoice"], "hook": hook}


@pytest.mark.parametrize(
    "operation", sorted(name for name, cells in PERMISSIONS.items() if cells["service"] == OWN and name in SUBJECTS and name in CALLS)
)
def test_what_is_anothers_is_not_there(
    service: Visitor, keys: Mapping[str, str], stand_ins: StandIns, others: dict[str, str], operation: str
) -> None:
    """The same 404 for what another shop began as for what there is not."""
    kind, _ = SUBJECTS[operation]
    theirs = others[kind]
    mine = {
        "order": ORDERS.get(operation, "SHOP-1"),
        "customer": "C-1",
        "invoice": stand_ins.of_all[INVOICE],
        "hook": stand_ins.of_all[HOOK],
    }[kind]
    request = sent(operation, stand_ins, key=str(uuid4()))

    told = [asked(service, keys["service"], Sent(request.method, request.path.replace(mine, name), request.query, request.body, request.headers))
            for name in (theirs, "NONE-1")]  # fmt: skip

    assert [answer.status_code for answer in told] == [404, 404]
    assert told[0].json()["detail"].replace(theirs, "NAME") == told[1].json()["detail"].replace("NONE-1", "NAME")


def test_a_forged_token_is_not_accepted(service: Visitor) -> None:
    """None of the corpus: each is 401, in the same words, whatever is wrong with it; and a good one is let in."""
    at = int(time.time())
    claims = {"iss": ISSUER, "aud": "o2c", "sub": "ann", "iat": at, "exp": at + 600, "groups": ["care-desk"]}
    answers = set()
    tried = 0
    for case in CORPUS:
        value = case.values[0]
        if not value.isascii() or value != value.strip() or not value or len(value) > 60_000:  # no header line can carry it
            continue
        told = service.client.get("/api/v1/orders", headers={"Authorization": f"Bearer {value}"})
        tried += 1
        answers.add((told.status_code, told.json()["type"], told.json()["detail"], told.headers["www-authenticate"]))
    good = service.client.get("/api/v1/orders", headers={"Authorization": f"Bearer {signed(claims)}"})

    assert {(status, kind) for status, kind, _, _ in answers} == {(401, "/problems/unauthenticated")}
    assert len(answers) == 1
    assert tried > 80
    assert good.status_code == 200


def test_a_header_without_end_is_cut_off(service: Visitor) -> None:
    """10 MB of a token are not read: the server ends it, and lives on."""
    try:
        status = service.client.get("/api/v1/orders", headers={"Authorization": "Bearer " + "A" * 10 * 1024 * 1024}).status_code
    except httpx.TransportError:
        status = 0  # the server hung up while it was still sent

    assert status in (0, 400, 401, 431)
    assert service.client.get("/livez").status_code == 200


ORDERING = "/tmf-api/productOrderingManagement/v{version}"
TM_FORUM: list[tuple[str, str, Any, str]] = [
    *(("GET", f"{each.base}/{each.name}", None, each.view) for each in READABLE),
    *(("GET", f"{each.base}/{each.name}/NONE-1", None, each.view) for each in READABLE),
    *(("GET", f"/tmf-api/event/v4/event{one}", None, "events.page") for one in ("", "/NONE-1", "?eventType=none")),
    *(
        (method, ORDERING.format(version=version) + path, body, operation)
        for version in (4, 5)
        for method, path, body, operation in (
            ("GET", "/productOrder", None, "orders.documents"),
            ("GET", "/productOrder?state=none", None, "orders.documents"),
            ("GET", "/productOrder/RIVAL-1", None, "orders.document"),
            ("GET", "/cancelProductOrder", None, "orders.cancellations"),
            ("POST", "/productOrder", {}, "orders.capture"),
            ("POST", "/cancelProductOrder", {"productOrder": {"id": "RIVAL-1"}}, "orders.cancel"),
            ("PATCH", "/productOrder/RIVAL-1", {"priority": "1"}, "orders.annotate"),
            ("POST", "/hub", {"callback": "ftp://nowhere.example"}, "hooks.subscribe"),
            ("DELETE", "/hub/NONE-1", None, "hooks.unsubscribe"),
        )
    ),
]
"""Each path of TM Forum's interfaces, what is sent, and the operation behind it; what would be done is refused for another reason where it can be."""


@pytest.mark.parametrize(("method", "path", "body", "operation"), TM_FORUM, ids=lambda value: value if isinstance(value, str) else "")
def test_tm_forums_paths_obey_the_same_table(
    service: Visitor, keys: Mapping[str, str], method: str, path: str, body: Any, operation: str
) -> None:
    """Forbidden is 403; allowed is done, or refused for another reason; what another shop began is not there for a service."""
    told = {role: service.client.request(method, path, json=body, headers={"Authorization": f"Bearer {keys[role]}"}) for role in ROLES}

    forbidden = {role for role, answer in told.items() if answer.status_code == 403}
    assert forbidden == {role for role in ROLES if PERMISSIONS[operation][role] == NO}
    assert not [answer.text for answer in told.values() if answer.status_code >= 500 or answer.status_code == 401]
    if PERMISSIONS[operation]["service"] == OWN and "RIVAL-1" in f"{path}{body}":
        assert told["service"].status_code in (404, 422)
