"""A reason code that nobody can read helps nobody."""

from o2c.fallout.codes import packaged

NEXT_LETTERS_MAX = 24
"""What stands beside the order, its customer and its age at 80 columns."""


def test_every_reason_has_its_words() -> None:
    """Each code means something in a sentence, and what comes next fits in a row of the queue."""
    reasons = packaged().newest.reasons
    assert len(reasons) > 40
    assert {
        code for code, guide in reasons.items() if not guide.meaning.endswith(".") or not 0 < len(guide.next) <= NEXT_LETTERS_MAX
    } == set()
