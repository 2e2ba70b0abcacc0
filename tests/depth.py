"""How far a run looks: as far as a working day has time for, or, with O2C_DEEP=1, further."""

import os


def depth(small: int, deep: int) -> int:
    """`small`, or `deep` with O2C_DEEP=1: how many examples are tried, or how far apart the points are at which something is broken."""
    return deep if os.environ.get("O2C_DEEP") else small
