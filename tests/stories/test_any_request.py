"""Whatever is sent, the service answers as its description says: schemathesis makes the requests, good and bad ones, and judges the answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from o2c.entrypoints.http.limits import Rates
from tests.service import OPERATOR, serving
from tests.world import World

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
DEEP = bool(os.environ.get("O2C_DEEP"))


def tried(url: str, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """What schemathesis finds at the native API."""
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/api/v1/openapi.json", "--include-path-regex", "^/api/v1/",
        "-H", f"Authorization: {OPERATOR}", "--checks", CHECKS, "--generation-deterministic",
        "--phases", "examples,fuzzing", "--request-timeout", "30", "--no-color", *words,
    ]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3_000 if DEEP else 130, check=False)


def test_a_time_far_from_here_is_a_time(rich_dsn: str, tmp_path: Path) -> None:
    """A zone that PostgreSQL does not know of is one all the same, and a time before all time is a mistake of the caller's."""
    world = World(rich_dsn, tmp_path)
    with serving(world, tmp_path) as service:
        far = [
            service.get(f"/api/v1/metrics/flow?since={day}T20:25:24{zone}")
            for day, zone in (("2026-01-01", "-16:19"), ("0001-01-01", "%2B23:00"))
        ]
    world.close()

    assert [told.status_code for told in far] == [200, 422]


@pytest.mark.once
def test_whatever_is_sent_is_answered_as_described(rich_dsn: str, tmp_path: Path) -> None:
    """No answer is a defect of ours, none has a status, a media type or a shape that is not described."""
    world = World(rich_dsn, tmp_path)
    plenty = Rates(rate_per_s=10_000, burst=100_000)
    with serving(world, tmp_path, rates=plenty, strangers=plenty) as service:
        done = tried(str(service.client.base_url), tmp_path, "--max-examples", "150" if DEEP else "4")
    world.close()

    assert done.returncode == 0, done.stdout[-12_000:]
