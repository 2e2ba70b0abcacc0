"""Who is decided next of those that want to write one stream: nobody in vain, and nobody overtaken."""

from collections.abc import Mapping, Sequence

import hypothesis
import hypothesis.strategies as some

from o2c.engine.queues import Queues

Got = dict[str, list[str]]


class Everybody(Queues):
    """The control: all are decided whenever one was written."""

    def next(self, names: Sequence[str]) -> frozenset[str]:
        return frozenset(names)


def lived(wanted: Mapping[str, frozenset[str]], uses: Mapping[str, int], queues: Queues) -> tuple[Got, int]:
    """Who has a use of each stream in the end, in their order, and how many decisions that took. An append takes of those that write one stream the first."""
    names, left, got, decided = list(wanted), dict(uses), {stream: list[str]() for stream in uses}, 0
    while names:
        turn, touched, told = queues.next(names), set[str](), list[tuple[str, frozenset[str], bool]]()
        may = {stream for stream, number in left.items() if number}
        for name in (name for name in names if name in turn):
            streams = wanted[name] & may
            told.append((name, streams, bool(touched & streams)))
            touched |= streams
            if not told[-1][2]:
                for stream in streams:
                    got[stream].append(name)
                    left[stream] -= 1
        decided += len(told)
        queues.tried(told)
        names = [name for name in names if name not in {each for each, _, late in told if not late}]
    return got, decided


def test_each_waits_until_those_before_it_have_theirs() -> None:
    """A hundred orders that name one voucher are decided twice each, and not a hundred times, which the control is."""
    wanted = {f"order-{n}": frozenset({"voucher"}) for n in range(100)}
    got, decided = lived(wanted, {"voucher": 1000}, Queues())

    assert got["voucher"] == list(wanted)
    assert decided == 199
    assert lived(wanted, {"voucher": 1000}, Everybody())[1] == 5050


def test_what_is_used_up_keeps_nobody_waiting() -> None:
    """With five uses for a hundred, those who have none are told in twice as many at a time, and not one by one."""
    wanted = {f"order-{n}": frozenset({"voucher"}) for n in range(100)}
    rounds: list[int] = []

    class Counted(Queues):
        def next(self, names: Sequence[str]) -> frozenset[str]:
            rounds.append(len(chosen := super().next(names)))
            return chosen

    got, _ = lived(wanted, {"voucher": 5}, Counted())
    assert got["voucher"] == [f"order-{n}" for n in range(5)]
    assert rounds == [100, 1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 32]


@hypothesis.given(
    some.lists(some.frozensets(some.sampled_from("ABC")), max_size=12).map(lambda sets: {str(n): each for n, each in enumerate(sets)}),
    some.fixed_dictionaries({stream: some.integers(0, 12) for stream in "ABC"}),
)
def test_everybody_has_what_he_would_have_without_a_queue(wanted: Mapping[str, frozenset[str]], uses: Mapping[str, int]) -> None:
    """Whoever wants whatever of streams that are used up some day: the same have the same, in the same order, and nobody is decided more often."""
    alone, together = lived(wanted, uses, Queues()), lived(wanted, uses, Everybody())

    assert alone[0] == together[0]
    assert alone[1] <= together[1]
