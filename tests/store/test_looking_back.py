"""Folding single streams back to a bound: on random histories the same rows as folding the whole log."""

import itertools
from datetime import timedelta

import hypothesis
from hypothesis import strategies as st

from projections.catalogue import BY_NAME
from projections.engine.operations import as_of, catch_up, horizon_mark
from tests.depth import depth
from tests.histories import DAY_ONE, append, histories, table_of

FOLDED = [BY_NAME[name] for name in ("orders", "items", "fallout", "invoices", "stock")]
_salts = itertools.count()


@hypothesis.given(data=st.data(), minutes=st.one_of(st.none(), st.integers(0, 500)))
@hypothesis.settings(
    max_examples=depth(8, 60),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
    phases=[hypothesis.Phase.generate],
)
def test_a_stream_folded_alone_is_as_in_the_whole(log: str, data: st.DataObject, minutes: int | None) -> None:
    """Whatever the bound (a position, a time, both, none), the rows of one stream are those that a fold of everything gives it."""
    salt = f"-{next(_salts)}"
    history = data.draw(histories(salt, max_size=30))
    positions = append(log, history)
    if not positions:
        return
    bound = data.draw(st.one_of(st.none(), st.sampled_from(positions)))
    at = None if minutes is None else DAY_ONE + timedelta(minutes=minutes)
    catch_up(log)
    for projection in FOLDED:
        whole = as_of(log, projection, bound, at)
        for stream in {told.stream for told in history}:
            group = stream.removeprefix("order-") if projection.name in ("orders", "items") else stream
            alone = as_of(log, projection, bound, at, [stream])
            assert alone == [row for row in whole if row["group_key"] == group]
    for projection in (BY_NAME["orders"], BY_NAME["items"]):
        last = as_of(log, projection, horizon_mark(log).position, streams=sorted({told.stream for told in history}))
        assert last == [row for row in table_of(log, projection) if row["group_key"] in {told.order_id for told in history}]
