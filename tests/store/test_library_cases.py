"""The library's published test cases for persistence modules, run against our recorder.

They number notifications 1, 2, 3, write bytes under topics nobody declared, and send no command ids. `Dense` stands between: it ranks
positions, keeps their bytes in a JSON body, and gives each insert a command. Their streams begin at 0 and ours at 1.
"""

import json
import sys
import uuid
from collections.abc import Sequence
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, Notification, StoredEvent, Subscription
from eventsourcing.utils import Environment

from o2c.store.commands import Append
from o2c.store.recorder import LogFactory, LogRecorder, PollingSubscription
from tests.store.writing import fact, rows

with pytest.MonkeyPatch.context() as patch:
    # Their module imports a cipher that needs a library of its own; the cases that use it are among those left out.
    cipher = ModuleType("eventsourcing.cipher")
    vars(cipher)["AESCipher"] = None
    patch.setitem(sys.modules, cipher.__name__, cipher)
    from eventsourcing.tests import persistence as published

ONE_RECORDER = "the engine has one recorder, the application's; a consumer keeps its checkpoint beside its own rows"
READABLE = "bodies stay readable and queryable; our mapper neither compresses nor encrypts"
NO_TRANSCODER = "events are validated by their own classes; no transcoder wraps values"
LEFT_OUT = {
    ("TrackingRecorderTestCase", "test_insert_tracking"): ONE_RECORDER,
    ("TrackingRecorderTestCase", "test_wait"): ONE_RECORDER,
    **{("ProcessRecorderTestCase", f"test_{case}"): ONE_RECORDER for case in ("has_tracking_id", "insert_select", "performance")},
    ("ProcessRecorderTestCase", "test_raises_when_lower_inserted_later"): ONE_RECORDER,
    **{("InfrastructureFactoryTestCase", f"test_create_{kind}_recorder"): ONE_RECORDER for kind in ("aggregate", "process", "tracking")},
    **{
        ("InfrastructureFactoryTestCase", f"test_mapper_with_{what}"): READABLE
        for what in ("cipher", "cipher_and_compressor", "compressor", "wrong_cipher_key")
    },
    **{
        ("TranscoderTestCase", f"test_{case}"): NO_TRANSCODER
        for case in (
            "custom_type_error", "custom_type_in_dict", "dict", "dict_subclass", "dict_with_len_2_and__data_", "dict_with_len_2_and__type_",
            "int_subclass", "list", "list_subclass", "mixed", "nested_custom_type", "str", "str_subclass", "tuple",
        )
    },
}  # fmt: skip


def _theirs(event: StoredEvent) -> dict[str, Any]:
    return {
        "originator_id": UUID(str(event.originator_id)),
        "originator_version": event.originator_version - 1,
        "topic": event.topic,
        "state": json.loads(event.state)["state"].encode(),
    }


class Dense(ApplicationRecorder):
    """Our recorder as the published cases expect one: positions are ranks from 1."""

    def __init__(self, recorder: LogRecorder) -> None:
        self.recorder = recorder

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        command = Append(str(uuid.uuid4()), "published case")
        facts = [
            fact(
                str(event.originator_id),
                event.originator_version + 1,
                command.command_id,
                topic=event.topic,
                state=json.dumps({"state": event.state.decode()}).encode(),
            )
            for event in stored_events
        ]
        return self._ranks(self.recorder.insert_events(facts, command=command) or [])

    def select_events(
        self, originator_id: UUID | str, *, gt: int | None = None, lte: int | None = None, desc: bool = False, limit: int | None = None
    ) -> Sequence[StoredEvent]:
        low, high = (None if bound is None else bound + 1 for bound in (gt, lte))
        found = self.recorder.select_events(str(originator_id), gt=low, lte=high, desc=desc, limit=limit)
        return [StoredEvent(**_theirs(event)) for event in found]

    def select_notifications(
        self, start: int | None, limit: int, stop: int | None = None, topics: Sequence[str] = (), *, inclusive_of_start: bool = True
    ) -> Sequence[Notification]:
        low, high = self._position(start), self._position(stop)
        found = self.recorder.select_notifications(low, limit, high, topics, inclusive_of_start=inclusive_of_start)
        ranks = self._ranks([event.id for event in found])
        return [Notification(**_theirs(event), id=rank) for event, rank in zip(found, ranks, strict=True)]

    def max_notification_id(self) -> int | None:
        highest = self.recorder.max_notification_id()
        return None if highest is None else self._ranks([highest])[0]

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        return PollingSubscription(self, gt=gt, topics=topics)

    def _ranks(self, positions: Sequence[int]) -> list[int]:
        if not positions:
            return []
        [row] = rows(self.recorder, "SELECT array_agg(position ORDER BY position) AS p FROM o2c.event WHERE position <= %s", max(positions))
        rank = {position: n for n, position in enumerate(row["p"], 1)}
        return [rank[position] for position in positions]

    def _position(self, rank: int | None) -> int | None:
        if not rank:
            return rank
        [row] = rows(self.recorder, "SELECT position FROM o2c.event ORDER BY position LIMIT 1 OFFSET %s", rank - 1)
        return int(row["position"])


class Silent(Dense):
    """An aggregate recorder tells no positions: its contract is to return None."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        super().insert_events(stored_events, **kwargs)
        return None


class OnOurLog:
    """Gives a published case our recorder on an empty log, and streams that begin at 0."""

    INITIAL_VERSION = 0
    recorder: LogRecorder

    @pytest.fixture(autouse=True)
    def _on(self, recorder: LogRecorder) -> None:
        self.recorder = recorder


class TestAggregateRecorder(OnOurLog, published.AggregateRecorderTestCase):
    """Events of one stream in version order, conflicts, bounds and directions."""

    def create_recorder(self) -> AggregateRecorder:
        return Silent(self.recorder)


class TestApplicationRecorder(OnOurLog, published.ApplicationRecorderTestCase[ApplicationRecorder]):
    """Notifications, their bounds and topics, concurrent writers and readers, and the subscription."""

    def create_recorder(self) -> ApplicationRecorder:
        return Dense(self.recorder)

    def test_insert_subscribe(self) -> None:
        """The published case of a subscription, which they leave to the persistence module to call."""
        self.optional_test_insert_subscribe()


class TestNonInterleaving(OnOurLog, published.NonInterleavingNotificationIDsBaseCase):
    """Two commands of a thousand events each, sent at once, do not mix in the log."""

    def create_recorder(self) -> ApplicationRecorder:
        return Dense(self.recorder)


class TestFactory(published.InfrastructureFactoryTestCase[LogFactory]):
    """The factory of the environment makes our recorder and our mapper."""

    @pytest.fixture(autouse=True)
    def _on(self, environment: Environment) -> None:
        self.env = environment

    def expected_factory_class(self) -> type[LogFactory]:
        return LogFactory

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return LogRecorder

    not_asked: Any = None  # the cases that would ask are left out
    expected_aggregate_recorder_class = expected_tracking_recorder_class = not_asked
    tracking_recorder_subclass = expected_process_recorder_class = not_asked


for _, left_out in [key for key in LEFT_OUT if key[0] == "InfrastructureFactoryTestCase"]:
    setattr(TestFactory, left_out, None)

RUN = (TestAggregateRecorder, TestApplicationRecorder, TestNonInterleaving, TestFactory)


def _cases(cls: type) -> set[tuple[str, str]]:
    """The cases that a published class itself brings; an optional one waits for the persistence module to call it."""
    return {(cls.__name__, name) for name in vars(cls) if name.startswith(("test", "optional_test"))}


def _runs(ours: type, case: str) -> bool:
    return callable(getattr(ours, case.removeprefix("optional_"), None))


def test_every_published_case_runs_or_is_left_out_by_name() -> None:
    """A case that a new version of the library brings is run, or named here with the reason why not; and nothing is named that runs."""
    classes = [cls for cls in vars(published).values() if isinstance(cls, type) and cls.__module__ == published.__name__]
    known = {case for cls in classes for case in _cases(cls)}
    run = {(cls, case) for ours in RUN for base in ours.__mro__ if base in classes for cls, case in _cases(base) if _runs(ours, case)}
    assert run | set(LEFT_OUT) == known
    assert run & set(LEFT_OUT) == set()
