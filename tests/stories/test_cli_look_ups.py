"""Finding, looking back and customers on the command line: what goes to stdout, what to stderr, and how each command ends."""

import json
from uuid import uuid4

import pytest

from tests.shell import Shell, one_line

KEY = "5e" * 32
CALL = ("customers", "contact", "C-1", "--medium", "call", "--topic", "where-is-my-order", "--actor", "ann")


def test_found_orders_go_to_stdout(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON lines with how each was found; with nothing found exit 3 and one line; a name needs the key of a shared server."""
    monkeypatch.delitem(shell.environment, "O2C_LOOKUP_KEY", raising=False)
    [row] = [json.loads(text) for text in shell.run("orders", "find", "WEB-1", "-o", "jsonl").stdout.splitlines()]
    nothing, keyless = shell.run("orders", "find", "+447700999999"), shell.run("orders", "find", "Tamsel Holmquay")
    wrong = shell.run("orders", "find", "WEB-1", "--by", "shoe-size")
    monkeypatch.setitem(shell.environment, "O2C_LOOKUP_KEY", KEY)

    assert set(row) == {"order", "external_id", "customer", "state", "channel", "captured_at", "found_by", "holds"}
    assert (row["external_id"], row["state"], row["found_by"]) == ("WEB-1", "completed", "external-id")
    assert (nothing.returncode, keyless.returncode, wrong.returncode) == (3, 2, 2)
    assert "no order is found by external-id, msisdn +447700999999, customer" in one_line(nothing)
    assert "O2C_LOOKUP_KEY" in one_line(keyless)
    assert "shoe-size" in one_line(wrong)
    found = shell.run("orders", "find", "holmquay tamsel")
    assert "WEB-1" in found.stdout
    assert "olmquay" not in found.stdout + found.stderr


def test_an_order_is_shown_as_it_was(shell: Shell) -> None:
    """By time and by position; what is still to come is a usage error."""
    now = shell.data("orders", "show", "WEB-1", "-o", "json")
    then = shell.data("orders", "show", "WEB-1", "--at", "2026-01-05T09:00:00Z", "-o", "json")
    early = shell.run("orders", "show", "WEB-1", "--known-at", "1")
    late = shell.run("orders", "show", "WEB-1", "--at", "2027-01-01")

    assert isinstance(now, dict)
    assert isinstance(then, dict)
    assert set(now) == set(then)
    assert (now["state"], then["state"]) == ("completed", "acknowledged")
    assert then["invoices"] == []
    assert now["invoices"]
    assert (early.returncode, late.returncode) == (3, 2)
    assert "not captured yet" in one_line(early)
    assert "still to come" in one_line(late)


def test_a_customer_and_a_contact(shell: Shell) -> None:
    """A contact is noted down once a command id; the page shows it, and personal fields and the note only when asked for."""
    once = ("--command-id", str(uuid4()), "--order", "WEB-1", "--note", "sounded like Fenwick")
    first, again = shell.run(*CALL, *once), shell.run(*CALL, *once)
    page, personal = shell.run("customers", "show", "C-1", "-o", "json"), shell.run("customers", "show", "C-1", "--personal", "-o", "json")

    assert (first.returncode, first.stdout, again.returncode) == (0, "", 0)
    assert "known already" in again.stderr
    assert len(json.loads(page.stdout)["contacts"]) == 1
    assert "Holmquay" not in page.stdout
    assert json.loads(personal.stdout)["name"] == "Tamsel Holmquay"
    assert "Fenwick" not in page.stdout + first.stderr
    assert [contact["note"] for contact in json.loads(personal.stdout)["contacts"]] == ["sounded like Fenwick"]
    assert "WEB-1" in shell.run("customers", "show", "C-1").stdout
    unknown = shell.run("customers", "show", "C-9")
    assert (unknown.returncode, "no customer C-9" in one_line(unknown)) == (3, True)


def test_the_blind_index_is_shown_checked_and_rebuilt_with_its_key(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key it is like the others; with another one it says what it needs, and gets it; without any it says so."""
    monkeypatch.setitem(shell.environment, "O2C_LOOKUP_KEY", KEY)
    assert shell.run("orders", "find", "Tamsel Holmquay").returncode == 0
    names = {row["name"]: row["state"] for row in _rows(shell, "projections", "status")}
    verified = {row["name"]: row["differing"] for row in _rows(shell, "projections", "verify")}
    monkeypatch.setitem(shell.environment, "O2C_LOOKUP_KEY", "6f" * 32)
    after = {row["name"]: row["state"] for row in _rows(shell, "projections", "status")}
    repaired = shell.run("projections", "verify", "lookups")
    monkeypatch.delitem(shell.environment, "O2C_LOOKUP_KEY")

    assert (names["lookups"], verified["lookups"]) == ("current", 0)
    assert (after["lookups"], repaired.returncode) == ("needs rebuild", 0)
    keyless = shell.run("projections", "rebuild", "lookups", "--actor", "ann")
    assert (keyless.returncode, "O2C_LOOKUP_KEY" in one_line(keyless)) == (2, True)


def _rows(shell: Shell, *arguments: str) -> list[dict[str, str]]:
    rows = shell.data(*arguments, "-o", "json")
    assert isinstance(rows, list)
    return rows
