"""A file that plans faults for simulated partners, as TOML or JSON."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from o2c.files.lines import document_of
from o2c.kernel.refusal import Refused

TABLE = "fault"


def read_fault_plan(path: Path) -> list[dict[str, Any]]:
    """The rows of a plan of faults: a JSON list of objects, or the tables `[[fault]]` of a TOML file (named `.toml`).

    What a row says is judged where faults are planned (`partners.rules.faults_of`). Raises Refused: missing (no such file), usage (a file
    of another shape).
    """
    told = _toml(path) if path.suffix == ".toml" else document_of(path)
    rows = told.get(TABLE) if isinstance(told, dict) and set(told) == {TABLE} else told
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refused(f"{path} is no plan of faults; write a JSON list of objects, or tables [[{TABLE}]] in a file named .toml")
    return rows


def _toml(path: Path) -> Any:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}; name a file that is there", kind="missing") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{path} is no TOML: {' '.join(str(error).split())}") from None
