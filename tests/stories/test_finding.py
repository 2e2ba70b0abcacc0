"""Finding orders by what a caller has at hand, and nobody else finding out."""

import json
import stat
from pathlib import Path

import pytest

from o2c.desk.fallout import Fail
from o2c.files import loading
from o2c.kernel.identifiers import order_id
from o2c.kernel.refusal import Refused
from o2c.orders.document import SOURCE
from o2c.store.database import connect
from o2c.views.finding import find_orders, kept
from o2c.views.lookup_key import given_key, key_of
from o2c.views.reading import caught_up
from projections.engine.operations import as_of, catch_up, rebuild, status, verify
from projections.lookups import lookups, token
from tests.histories import table_of
from tests.world import Document, World, at, customer, line, order, ported

BROUGHT = "+447700900123"
KEY = "5e" * 32


@pytest.fixture
def world(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.delenv("O2C_LOOKUP_KEY", raising=False)
    monkeypatch.delenv("O2C_DSN", raising=False)
    made = World(dsn, tmp_path).stocked()
    register(made, person("C-1", "Ada", "Quillfeather", "ada.q@example.org"), person("C-2", "Zoë", "Marrowby", "zoe@example.org"))
    return made


def person(key: str, given: str, family: str, email: str) -> Document:
    return {**customer(key), "givenName": given, "familyName": family, "contactMedium": [{"characteristic": {"emailAddress": email}}]}


def register(world: World, *people: Document) -> None:
    loading.load_customers(world.app, world.written("people.jsonl", "\n".join(json.dumps(one) for one in people)))


def found(world: World, text: str, by: str = "") -> dict[str, str]:
    """External ids, and how each was found."""
    caught_up(world.app)
    return {row["external_id"]: row["found_by"] for row in find_orders(world.app, world.folder, text, by)}


def refused(world: World, text: str, by: str = "") -> Refused:
    with pytest.raises(Refused) as caught:
        found(world, text, by)
    return caught.value


def sim_of(world: World, external_id: str) -> str:
    return str(world.outcome(external_id, "1", "sim")["iccid"])


def test_an_order_is_found_by_everything_that_names_it(world: World) -> None:
    """Ids, number as dialled or with its country, SIM in both spellings, name in either order, e-mail: with the way it was found."""
    world.take(order("WEB-1", line()), order("WEB-2", line(), party="C-2"))
    world.run(at(6))
    number, sim = str(world.outcome("WEB-1", "1", "number")["msisdn"]), sim_of(world, "WEB-1")

    assert found(world, "WEB-1") == {"WEB-1": "external-id"}
    assert found(world, order_id(SOURCE, "C-1", "WEB-1")) == {"WEB-1": "order"}
    assert found(world, number) == {"WEB-1": f"msisdn {number}"}
    assert found(world, f"0{number[3:7]} {number[7:]}") == {"WEB-1": f"msisdn {number}"}
    assert found(world, sim) == found(world, f"{sim}F" if len(sim) == 19 else sim) == {"WEB-1": f"iccid {sim}"}
    assert found(world, "C-1") == {"WEB-1": "customer"}
    assert found(world, "ada quillfeather") == found(world, "Quillfeather, Ada") == {"WEB-1": "name"}
    assert found(world, "Ada.Q@Example.org") == {"WEB-1": "email"}
    assert found(world, "ZOE\u0308 marrowby") == {"WEB-2": "name"}


@pytest.mark.parametrize("text", ["WEB-9", "+447700999999", "Ada Nobody", "nobody@example.org", "8944500102198304826"])
def test_nothing_found_says_where_it_was_looked(world: World, text: str) -> None:
    """Exit code 3, and no repeating of what may be personal."""
    world.take(order("WEB-1", line()))
    refusal = refused(world, text)

    assert refusal.kind == "missing"
    assert "Nobody" not in str(refusal)
    assert "nobody@" not in str(refusal)


def test_a_customer_without_orders_is_found(world: World) -> None:
    """Whoever asks for somebody known is told who it is, by name, e-mail or id, in a row without an order; beside orders of others of the
    name."""
    told = [
        [(row["customer"], row["order"], row["captured_at"], row["found_by"]) for row in find_orders(world.app, world.folder, text)]
        for text in ("Zoë Marrowby", "zoe@example.org", "C-2")
    ]
    assert told == [[("C-2", "", None, way)] for way in ("name", "email", "customer")]

    register(world, person("C-3", "Zoë", "Marrowby", "other@example.org"))
    world.take(order("WEB-3", line(), party="C-3"))
    assert found(world, "Zoë Marrowby") == {"WEB-3": "name", "": "name"}
    assert found(world, "C-3") == {"WEB-3": "customer"}


def test_a_number_leads_to_all_who_ever_held_it(world: World) -> None:
    """A number still on its way, and once it is here; who else asked for it in vain; and the temporary one that was given back."""
    world.take(order("WEB-1", ported()))
    world.run(at(5, 12))
    temporary = str(world.outcome("WEB-1", "1", "number")["msisdn"])
    assert found(world, BROUGHT) == {"WEB-1": f"msisdn {BROUGHT}"}
    world.run(at(7))
    assert world.state("WEB-1") == "completed"

    world.take(order("WEB-2", ported(), party="C-2", on=at(7)))
    world.run(at(8))
    assert [fallout["reason"] for fallout in world.fallouts("WEB-2")] == ["NP-NOTPORT"]
    assert found(world, BROUGHT) == dict.fromkeys(("WEB-1", "WEB-2"), f"msisdn {BROUGHT}")
    assert found(world, temporary) == {"WEB-1": f"msisdn {temporary}"}


def test_a_sim_leads_to_all_who_ever_held_it(dsn: str, tmp_path: Path) -> None:
    """The only SIM is given back by an order that failed, and goes to the next: it names both."""
    world = World(dsn, tmp_path).stocked(esims=0, physical=1)
    world.take(order("WEB-1", line(sim="physical", place="the old mill")))
    world.run(at(6))
    world.resolve("DQ-ADDR", Fail())
    world.take(order("WEB-2", line(sim="physical"), on=at(6)))
    world.run(at(12))
    sim = world.app.reads.rows("SELECT key FROM projection.stock WHERE kind = 'sim'")[0]["key"]
    assert (world.state("WEB-1"), world.state("WEB-2")) == ("failed", "completed")

    assert found(world, sim) == dict.fromkeys(("WEB-1", "WEB-2"), f"iccid {sim}")
    assert [row["holds"].split(",")[0] for row in find_orders(world.app, tmp_path, sim)] == ["not now", "yes"]


def test_a_changed_name_finds_no_more(world: World) -> None:
    """After a customer's papers changed only the new name leads to it."""
    world.take(order("WEB-1", line()))
    assert found(world, "Ada Quillfeather", "name") == {"WEB-1": "name"}
    register(world, person("C-1", "Ada", "Thistlewood", "ada.q@example.org"))

    assert found(world, "Ada Thistlewood", "name") == {"WEB-1": "name"}
    assert refused(world, "Ada Quillfeather", "name").kind == "missing"


# -- the key


def test_the_key_is_made_at_first_need_and_kept(world: World) -> None:
    """Nobody else may read it; a second need finds it; look-ups that are not personal make none."""
    world.take(order("WEB-1", line()))
    found(world, "WEB-1", "external-id")
    assert given_key(world.folder) is None
    found(world, "Ada Quillfeather")
    path = world.folder / "lookup.key"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in world.folder.glob("lookup.key*")] == ["lookup.key"]
    assert key_of(world.folder) == given_key(world.folder) == bytes.fromhex(path.read_text())
    assert len(key_of(world.folder)) == 32


def test_a_shared_server_needs_a_given_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one only what is not personal is looked up; what to do is said; with one given it works."""
    world.take(order("WEB-1", line()))
    monkeypatch.setenv("O2C_DSN", world.dsn)

    assert found(world, "WEB-1") == {"WEB-1": "external-id"}
    for text, by in (("Ada Quillfeather", ""), ("Ada Quillfeather", "name"), ("ada.q@example.org", "")):
        refusal = refused(world, text, by)
        assert "set O2C_LOOKUP_KEY" in str(refusal)
        assert "Quillfeather" not in str(refusal)
    assert not (world.folder / "lookup.key").exists()
    monkeypatch.setenv("O2C_LOOKUP_KEY", KEY)
    assert found(world, "Ada Quillfeather") == {"WEB-1": "name"}


@pytest.mark.parametrize("text", ["secret", "5e" * 31, "5e" * 31 + "5"])
def test_what_is_no_key_is_refused(world: World, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Too short or no hex: said without showing it."""
    monkeypatch.setenv("O2C_LOOKUP_KEY", text)
    refusal = refused(world, "Ada Quillfeather")

    assert "O2C_LOOKUP_KEY is no key" in str(refusal)
    assert text not in str(refusal)


def test_another_key_makes_the_index_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-ups go on working, and no token of the old key is left anywhere."""
    world.take(order("WEB-1", line()))
    monkeypatch.setenv("O2C_LOOKUP_KEY", KEY)
    found(world, "Ada Quillfeather")
    old = token(bytes.fromhex(KEY), "name", "Ada Quillfeather")
    assert old in everything(world)
    monkeypatch.setenv("O2C_LOOKUP_KEY", "6f" * 32)

    assert found(world, "Ada Quillfeather") == {"WEB-1": "name"}
    assert old not in everything(world)
    assert token(bytes.fromhex("6f" * 32), "name", "Ada Quillfeather") in everything(world)


def test_the_index_is_a_projection_like_others(world: World) -> None:
    """Forward, anew, back in time and checked: the same rows; a customer registered later is in none of yesterday's."""
    key = bytes.fromhex(KEY)
    projection = lookups(key)
    catch_up(world.dsn, [projection])
    before = status(world.dsn, [projection])[0].position
    rows = table_of(world.dsn, projection)
    register(world, person("C-3", "Wynn", "Harrowgate", "wynn@example.org"))
    kept(world.app, key)

    assert as_of(world.dsn, projection, before) == rows
    assert as_of(world.dsn, projection) == table_of(world.dsn, projection) != rows
    assert verify(world.dsn, projection).differing == ()
    built = rebuild(world.dsn, projection)
    assert built is not None
    assert (built.rows, built.differing) == (len(table_of(world.dsn, projection)), 0)
    assert verify(world.dsn, lookups(b"x" * 32)).differing


# -- nothing in clear


def everything(world: World) -> str:
    """All that the database holds as text, but for the two places where personal fields may stand: the log's column for them and the
    heads."""
    allowed = {("o2c", "event"): "personal", ("o2c", "head"): "state"}
    with connect(world.dsn) as conn:
        tables = conn.execute(
            "SELECT schemaname, relname FROM pg_stat_user_tables WHERE schemaname NOT LIKE 'pg_%' ORDER BY 1, 2"
        ).fetchall()
        texts = []
        for table in tables:
            name = f'"{table["schemaname"]}"."{table["relname"]}"'
            without = allowed.get((table["schemaname"], table["relname"]), "")
            found = conn.execute(f"SELECT (to_jsonb(t) - '{without}')::text AS text FROM {name} t".encode()).fetchall()
            texts += [row["text"] for row in found]
    return "\n".join(texts)


def leaks(text: str) -> list[str]:
    return [word for word in ("quillfeather", "ada.q", "1984-02-29") if word in text.casefold()]


def test_no_personal_value_stands_in_clear(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """After look-ups of every kind, found and not, and a rebuild, no table but the log tells a name, and no output does."""
    world.take(order("WEB-1", line()))
    world.run(at(6))
    for text in ("Ada Quillfeather", "ada.q@example.org"):
        assert found(world, text)
    assert leaks(str(refused(world, "Quillfeather"))) == []
    rebuild(world.dsn, lookups(key_of(world.folder)))

    assert table_of(world.dsn, lookups(key_of(world.folder)))
    assert leaks(everything(world)) == []
    assert leaks("".join(capfd.readouterr())) == []


def test_the_search_for_leaks_would_find_one(world: World) -> None:
    """A name in a table of a projection is noticed; and the log's personal column does hold it."""
    catch_up(world.dsn, [lookups(bytes.fromhex(KEY))])
    with connect(world.dsn) as conn:
        conn.execute("UPDATE projection.lookups SET token = 'Ada Quillfeather' WHERE what = 'name' AND customer_id = 'C-1'")
    [row] = world.app.reads.rows("SELECT count(*) AS n FROM o2c.event WHERE personal::text LIKE '%%Quillfeather%%'")

    assert leaks(everything(world)) == ["quillfeather"]
    assert row["n"] == 1
