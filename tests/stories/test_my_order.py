"""Where is my order: a link shows one order to its customer, for some days, in his words, and takes what we need from him."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.desk.roles import HOLDER
from o2c.entrypoints.http.console.visits import Visits
from o2c.entrypoints.http.limits import Rates
from o2c.entrypoints.verbs_and_views import VERBS, VIEWS, named
from o2c.kernel.refusal import Refused
from o2c.views.order_link import order_link
from tests.console import Console, console
from tests.desk import Desk
from tests.service import serving
from tests.world import ADDRESS, World, at, line, order, ported

NUMBER = "+447700900123"
CUSTOMER = Context("customer", channel="link", roles=(HOLDER,))


@pytest.fixture
def waiting(world: World) -> World:
    """A port without its code, and somebody else's order."""
    world.take(order("WEB-1", ported(code="")), order("WEB-2", line(), party="C-2"))
    return world.run(at(5, 11))


@pytest.fixture
def site(waiting: World, tmp_path: Path) -> Iterator[Console]:
    """The service on that store."""
    with console(waiting, tmp_path) as made:
        yield made


def link_of(world: World, home: Path, name: str = "WEB-1", **more: Any) -> str:
    return str(order_link(world.app, home, name, **more)["link"])


def test_a_customer_reads_how_it_stands_and_gives_the_code(site: Console, waiting: World, tmp_path: Path) -> None:
    """His milestones and what we need; the code goes to the fallout as his own correction, and then the page says that it is done."""
    path = f"/my/{link_of(waiting, tmp_path)}"
    with site.visited() as customer:
        page = customer.opens(path)
        thanked = customer.sends(page, path, {"change.portInCode": "ABC123456"})
        waiting.run(at(9))
        after = customer.opens(path)

    assert "We need something before we can go on." in page.text
    assert "The code of your old provider" in page.text
    assert (thanked.status, thanked.alerts) == (200, [])
    assert "Thank you." in thanked.text
    assert "What we need from you" not in thanked.text
    assert "Everything is done." in after.text
    told = [stone.text for stone in page.root.all("ol")[0].all("li")]
    assert told == sorted(told, key=lambda line: line.startswith("to come"))
    [row] = waiting.app.reads.rows("SELECT actor, channel FROM o2c.event WHERE type = 'fallout.correction-applied'")
    assert row == {"actor": "customer", "channel": "link"}


def test_nothing_personal_and_nothing_of_others_is_shown(site: Console, waiting: World, tmp_path: Path) -> None:
    """No number, address, name, customer's id, price, partner or person of ours; no way into the console."""
    with site.visited() as customer:
        page = customer.opens(f"/my/{link_of(waiting, tmp_path)}")

    for hidden in (
        NUMBER,
        "7700900123",
        ADDRESS,
        "Holmquay",
        "C-1",
        "GBP",
        "WEB-2",
        "porting desk",
        "clearing",
        "/console/orders",
        "/console/fallouts",
    ):
        assert hidden not in page.answer.text
    assert page.answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'self'" in page.answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("break_it", "status"),
    [
        pytest.param(lambda link: link, 200, id="as it was given"),
        pytest.param(lambda link: f"{'B' if link[0] == 'A' else 'A'}{link[1:]}", 404, id="another order"),
        pytest.param(lambda link: f"{link[:30]}{'B' if link[30] == 'A' else 'A'}{link[31:]}", 404, id="a longer life"),
        pytest.param(lambda link: link[:40], 404, id="half of it"),
        pytest.param(lambda link: "x" * 300, 404, id="nonsense"),
        pytest.param(lambda link: "%C3%A9" * 8, 404, id="no letters of a link"),
    ],
)
def test_a_link_that_we_did_not_give_shows_nothing(site: Console, waiting: World, tmp_path: Path, break_it: Any, status: int) -> None:
    """One word for all of them, so that nobody learns which orders there are."""
    with site.visited() as customer:
        page = customer.opens(f"/my/{break_it(link_of(waiting, tmp_path))}")

    assert page.status == status
    assert (page.alerts == ["this is no link to an order here; open it again as it was sent to you"]) is (status == 404)


def test_a_link_ends(site: Console, waiting: World, tmp_path: Path) -> None:
    """After its days it is gone, and no answer by it is taken."""
    link = link_of(waiting, tmp_path, days=1)
    with site.visited() as customer:
        page = customer.opens(f"/my/{link}")
        waiting.run(at(6, 12))
        gone = customer.opens(f"/my/{link}")
        late = customer.sends(page, f"/my/{link}", {"change.portInCode": "ABC123456"})

    assert [seen.status for seen in (page, gone, late)] == [200, 410, 410]
    assert waiting.fallouts("WEB-1")[0]["in_hand_by"] is None


def test_another_key_makes_every_link_void(waiting: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was signed with the old one is no link any more."""
    link = link_of(waiting, tmp_path)
    monkeypatch.setenv("O2C_LINK_KEY", "ab" * 32)
    with pytest.raises(Refused, match="no link to an order here"):
        named("orders.by-link").ask(CUSTOMER, waiting.app, tmp_path, link)


@pytest.mark.parametrize(
    "changes",
    [{"party": "C-2"}, {"portInCode": "ABC123456", "account": "BA-C-2"}, {"line.1.offering": "x"}, {}],
    ids=["another's order", "one too many", "another offering", "nothing"],
)
def test_only_what_was_asked_for_is_taken(waiting: World, tmp_path: Path, changes: dict[str, str]) -> None:
    """A customer corrects what stands in his page, and no other value of the order."""
    [row] = waiting.fallouts("WEB-1")
    before = waiting.app.reads.last_position()
    with pytest.raises(Refused, match="what was asked for, and nothing else"):
        named("orders.answer").ask(CUSTOMER, waiting.app, tmp_path, link_of(waiting, tmp_path), row["fallout"], changes)
    with pytest.raises(Refused, match="nothing of the kind"):
        named("orders.answer").ask(
            CUSTOMER, waiting.app, tmp_path, link_of(waiting, tmp_path, "WEB-2"), row["fallout"], {"portInCode": "ABC123456"}
        )
    assert waiting.app.reads.last_position() == before


def test_a_code_that_is_none_is_asked_for_again(site: Console, waiting: World, tmp_path: Path) -> None:
    """It is taken down as he wrote it and judged as every code is; the page then asks once more."""
    path = f"/my/{link_of(waiting, tmp_path)}"
    with site.visited() as customer:
        wrong = customer.sends(customer.opens(path), path, {"change.portInCode": "?"})
        waiting.run(at(5, 12))
        after = customer.opens(path)

    assert (wrong.status, wrong.alerts) == (200, [])
    assert "The code of your old provider" in after.text
    assert [row["reason"] for row in waiting.fallouts("WEB-1")] == ["NP-CODE"]


def test_an_answer_that_comes_twice_is_done_once(site: Console, waiting: World, tmp_path: Path) -> None:
    """A double click, or an answer that was lost on the way: the second leads to how it stands, in no red word."""
    path = f"/my/{link_of(waiting, tmp_path)}"
    with site.visited() as customer:
        page = customer.opens(path)
        seen = [customer.sends(page, path, {"change.portInCode": "ABC123456"}) for _ in range(2)]

    assert [(answer.status, answer.alerts) for answer in seen] == [(200, [])] * 2
    assert [answer.answer.history[0].status_code for answer in seen] == [303, 303]
    assert [str(answer.answer.url.query, "ascii") for answer in seen] == ["done=thanks", ""]
    written = waiting.app.reads.rows("SELECT 1 FROM o2c.event WHERE type = 'fallout.correction-applied'")
    assert len(written) == 1


def test_what_is_refused_is_told_in_our_words(site: Console, waiting: World, tmp_path: Path) -> None:
    """A form that was tampered with: one plain sentence, no id and no word of the desk."""
    path = f"/my/{link_of(waiting, tmp_path)}"
    with site.visited() as customer:
        odd = customer.sends(customer.opens(path), path, {"change.party": "C-2"})

    assert odd.status == 422
    assert odd.alerts == ["We could not take what you sent. Please look at it and send it again, or ring us."]


def test_whoever_guesses_links_waits_and_keeps_nobody_else_out(waiting: World, tmp_path: Path) -> None:
    """A link that is one is opened as often as one likes. Of guesses an address has a few, by pages and answers alike; keys have their own count."""
    link = link_of(waiting, tmp_path)
    with serving(waiting, tmp_path, links=Rates(rate_per_s=0.001, burst=3), strangers=Rates(rate_per_s=0.001, burst=3)) as service:
        good = [service.client.get(f"/my/{link}").status_code for _ in range(8)]
        bad = [service.client.get(f"/my/x{link}").status_code for _ in range(4)]
        held_back = service.client.get(f"/my/{link}")
        keys = [service.client.get("/api/v1/status").status_code, service.get("/api/v1/status").status_code]

    assert good == [200] * 8
    assert bad == [404] * 3 + [429]
    assert held_back.status_code == 429
    assert held_back.headers["retry-after"]
    assert keys == [401, 200]


def test_a_forged_link_counts_when_an_answer_is_sent_by_it(waiting: World, tmp_path: Path) -> None:
    """An answer opens no second way to guess."""
    link = link_of(waiting, tmp_path)
    with console(waiting, tmp_path, links=Rates(rate_per_s=0.001, burst=2)) as site, site.visited() as guesser:
        page = guesser.opens(f"/my/{link}")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Visits, "check", lambda *_: None)
            sent = [guesser.client.post(f"/my/x{link}", data=page.form(f"/my/{link}")).status_code for _ in range(3)]

    assert sent == [404, 404, 429]


def test_whoever_has_a_link_may_do_nothing_else(waiting: World) -> None:
    """Of all verbs and views two are his."""
    allowed = set()
    for operation in (*VERBS, *VIEWS):
        try:
            operation.ask(CUSTOMER)
        except Refused as refused:
            if refused.kind != "forbidden":
                allowed.add(operation.name)
    assert allowed == {"orders.answer", "orders.by-link"}


def test_a_link_is_made_where_people_work(site: Console, waiting: World, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the order's page and on the command line; both open the same order. An auditor makes none."""
    monkeypatch.setenv("O2C_LINK_KEY", "cd" * 32)
    desk.environment["O2C_LINK_KEY"] = "cd" * 32
    with site.by("ann", "agent") as ann, site.by("otto", "auditor") as otto:
        page = ann.opens("/console/orders/WEB-1")
        action = f"/console/orders/{waiting.order('WEB-1').order_id}/link"
        made = ann.sends(page, action)
        assert otto.opens("/console/orders/WEB-1").root.all("form", action=action) == []
        [shown] = [node.text for node in made.root.all("code") if "/my/" in node.text]
        typed = json.loads(desk.types("orders", "link", "WEB-1", "-o", "json"))
        opened = [ann.opens(path) for path in (shown.partition("/my/")[1] + shown.partition("/my/")[2], typed["path"])]

    assert [seen.status for seen in opened] == [200, 200]
    assert all("Your order WEB-1" in seen.text for seen in opened)
