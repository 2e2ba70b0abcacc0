"""ETag and If-Match (RFC 9110, sections 8.8.3 and 13.1.1): a page says at which versions its streams stand, a change says which it was
decided by.

An entity tag is those versions with dots between them, such as "17.3" for a fallout, whose order stands at 17 and whose own record at 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from o2c.desk.act import Refused

TAG = re.compile(r'"(\d{1,18}(?:\.\d{1,18})*)"')
ANY = "*"


def tag_of(versions: Mapping[str, int]) -> str:
    """The entity tag of a page."""
    return f'"{".".join(map(str, versions.values()))}"'


def expected_of(if_match: str | None, current: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """The versions of streams that a change was decided by, out of If-Match; none for a `*`, which takes whatever stands.

    Raises Refused: version-needed without a tag, usage for one that this page never had.
    """
    if not if_match:
        raise Refused("say what you decided by: send If-Match with the ETag of what you read", kind="version-needed")
    if if_match.strip() == ANY:
        return ()
    tag = TAG.fullmatch(if_match.strip())
    versions = [int(part) for part in tag[1].split(".")] if tag else []
    if len(versions) != len(current):
        raise Refused("If-Match is no ETag of this; send the one that came with what you read")
    return tuple(zip(current, versions, strict=True))


def same(if_none_match: str | None, tag: str) -> bool:
    """Whether a reader has this page already."""
    return if_none_match is not None and (if_none_match.strip() == ANY or tag in re.findall(r'"[^"]*"', if_none_match))
