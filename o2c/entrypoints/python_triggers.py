"""Triggers in Python: what is done when something happens."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from o2c.desk import triggers
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.triggers import dry_run_triggers, list_firings, list_triggers, show_trigger

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Triggers:
    """The part of `OrderToCash` that is about triggers."""

    _session: Session

    @answered
    def set_triggers(self, context: Context, *, definitions: str) -> Written:
        """Put triggers in force (the text of a TOML file), each as the next version of its name. See `desk.triggers.set_triggers`."""
        return triggers.set_triggers(self._session.app, context, definitions=definitions)

    @answered
    def retire_trigger(self, trigger: str, context: Context) -> Written:
        """Let a trigger do nothing more. See `desk.triggers.retire_trigger`."""
        return triggers.retire_trigger(self._session.app, context, trigger)

    @answered
    def triggers(self, *, retired: bool = False) -> list[shown.TriggerShown]:
        """The triggers in force by name. See `views.triggers.list_triggers`."""
        return list_triggers(self._session.app, retired=retired)

    @answered
    def trigger(self, trigger: str) -> shown.TriggerWholeShown:
        """One trigger with every version that it had. See `views.triggers.show_trigger`."""
        return show_trigger(self._session.app, trigger)

    @answered
    def trigger_firings(
        self,
        *,
        trigger: str = "",
        order: str = "",
        does: str = "",
        state: str = "",
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[shown.FiringShown]:
        """What triggers set off, the last first. See `views.triggers.list_firings`."""
        return list_firings(self._session.app, trigger=trigger, order=order, does=does, state=state, since=since, limit=limit)

    @answered
    def dry_run_triggers(self, definitions: str = "", *, since: datetime | None = None, trigger: str = "") -> list[shown.TriggerMatchShown]:
        """Try triggers on what happened; nothing is done. See `views.triggers.dry_run_triggers`."""
        return dry_run_triggers(self._session.app, definitions, since=since, trigger=trigger)
