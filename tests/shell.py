"""The command line in a test: run in this process or in one of its own, and what it said."""

import gc
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest
import structlog

from o2c.entrypoints.cli.logs import OURS, SILENCED
from o2c.entrypoints.cli.main import main


@contextmanager
def logs_as_they_were() -> Iterator[None]:
    """Whatever the block does to logging is undone at its end."""
    root, hook, raising = logging.getLogger(), threading.excepthook, logging.raiseExceptions
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("", *OURS, *SILENCED)}
    try:
        yield
    finally:
        structlog.reset_defaults()
        logging.captureWarnings(capture=False)
        root.handlers[:], threading.excepthook, logging.raiseExceptions = handlers, hook, raising
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def run_here(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The main() of `o2c` in this process: it says and ends what one of its own would, and spares the second that takes to start."""
    command, out, err = ["o2c", *arguments], io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", command),
        mock.patch.object(gc, "freeze"),  # this process lives on: what it has made so far is to be looked at by the collector again
        logs_as_they_were(),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    assert isinstance(ended.value.code, int)
    return subprocess.CompletedProcess(command, ended.value.code, out.getvalue(), err.getvalue())


class Shell:
    """Runs `o2c` on one store."""

    def __init__(self, dsn: str, home: Path) -> None:
        self.environment = {**os.environ, "O2C_DSN": dsn, "O2C_HOME": str(home)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_here(self.environment, *arguments)

    def data(self, *arguments: str) -> object:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class Program(Shell):
    """Runs `o2c` in a process of its own."""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "o2c.entrypoints.cli.main", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300, check=False)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The error of a command that failed: exactly one line, on stderr."""
    assert done.stdout == ""
    [line] = done.stderr.strip().splitlines()
    return line
