"""What hooks are sent is what the description says: every message out of a store in which everything has happened, in every format."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from o2c.desk.amending import Amendment
from o2c.engine.app import Context
from o2c.entrypoints.http.service import from_environment
from o2c.entrypoints.http.tmf.notifying import TELLERS
from o2c.entrypoints.verbs_and_views import named
from o2c.running.hooks import NEVER_TOLD, Deliverer
from o2c.running.session import Session
from tests.hooked import Hooked, Post
from tests.world import World


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    """The OpenAPI document."""
    return from_environment().openapi()


@pytest.fixture(scope="module")
def sent(rich_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Any, dict[str, str]]]:
    """Every message by the name of its webhook, with its headers."""
    folder: Path = tmp_path_factory.mktemp("described")
    world, found = World(rich_dsn, folder), []
    named("orders.annotate").ask(Context("ann"), world.app, "UNNAMED-1", Amendment(priority=1))
    for form in ("native", "tmf622-v4", "tmf622-v5"):
        post = Post()
        hooked = Hooked(world.app, folder, post=post)
        hooked.deliverer.close()
        hooked.deliverer = Deliverer(Session(world.app, folder), TELLERS, send=post, clock=lambda now=hooked.now: now)
        hook = hooked.subscribe(format=form, after="0").hook
        while hooked.tell(hook):
            pass
        hooked.deliverer.close()
        found += [(by_name(form, json.loads(body)), json.loads(body), dict(headers)) for _, headers, body in post.sent]
    world.close()
    return found


def by_name(form: str, told: dict[str, Any]) -> str:
    return str(told["type"].rpartition(".v")[0] if form == "native" else f"{form.replace('-', '.')}.{told['eventType']}")


def test_what_is_sent_is_as_described(sent: list[tuple[str, Any, dict[str, str]]], description: dict[str, Any]) -> None:
    """Its media type, its headers and its body, and nothing in it that is not described."""
    # Read once, for it is large: a judge of each webhook with a description of its own took two gigabytes.
    whole = jsonschema_rs.Registry([("urn:description", {**description, "$schema": "https://json-schema.org/draft/2020-12/schema"})])
    judges = {}
    for name, told, headers in sent:
        hook = description["webhooks"][name]["post"]
        [media_type] = hook["requestBody"]["content"]
        if name not in judges:
            place = f"urn:description#/webhooks/{name}/post/requestBody/content/{media_type.replace('/', '~1')}/schema"
            judges[name] = jsonschema_rs.validator_for({"$ref": place}, validate_formats=True, registry=whole)
        flaws = [(name, error.message, list(error.instance_path)) for error in judges[name].iter_errors(told)]
        assert flaws == []
        assert headers.pop("Content-Type") == media_type
        wanted = {each["name"]: each["schema"] for each in hook["parameters"] if each["in"] == "header" and each["required"]}
        assert headers.keys() == wanted.keys()
        assert all(re.search(wanted[header].get("pattern", ""), value) for header, value in headers.items())


def test_every_notification_and_most_events_were_sent(sent: list[tuple[str, Any, dict[str, str]]], description: dict[str, Any]) -> None:
    """So much of what is described was held against it here."""
    told = {name for name, _, _ in sent}
    notices = {name for name in description["webhooks"] if name.startswith("tmf622.")}
    assert notices - told == set()
    assert len(told - notices) >= 70


def test_nobody_is_told_who_may_what(description: dict[str, Any]) -> None:
    """No message is described of keys, issuers, hooks, or of who was shown what."""
    assert not [name for name in description["webhooks"] if name.partition(".")[0] in NEVER_TOLD]


def test_no_personal_field_is_described(description: dict[str, Any]) -> None:
    """What is personal is in no message, and so in no description of one."""
    shapes = description["components"]["schemas"]
    captured = shapes["Told.order.captured"]["allOf"][1]["properties"]["data"]["properties"]
    assert "external_id" in captured
    assert "paper" not in captured
    assert "notification_contact" not in captured
