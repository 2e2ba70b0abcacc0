"""The entry of tasks for the plan: nobody asks for one but a trigger, and a person alone ends it."""

from __future__ import annotations

from datetime import datetime

from o2c.kernel.decision import Decision, just
from o2c.kernel.step import Referral, Step
from o2c.kernel.work import Work
from o2c.triggers.events import TASK, TaskClosed, TaskOpened


def close_task(work: Work, approve: bool, at: datetime) -> Decision:
    """What was to be done is done, or dropped."""
    return just(TaskClosed(fallout=work.fallout, decision="approve" if approve else "decline"))


STEP = Step(name=TASK, fell_out=TaskOpened, complete=lambda work, data, at: just(), referral=Referral(decide=close_task))
