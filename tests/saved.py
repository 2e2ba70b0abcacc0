"""Saved views on which each rule about them can be tried."""

import pytest

from o2c.saved.events import ViewForgotten, ViewSaved
from o2c.saved.rules import forget, save
from o2c.saved.state import KIND

SAVED, FORGOTTEN = ViewSaved.model_validate(ViewSaved.example), ViewForgotten.model_validate(ViewForgotten.example)
OF_SAVED = [
    pytest.param(KIND, KIND.initial(""), lambda s: save(s, SAVED), id="save-a-view"),
    pytest.param(KIND, KIND.evolve(KIND.initial(""), SAVED), lambda s: forget(s, FORGOTTEN), id="forget-a-view"),
]
"""By kind of stream and state, the rule that decides once and, on what it made, nothing."""
