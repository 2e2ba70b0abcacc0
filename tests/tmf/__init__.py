"""TM Forum's own words to test by (see NOTICE): schemas and examples, and what a document must be to be valid by them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

HERE = Path(__file__).parent
EXAMPLES = {path.stem: path.read_bytes() for path in sorted((HERE / "examples").glob("*.json"))}
PLACE = "#/components/schemas/"


def example(name: str) -> Any:
    return json.loads(EXAMPLES[name])


@cache
def validator(version: int, kind: str) -> Any:
    """Judges a document of a kind. One of several types is told by its `@type` as the discriminator says, for most objects fit several."""
    types = json.loads((HERE / f"tmf622-v{version}.json").read_text(encoding="utf-8"))
    defs = {name: _local(_told_apart(schema)) for name, schema in types.items()}
    return jsonschema_rs.validator_for(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": f"#/$defs/{kind}", "$defs": defs}, validate_formats=True
    )


def flaws(document: Any, version: int, kind: str = "ProductOrder") -> list[str]:
    """What is wrong with a document, each with its place."""
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator(version, kind).iter_errors(document)]


def _told_apart(schema: Any) -> Any:
    if not isinstance(schema, dict) or "oneOf" not in schema:
        return schema
    mapping = {name: place.rpartition("/")[2] for name, place in schema["discriminator"]["mapping"].items()}
    first = schema["oneOf"][0]["$ref"]
    rest: Any = {"$ref": first}  # A type of somebody's own extends the first.
    for name, kind in mapping.items():
        rest = {"if": {"properties": {"@type": {"const": name}}, "required": ["@type"]}, "then": {"$ref": f"{PLACE}{kind}"}, "else": rest}
    return {"type": "object", "required": ["@type"], **rest}


def _local(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: _ref(part) if key == "$ref" else _local(part)
            for key, part in schema.items()
            if key not in ("discriminator", "format") or part == "date-time"
        }
    return [_local(part) for part in schema] if isinstance(schema, list) else schema


def _ref(place: str) -> str:
    return f"#/$defs/{place.rpartition('/')[2]}"
