"""How projections stand, and one built anew from the log: what would differ is shown first, then it goes on beside the pages, which tell
how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import structlog
from fastapi import Request
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.projections import FoldFailed, RebuildResult, percent_of
from o2c.entrypoints.http.console.frame import Asked, Page, Sent, done, refusal_of, router

logger = structlog.get_logger(__name__)
pages = router()
Progress = Callable[[str, str, float], None]
DEEDS_MAX = 20


@dataclass(frozen=True, slots=True)
class Going:
    """A rebuild that was begun here: how far it is in percent, since when by this process's clock, and what came of it once it is over."""

    began: float
    stage: str = "begun"
    percent: float = 0.0
    result: RebuildResult | None = None
    failed: str = ""

    @property
    def over(self) -> bool:
        """Whether it is over, in one way or the other."""
        return self.result is not None or bool(self.failed)

    @property
    def left_s(self) -> float | None:
        """About how many seconds it takes yet, if it goes on as it did; None where nobody can tell."""
        took = time.monotonic() - self.began
        return took * (100 - self.percent) / self.percent if self.percent >= 1 else None


class Rebuilds:
    """The rebuilds that this process began, the last of each projection. Others stand in the projection's status, and in its history."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, Going] = {}

    def last(self, name: str) -> Going | None:
        """The last rebuild of a projection that began here."""
        return self._last.get(name)

    def begin(self, name: str, work: Callable[[Progress], list[RebuildResult]]) -> None:
        """Do it beside the pages. Raises Refused (conflict) while one goes on."""
        with self._lock:
            if (going := self._last.get(name)) and not going.over:
                raise Refused(f"projection {name} is being rebuilt already; look at how far it is", kind="conflict")
            self._last[name] = Going(time.monotonic())
        # It ends with the process: a rebuild that is cut short leaves the tables as they were.
        threading.Thread(target=self._carry, args=(name, work), name=f"rebuild of {name}", daemon=True).start()

    def _carry(self, name: str, work: Callable[[Progress], list[RebuildResult]]) -> None:
        def told(_: str, stage: str, share: float) -> None:
            self._last[name] = replace(self._last[name], stage=stage, percent=percent_of(stage, share))

        try:
            [result] = work(told)
        except (Refused, FoldFailed) as refused:
            self._last[name] = replace(self._last[name], failed=str(refused))
        except Exception as error:
            logger.error("rebuild.defect", projection=name, error=type(error).__name__, exc_info=error)
            self._last[name] = replace(
                self._last[name], failed=f"it was not carried through ({type(error).__name__}); the log of the service says where"
            )
        else:
            self._last[name] = replace(self._last[name], result=result, percent=100.0)


def _rebuilds(request: Request) -> Rebuilds:
    return cast("Rebuilds", request.scope["app"].state.rebuilds)


@pages.get("/projections")
def every(page: Asked) -> Response:
    """How far each projection is behind the log, and what is parked."""
    return page.shown("projections.html", rows=page.ask("projections.status"))


@pages.get("/projections/{name}")
def one(page: Asked, name: str, done: str = "") -> Response:
    """A projection: how it stands, what was done to it, and how far a rebuild of it is."""
    return _shown(page, name, done=done)


@pages.post("/projections/{name}/check")
def check(page: Asked, form: Sent, name: str) -> Response:
    """What a rebuild would make otherwise: the log is folded again and compared, and nothing is written."""
    [checked] = page.ask("projections.verify", [name])
    return _shown(page, name, checked=checked)


@pages.post("/projections/{name}/rebuild")
def rebuild(page: Asked, form: Sent, name: str) -> Response:
    """Begin to build it anew; the page tells how far it is."""
    try:
        # Who may not, and what is none, is refused at once, and not by work that nobody waits for.
        if not page.may("projections.rebuild"):
            raise Refused(f"{page.context.actor} may not use projections.rebuild; ask an admin", kind="forbidden")
        _row(page, name)
        if not form["reason"]:
            raise Refused("say why it is built anew; that stands in its history")
        _rebuilds(page.request).begin(
            name, lambda told: cast("list[RebuildResult]", page.do("projections.rebuild", [name], reason=form["reason"], progress=told))
        )
    except Refused as refused:
        if refused.kind not in ("usage", "conflict"):
            raise
        status, told = refusal_of(refused, page.request)
        return _shown(page, name, status=status, refused=told)
    return done(f"/console/projections/{name}", "begun")


def _row(page: Page, name: str) -> Any:
    row = next((row for row in page.ask("projections.status") if row.name == name), None)
    if row is None:
        raise Refused(f"there is no projection {name}; see the list of them", kind="missing")
    return row


def _shown(page: Page, name: str, *, status: int = 200, refused: str = "", done: str = "", checked: Any = None) -> Response:
    row, going = _row(page, name), _rebuilds(page.request).last(name)
    deeds = list(reversed(page.ask("projections.history", [name])))[:DEEDS_MAX] if page.may("projections.history") else []
    parked = page.ask("projections.parked", [name]) if page.may("projections.parked") else []
    is_going = bool(row.rebuilt_by) or (going is not None and not going.over)
    told = {"row": row, "going": going, "is_going": is_going, "deeds": deeds, "parked": parked, "checked": checked}
    return page.shown("projection.html", status=status, refused=refused, done=done, **told)
