"""A projection worker in a process of its own that stops itself between reading and writing, as a machine that stalls would."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from o2c.running.crew import work
from projections.catalogue import BY_NAME
from projections.engine.incremental import Batch
from projections.engine.seen import Mark
from projections.engine.shards import Follower
from tests.faults.working import eventually

ROOT = Path(__file__).parents[2]
SAYS_STALLED, SAYS_DONE, SAYS_REFUSED = "stalled\n", "wrote\n", "refused\n"


@dataclass(frozen=True)
class Stalling:
    """A worker that tells what became of the write it stalled before."""

    process: subprocess.Popen[str]

    def stopped(self) -> bool:
        told = subprocess.run(["ps", "-o", "stat=", "-p", str(self.process.pid)], capture_output=True, text=True, check=False)
        return told.stdout.startswith("T")

    def says(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def wakes(self) -> str:
        """Let it go on; what it says of the write it stalled before. Empty when its connection is gone."""
        os.kill(self.process.pid, signal.SIGCONT)
        return self.says()

    def ends(self) -> int:
        """Tell it to end; its exit code."""
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.communicate(timeout=60)
        return self.process.returncode


@contextmanager
def stalling(dsn: str, stalled_s: float) -> Iterator[Stalling]:
    """A worker of `orders` that stalls before it writes for the first time; whatever becomes of the test, nothing is left of it."""
    arguments = [sys.executable, "-m", "tests.faults.following", dsn, str(stalled_s)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            worker = Stalling(process)
            assert worker.says() == SAYS_STALLED
            assert eventually(worker.stopped)
            yield worker
        finally:
            process.kill()


def _tell(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main(dsn: str, stalled_s: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    flush = Batch.flush
    told: list[str] = []

    def hesitant(batch: Batch, mark: Mark) -> bool:
        if told:
            return flush(batch, mark)
        told.append(SAYS_STALLED)
        _tell(SAYS_STALLED)
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.1)  # the stop reaches this thread a moment later than the process
        try:
            written = flush(batch, mark)
        except Exception:
            _tell("broken\n")
            raise
        _tell(SAYS_DONE if written else SAYS_REFUSED)
        return written

    Batch.flush = hesitant  # type: ignore[method-assign]  # only ever in a process of its own
    work(Follower(dsn, [BY_NAME["orders"]], stalled_s=float(stalled_s)), None, tethered=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
