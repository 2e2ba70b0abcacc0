"""The frame of the console: who comes in, what a page may do, what goes wrong and how that looks."""

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from o2c.entrypoints.http.console import app
from o2c.entrypoints.http.console.rendering import STATIC, standing, state
from o2c.entrypoints.http.console.visits import SESSION_S, Visits
from tests.console import Console, console
from tests.world import World, at, order, ported


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Console]:
    """The console of a store with one fallout: a port without its code."""
    world.take(order("WEB-1", ported(code="")))
    world.run(at(5, 11))
    with console(world, tmp_path) as made:
        yield made


def test_whoever_is_not_signed_in_is_led_to_where_he_can_and_back(site: Console) -> None:
    """The page that was asked for opens once a key is given that is one."""
    with site.visited() as person:
        led = person.opens("/console/groups")
        wrong = person.sends(led, "/console/sign-in", {"key": "nobody"})
        right = person.sends(wrong, "/console/sign-in", {"key": "ann:agent"})

    assert led.answer.url.path == "/console/sign-in"
    assert (wrong.status, wrong.alerts) == (401, ["no valid key came with the request"])
    assert right.answer.url.path == "/console/groups"


def test_the_session_is_kept_from_scripts_and_from_other_sites(site: Console) -> None:
    """The cookie is HttpOnly and SameSite=Lax, does not hold the key as it is, and is worth nothing after signing out or altered."""
    with site.visited() as person:
        came = person.client.post(
            "/console/sign-in",
            data={**person.opens("/console/sign-in").form("/console/sign-in"), "key": "ann:agent"},
            follow_redirects=False,
        )
        cookie = came.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "ann" not in cookie
        page = person.opens("/console/fallouts")
        assert page.status == 200
        out = person.sends(page, "/console/sign-out")
        assert out.answer.url.path == "/console/sign-in"
        assert person.opens("/console/fallouts").answer.url.path == "/console/sign-in"
        value = cookie.split("=", 1)[1].split(";")[0]
        for kept in (value, f"{value[:-4]}AAAA"):
            person.client.cookies.clear()
            person.client.cookies.set("o2c", kept)
            assert person.opens("/console/fallouts").answer.url.path == "/console/sign-in"


def test_a_session_ends_after_its_time_however_much_it_is_used(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No page makes it younger: the cookie is set when somebody signs in, and by no page after; after a working day it opens nothing."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(app, "Visits", partial(Visits, clock=lambda: now[0]))
    with console(world, tmp_path) as site, site.by("ann", "agent") as ann:
        seen = []
        for _ in range(4):
            now[0] += SESSION_S / 4 - 1
            seen.append(ann.opens("/console/fallouts"))
        now[0] += 10
        over = ann.opens("/console/fallouts")

    assert [page.answer.url.path for page in seen] == ["/console/fallouts"] * 4
    assert ["set-cookie" in page.answer.headers for page in seen] == [False] * 4
    assert over.answer.url.path == "/console/sign-in"


def test_a_link_that_another_site_shows_signs_nobody_out(site: Console) -> None:
    """A customer's page has a cookie of its own, so that it neither needs nor touches the one of whoever is signed in."""
    with site.by("ann", "agent") as ann:
        mine = ann.opens("/my/no-link")
        page = ann.opens("/console/fallouts")

    assert mine.answer.headers["set-cookie"].startswith("o2c-my=")
    assert page.answer.url.path == "/console/fallouts"


def test_no_key_is_taken_in_clear_over_a_network(site: Console) -> None:
    """Under a name that is not this machine's own, without TLS, nobody signs in; a proxy that says it had TLS is believed, and the cookie is then
    one that the browser gives to this host alone, over TLS alone."""
    with site.visited() as person:
        fields = person.opens("/console/sign-in").form("/console/sign-in")
        plain = person.client.post("/console/sign-in", data={**fields, "key": "ann:agent"}, headers={"Host": "shop.example"})
        secure = person.client.get("/console/sign-in", headers={"Host": "shop.example", "X-Forwarded-Proto": "https"})

    assert plain.status_code == 403
    assert "through TLS" in plain.text
    assert secure.headers["set-cookie"].startswith("__Host-o2c=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(secure.headers["set-cookie"].split("; "))


def test_signing_in_leads_to_no_other_site(site: Console) -> None:
    """A link with another address behind it leads to the first page."""
    with site.visited() as person:
        for elsewhere in ("https://example.org/", "//example.org", "/console//example.org", "/\\example.org", "/api/v1/orders"):
            page = person.opens(f"/console/sign-in?next={elsewhere}")
            assert page.form("/console/sign-in")["next"] == "/console"


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        pytest.param({}, None, 200, id="our own form"),
        pytest.param({}, "", 403, id="no token"),
        pytest.param({}, "0" * 64, 403, id="a token that is none"),
        pytest.param({"Origin": "https://example.org"}, None, 403, id="another origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, None, 403, id="another site"),
        pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, None, 200, id="the same origin, as a browser says it"),
        pytest.param({"Origin": "null"}, None, 403, id="an origin that is hidden"),
        pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, None, 403, id="another site whose origin is hidden"),
    ],
)
def test_a_form_counts_from_our_own_page_alone(
    site: Console, world: World, headers: dict[str, str], token: str | None, status: int
) -> None:
    """What another site sends in somebody's name is refused, and nothing happened."""
    with site.by("ann", "agent") as ann:
        fallout = str(world.fallouts()[0]["fallout"])
        action = f"/console/fallouts/{fallout}/act"
        values = ann.opens(f"/console/fallouts/{fallout}").form(action, action="claim")
        if token is not None:
            values["token"] = token
        answer = ann.client.post(action, data=values, headers=headers)

    assert answer.status_code == status
    assert world.fallouts()[0]["owner"] == ("ann" if status == 200 else "porting desk")


def test_a_token_of_one_form_is_none_for_another(site: Console, world: World) -> None:
    """The token of signing out does not claim."""
    fallout = str(world.fallouts()[0]["fallout"])
    with site.by("ann", "agent") as ann:
        page = ann.opens(f"/console/fallouts/{fallout}")
        token = page.form("/console/sign-out")["token"]
        answer = ann.client.post(f"/console/fallouts/{fallout}/act", data={"action": "claim", "token": token})

    assert answer.status_code == 403


@pytest.mark.parametrize("field", ["note", "change.portInCode", "seen", "wish", "token", "odd\0name"])
def test_a_nul_in_a_form_is_refused_in_words(site: Console, world: World, field: str) -> None:
    """No text of a store can have one: it is the sender's mistake, in whichever field and however the form was written, and no defect of ours."""
    fallout = str(world.fallouts()[0]["fallout"])
    action = f"/console/fallouts/{fallout}/act"
    before = world.app.reads.last_position()
    with site.by("ann", "agent") as ann:
        values = ann.opens(f"/console/fallouts/{fallout}").form(action, action="correct")
        sent = [
            ann.client.post(action, data={**values, field: "a\0b"}),
            ann.client.post(action, files={name: (None, value) for name, value in {**values, field: "a\0b"}.items()}),
        ]

    for answer in sent:
        assert answer.status_code in (400, 422), field
        assert "NUL" in answer.text
    assert world.app.reads.last_position() == before


def test_a_nul_in_a_key_signs_nobody_in(site: Console) -> None:
    """Nor does it bring down the page that asks for it."""
    with site.visited() as person:
        wrong = person.sends(person.opens("/console/sign-in"), "/console/sign-in", {"key": "ann:\0agent"})
        mine = person.client.post("/my/no-link", data={"fallout": "\0"})

    assert (wrong.status, mine.status_code) == (422, 422)


def test_every_page_is_strict(site: Console) -> None:
    """One policy on every answer, and nothing inline that it would have to allow: no script, no style, no handler."""
    with site.by("sue", "supervisor") as sue:
        pages = [sue.opens(path) for path in ("/console/fallouts", "/console/groups", "/console/none", "/console/sign-in")]
        kept = sue.client.get(re.findall(r'href="(/console/static/console\.css[^"]*)"', pages[0].answer.text)[0])

    for page in pages:
        policy = page.answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.answer.headers["cache-control"] == "no-store"
        assert page.answer.headers["x-content-type-options"] == "nosniff"
        assert page.answer.headers["referrer-policy"] == "no-referrer"
        assert [node.attributes for node in page.root.all("script") if "src" not in node.attributes or node.inside] == []
        assert page.root.all("style") == []
        assert re.findall(r'\s(?:style|on[a-z]+)="', page.answer.text) == []
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page.answer.text) == []
    assert "immutable" in kept.headers["cache-control"]


def test_what_is_not_there_and_what_one_may_not_are_pages(site: Console) -> None:
    """404 and 403 in one line each, with the way out; and a value that is none."""
    with site.by("adam", "admin") as adam, site.by("ann", "agent") as ann:
        told = {path: (seen.status, seen.alerts) for path, seen in (
            ("none", ann.opens("/console/none")), ("fallout", ann.opens("/console/fallouts/0000000000")),
            ("limit", ann.opens("/console/fallouts?limit=0")), ("queue", ann.opens("/console/fallouts?queue=moon")),
            ("may not", adam.opens("/console/fallouts")),
        )}  # fmt: skip

    assert {path: status for path, (status, _) in told.items()} == {"none": 404, "fallout": 404, "limit": 422, "queue": 422, "may not": 403}
    assert all(len(alerts) == 1 for _, alerts in told.values())
    assert "no fallout 0000000000" in told["fallout"][1][0]


@pytest.mark.parametrize(
    ("value", "of_an_order", "of_a_fallout"),
    [("inProgress", "in progress", "in hand"), ("awaitingInformation", "awaiting information", "waits for an answer"), ("partial", "partly done", "partly done")],
)  # fmt: skip
def test_a_state_reads_as_what_it_means_of_its_thing(value: str, of_an_order: str, of_a_fallout: str) -> None:
    """An order in progress is in nobody's hand; a fallout is."""
    assert (state(value), standing(value)) == (of_an_order, of_a_fallout)


def test_a_database_that_is_away_is_told_as_such(world: World, tmp_path: Path) -> None:
    """Neither an empty list nor a defect: the page says that the service has no answer now, and to come again."""
    with console(world, tmp_path) as site, site.by("ann", "agent") as ann:
        empty = ann.opens("/console/fallouts")
        world.app.close()
        away = ann.opens("/console/fallouts")

    assert (empty.status, empty.alerts) == (200, [])
    assert "Nothing has fallen out here." in empty.text
    assert away.status == 503
    assert len(away.alerts) == 1
    assert "Nothing has fallen out" not in away.text
    assert away.answer.headers["retry-after"]


def test_what_is_vendored_is_what_it_says() -> None:
    """The file is the published one, to the byte, with its licence beside it."""
    noted = (STATIC / "vendored.txt").read_text()
    [expected] = re.findall(r"sha256\s+([0-9a-f]{64})", noted)
    assert hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest() == expected
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE.txt").read_text()
