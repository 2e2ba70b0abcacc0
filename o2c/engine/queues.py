"""Who of several that want to write one stream is decided next: one append has room for one of them, and what the others decided meanwhile
is void.

A hundred orders that name one voucher would else be decided a hundred times each: all anew whenever one of them has its use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence


class Queues:
    """Waits in a fixed order, by the streams for which somebody came too late.

    Whoever came too late for a stream is decided again once it is the first of those that wait for it. Where the first does not write it
    after all, twice as many are decided next, as they will hardly write it either: a voucher that is used up keeps nobody waiting.
    """

    def __init__(self) -> None:
        self._wanted: dict[str, frozenset[str]] = {}
        self._tried: Counter[str] = Counter()

    def next(self, names: Sequence[str]) -> frozenset[str]:
        """Give those whose turn it is, of names in their fixed order: all that wait for nothing, and of each queue the first."""
        taken, chosen = Counter[str](), set[str]()
        for name in names:
            wanted = self._wanted.get(name, frozenset())
            if all(taken[stream] <= self._tried[stream] for stream in wanted):
                chosen.add(name)
            # Who waits for one of its streams is not overtaken at the others.
            taken.update(wanted)
        return frozenset(chosen)

    def tried(self, told: Iterable[tuple[str, Iterable[str], bool]]) -> None:
        """Take down what became of those whose turn it was: each its name, the streams that it wanted to write, and whether it came too
        late for them."""
        written = set[str]()
        for name, streams, late in told:
            self._tried.update(self._wanted.pop(name, ()))
            if late:
                self._wanted[name] = frozenset(streams)
            else:
                written.update(streams)
        for stream in written:
            self._tried[stream] = 0
