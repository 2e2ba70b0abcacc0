"""The service: what a program sees of it when all goes well, and when it does not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.entrypoints.http.examples import AGREEMENTS, JOURNEYS
from o2c.entrypoints.http.failing import TOLD
from o2c.entrypoints.http.limits import BODY_BYTES_MAX, DEPTH_MAX, Rates
from o2c.entrypoints.http.problems import TYPES
from tests.service import Visitor, serving
from tests.world import World, at, line, order

CANCEL = {"note": "the customer rang"}


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """A service on a store with one order that waits for its stock of time."""
    world.take(order("WEB-1", line()))
    with serving(world, tmp_path) as made:
        yield made


def problem(answer: Any) -> tuple[int, str]:
    """The status and type of a problem, in its own media type."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    return told["status"], told["type"].removeprefix("/problems/")


def test_an_order_is_captured_once_and_read_back(service: Visitor) -> None:
    """The same key is the same wish: the second answer is the first, letter by letter, and says that it is a repeat."""
    paper = order("WEB-2", line())

    first = service.post("/api/v1/orders/capture", paper, Idempotency_Key="wish-1")
    again = service.post("/api/v1/orders/capture", paper, Idempotency_Key="wish-1")
    seen = service.get(f"/api/v1/orders/WEB-2?min_position={first.json()['position']}")

    assert (first.status_code, first.content) == (200, again.content)
    assert [answer.headers["idempotent-replayed"] for answer in (first, again)] == ["false", "true"]
    assert seen.json()["order"] == first.json()["order"]
    assert first.headers["o2c-position"] == first.json()["position"]


def test_a_key_is_for_one_wish(service: Visitor) -> None:
    """The same key with another wish is refused, and nothing is done."""
    tag = service.get("/api/v1/orders/WEB-1").headers["etag"]
    service.post("/api/v1/orders/WEB-1/cancel", CANCEL, If_Match=tag, Idempotency_Key="wish-1")

    again = service.post("/api/v1/orders/WEB-1/cancel", {"note": "another reason"}, If_Match="*", Idempotency_Key="wish-1")

    assert problem(again) == (422, "key-reused")


def test_a_change_says_what_it_was_decided_by(service: Visitor, world: World) -> None:
    """Without a version nothing is done; with an old one neither, and the caller is told what he has not seen."""
    old = service.get("/api/v1/orders/WEB-1").headers["etag"]
    world.run(at(5, 10))

    blind = service.post("/api/v1/orders/WEB-1/cancel", CANCEL)
    stale = service.post("/api/v1/orders/WEB-1/cancel", CANCEL, If_Match=old)
    wrong = service.post("/api/v1/orders/WEB-1/cancel", CANCEL, If_Match='"x"')

    assert [problem(blind), problem(stale), problem(wrong)] == [(428, "version-needed"), (412, "stale"), (422, "usage")]
    [(stream, version)] = stale.json()["current"].items()
    unseen = stale.json()["unseen"]
    assert [event["version"] for event in unseen] == list(range(int(old.strip('"')) + 1, version + 1))
    assert {event["stream"] for event in unseen} == {stream}


@pytest.mark.parametrize(
    ("read", "load", "file"),
    [
        pytest.param("care/agreements", "care/load", AGREEMENTS, id="agreements"),
        pytest.param("journeys/policy", "journeys/load-policy", JOURNEYS, id="policy"),
    ],
)
def test_what_takes_the_place_of_a_file_says_which_it_was(service: Visitor, read: str, load: str, file: str) -> None:
    """Two who read the same file and put their own over it: the second is told that something else is in force by now, and what he read
    again is no news to him."""
    tag = service.get(f"/api/v1/{read}").headers["etag"]
    first, second = (
        service.post(f"/api/v1/{load}", {"definitions": file.replace("own-1", name)}, If_Match=tag) for name in ("mine-1", "yours-1")
    )
    blind = service.post(f"/api/v1/{load}", {"definitions": file})
    now = service.get(f"/api/v1/{read}").headers["etag"]

    assert (first.status_code, problem(second), problem(blind)) == (200, (412, "stale"), (428, "version-needed"))
    assert now != tag
    assert service.get(f"/api/v1/{read}", If_None_Match=now).status_code == 304
    assert service.post(f"/api/v1/{load}", {"definitions": file.replace("own-1", "yours-1")}, If_Match=now).status_code == 200


def test_who_may_not_see_events_is_told_what_and_when(world: World, tmp_path: Path) -> None:
    """A shop that decided by an old page of its own order learns what happened, and neither by whom nor with which contents."""
    shop = Context("shop", roles=("service",))
    with serving(world, tmp_path, who=lambda authorization: shop) as service:
        service.post("/api/v1/orders/capture", order("SHOP-1", line()))
        stale = service.post("/api/v1/orders/SHOP-1/cancel", CANCEL, If_Match='"0"')

    assert problem(stale) == (412, "stale")
    assert stale.json()["unseen"]
    assert {frozenset(event) for event in stale.json()["unseen"]} == {frozenset(TOLD)}


def test_keys_of_two_callers_never_meet(service: Visitor) -> None:
    """Whatever their names and keys are: what one did is no repeat of the other's."""
    one, other = {"Authorization": "Bearer ann", "Idempotency_Key": "x 1"}, {"Authorization": "Bearer ann x", "Idempotency_Key": "1"}
    told = [service.post("/api/v1/orders/capture", order(f"WEB-{n}", line()), **who) for n, who in enumerate((one, other), 7)]

    assert [answer.status_code for answer in told] == [200, 200]


def test_a_change_decided_by_what_stands_is_done(service: Visitor) -> None:
    """With the tag of the page the order is cancelled, and the page has another tag."""
    tag = service.get("/api/v1/orders/WEB-1").headers["etag"]

    done = service.post("/api/v1/orders/WEB-1/cancel", CANCEL, If_Match=tag)

    assert done.status_code == 200
    page = service.get("/api/v1/orders/WEB-1", If_None_Match=tag)
    assert (page.status_code, page.json()["state"]) == (200, "cancelled")
    assert service.get("/api/v1/orders/WEB-1", If_None_Match=page.headers["etag"]).status_code == 304


def test_a_list_says_how_many_there_are(service: Visitor, world: World) -> None:
    """The rows of a page, and the number of all."""
    for number in range(2, 6):
        world.take(order(f"WEB-{number}", line()))

    page = service.get("/api/v1/orders?limit=2")

    assert (len(page.json()), page.headers["x-total-count"]) == (2, "5")


REFUSED = [
    ("no such order", "GET", "/api/v1/orders/NONE", None, {}, (404, "missing")),
    ("no such path", "GET", "/api/v1/nothing", None, {}, (404, "missing")),
    ("no such path outside the API", "GET", "/nothing", None, {}, (404, "missing")),
    ("no such method", "DELETE", "/api/v1/orders/WEB-1", None, {}, (405, "no-method")),
    ("a number out of range", "GET", "/api/v1/orders?limit=0", None, {}, (422, "usage")),
    ("a state that is none", "GET", "/api/v1/orders?state=lost", None, {}, (422, "usage")),
    ("a position that is none", "GET", "/api/v1/orders/WEB-1?min_position=-1", None, {}, (422, "usage")),
    ("a position ahead", "GET", "/api/v1/orders/WEB-1?min_position=9000000000000000000", None, {}, (409, "conflict")),
    ("a time without its zone", "GET", "/api/v1/orders/WEB-1?at=2026-01-05", None, {}, (422, "usage")),
    ("a word too much", "POST", "/api/v1/orders/WEB-1/cancel", b'{"note": "x", "all": 1}', {"If-Match": "*"}, (422, "usage")),
    ("no JSON", "POST", "/api/v1/orders/WEB-1/cancel", b"{", {"If-Match": "*"}, (400, "malformed")),
    ("a name that stands twice", "POST", "/api/v1/orders/capture", b'{"a": 1, "a": 2}', {}, (422, "usage")),
    ("too deep", "POST", "/api/v1/orders/capture", b"[" * (DEPTH_MAX + 1), {}, (400, "malformed")),
    ("too large", "POST", "/api/v1/orders/capture", b" " * (BODY_BYTES_MAX + 1), {}, (413, "too-large")),
    ("no JSON, as it says", "POST", "/api/v1/orders/capture", b"<a/>", {"Content-Type": "text/xml"}, (415, "media-type")),
    ("a key that is too long", "POST", "/api/v1/orders/capture", b"{}", {"Idempotency-Key": "x" * 256}, (422, "usage")),
    ("no key where one is needed", "POST", "/api/v1/customers/C-1/contact", b'{"medium": "call", "topic": "bill"}', {}, (400, "malformed")),
    ("a party without an id", "POST", "/api/v1/customers/register", b"{}", {}, (422, "usage")),
    ("a NUL in a path", "GET", "/api/v1/orders/%00", None, {}, (400, "malformed")),
    ("a NUL in a query", "GET", "/api/v1/orders?customer=%00", None, {}, (400, "malformed")),
    ("a NUL in a body", "POST", "/api/v1/orders/WEB-1/cancel", b'{"note": "a\\u0000"}', {"If-Match": "*"}, (400, "malformed")),
    ("nobody", "GET", "/api/v1/orders", None, {"Authorization": ""}, (401, "unauthenticated")),
]  # fmt: skip


def test_what_does_not_fit_is_a_problem(service: Visitor) -> None:
    """Whatever goes wrong is told in one form (RFC 9457), with a page that says what to do."""
    found = {}
    for name, method, path, body, headers, _ in REFUSED:
        own = {"Authorization": "Bearer ann", "Content-Type": "application/json", **headers}
        answer = service.client.request(method, path, content=body, headers=own)
        found[name] = problem(answer)
        assert service.client.get(answer.json()["type"]).text.startswith(TYPES[found[name][1]][1])

    assert found == {name: told for name, *_, told in REFUSED}


def test_brackets_within_texts_are_not_depth(service: Visitor) -> None:
    """A text may hold whatever it likes; only what opens and is not closed lies deep."""
    body = json.dumps({"note": '[{"' * DEPTH_MAX + "\\"}).encode()

    answer = service.client.post(
        "/api/v1/orders/WEB-1/cancel", content=body, headers={"Authorization": "Bearer ann", "Content-Type": "application/json", "If-Match": "*"}
    )  # fmt: skip

    assert answer.status_code == 200


def test_one_caller_is_held_back_and_no_other(world: World, tmp_path: Path) -> None:
    """Who asks too often is told to wait; others are served."""
    with serving(world, tmp_path, rates=Rates(rate_per_s=0.001, burst=2)) as service:
        eager = [service.get("/api/v1/partners", Authorization="Bearer eager") for _ in range(3)]
        calm = service.get("/api/v1/partners", Authorization="Bearer calm")

    assert [answer.status_code for answer in eager] == [200, 200, 429]
    assert problem(eager[-1]) == (429, "too-many")
    assert eager[-1].headers["retry-after"]
    assert calm.status_code == 200


def test_whoever_guesses_keys_is_not_served_on(world: World, tmp_path: Path) -> None:
    """After some wrong credentials an address has to wait, even with one that might be right."""
    with serving(world, tmp_path, strangers=Rates(rate_per_s=0.001, burst=3)) as service:
        before = service.get("/api/v1/partners").status_code
        guesses = [service.client.get("/api/v1/partners").status_code for _ in range(4)]
        right = service.get("/api/v1/partners")

    assert (before, guesses) == (200, [401, 401, 401, 429])
    assert problem(right) == (429, "too-many")


def test_a_database_that_is_away_is_told_as_such(world: World, tmp_path: Path) -> None:
    """503 with a time to come again, never 500; the process is well all the same."""
    with serving(world, tmp_path) as service:
        world.app.close()
        away, lives = service.get("/api/v1/orders"), service.client.get("/livez")

    assert problem(away) == (503, "unavailable")
    assert away.headers["retry-after"]
    assert lives.status_code == 200


def test_every_request_is_told_and_counted_by_its_route(world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Never by what was asked for: an order's id is in no line and makes no figure. The caller's own id of a request comes back."""
    world.take(order("WEB-1", line()))
    # A request is told after it was answered: what is told is read when the service has stopped, and never while a thread writes it.
    with serving(world, tmp_path) as service:
        service.get("/api/v1/orders/WEB-404", X_Request_Id="not an id")
        figures = service.client.get("/metrics").text
        named = service.get("/api/v1/orders/WEB-1", X_Request_Id="shop-17").headers["x-request-id"]
    [written] = [told for told in capfd.readouterr().out.splitlines() if "shop-17" in told]

    assert named == "shop-17"
    assert "/api/v1/orders/{name:path}" in written
    assert "WEB-1" not in written
    assert 'o2c_http_request_seconds_count{method="GET",route="/api/v1/orders/{name:path}",status="404"}' in figures
    assert "WEB-" not in figures
