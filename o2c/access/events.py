"""Events of access: who was shown what is personal, which keys there are, and whose tokens are believed."""

from __future__ import annotations

from typing import Annotated

from o2c.kernel.event import Event, Pii


class PersonalDataDisclosed(Event, name="personal-data.disclosed", stream="access"):
    """Somebody was about to be shown personal data of a customer: by which operation, in which roles, of which things, and which kinds of data.

    What was shown is not repeated. Who it was says the envelope, and the note why, where that was said. It is written before anything is shown.
    """

    example = {
        "customer": "C-1001", "operation": "fallout.show", "subjects": ["fallout 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1"],
        "kinds": ["correction", "note"], "roles": ["auditor"], "note": "a complaint about the address",
    }  # fmt: skip
    customer: str
    operation: str
    subjects: tuple[str, ...]
    kinds: tuple[str, ...]
    roles: tuple[str, ...]
    note: Annotated[str, Pii("note")] = ""
