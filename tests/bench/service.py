"""The service under load: capturing and reading over HTTP, beside the same in process and beside a bare route of the library.

Clients are connections that each send one request after another, from one process of their own that writes bytes and reads to the end of the
body: it takes a fraction of what a client library takes, and still shares the two cores with the server, as does PostgreSQL.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from fastapi import FastAPI

from o2c import Context, OrderToCash
from o2c.store.embedded import acquire
from tests.bench.log import database
from tests.bench.orders import apart, tell
from tests.world import World, at, line, order

MEANING = "the service: POST (native and TMF622 v4) and GET of orders at 1, 8 and 64 clients, beside capture in process and a bare route"
HEADERS = "Host: 127.0.0.1\r\nAuthorization: Bearer bench\r\nContent-Type: application/json\r\n"
PRODUCT_ORDER = "/tmf-api/productOrderingManagement/v4/productOrder"
Figures = dict[str, Any]
NUMBERS = count()


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=2_000, help="orders that the store holds before anything is measured")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8, 64], help="how many clients at once, run by run")
    parser.add_argument("--workers", type=int, default=2, help="processes of the service")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each kind, interleaved")


def measure(arguments: argparse.Namespace) -> Figures:
    """Measure, print, and give the figures back."""
    found: dict[str, list[Figures]] = {}
    with TemporaryDirectory(prefix="o2c-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with acquire(folder / "server") as server:
            dsn = database(server.dsn, "service")
            tell(f"{arguments.orders} orders on their way in {filled(dsn, folder, arguments.orders):.0f} s")
            with running(dsn, arguments.workers) as port, bare() as echo:
                for _ in range(arguments.repeat):
                    for clients in arguments.clients:
                        for kind, work in kinds(dsn, port, echo, clients, arguments).items():
                            found.setdefault(f"{kind} {clients}", []).append(apart(work))
    return told(found)


def kinds(dsn: str, port: int, echo: int, clients: int, arguments: argparse.Namespace) -> dict[str, Callable[[], Figures]]:
    """What is measured at so many clients."""
    seconds = arguments.seconds
    return {
        "capture in process": partial(in_process, dsn, clients, seconds),
        "capture over HTTP": partial(over_http, port, "/api/v1/orders/capture", clients, seconds, "post"),
        "productOrder over HTTP": partial(over_http, port, PRODUCT_ORDER, clients, seconds, "post"),
        "bare route": partial(over_http, echo, "/", clients, seconds, "post"),
        "order over HTTP": partial(over_http, port, "/api/v1/orders/FULL-{}", clients, seconds, "get", arguments.orders),
    }


def filled(dsn: str, folder: Path, orders: int) -> float:
    """Give the store its catalogue and orders that wait for their credit, and say how long that took."""
    began = time.perf_counter()
    world = World(dsn, folder).stocked()
    world.take(*(paper(f"FULL-{number}") for number in range(orders)))
    world.run(at(5, 10))
    world.close()
    return time.perf_counter() - began


def paper(name: str) -> dict[str, Any]:
    """A paper of an order of one line."""
    return order(name, line(), party=f"C-{name}")


def fresh() -> str:
    """A name that no other order bears."""
    return f"B-{os.getpid()}-{time.time_ns()}-{next(NUMBERS)}"


def in_process(dsn: str, clients: int, seconds: float) -> Figures:
    """The same verb without HTTP, called by so many threads of one process."""
    with OrderToCash(dsn) as o2c, ThreadPoolExecutor(clients) as pool:
        end = time.perf_counter() + seconds
        parts = pool.map(lambda _: list(one_after_another(lambda: o2c.capture(paper(fresh()), Context("bench")), end)), range(clients))
        return rate([each for part in parts for each in part], seconds)


def one_after_another(work: Callable[[], object], end: float) -> Iterator[float]:
    """How long each turn took, until the end."""
    while (began := time.perf_counter()) < end:
        work()
        yield time.perf_counter() - began


def over_http(port: int, path: str, clients: int, seconds: float, method: str, names: int = 0) -> Figures:
    """Requests over so many connections. One goes before: what was captured a moment ago is folded by the worker of a real store, not by a reader."""

    async def first() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_of(method, path, 0))
        await answered(reader)
        writer.close()

    async def all_clients() -> list[float]:
        end = time.perf_counter() + seconds
        return [each for part in await asyncio.gather(*(client(number, end) for number in range(clients))) for each in part]

    async def client(number: int, end: float) -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        took, turn = [], number * 7
        while (began := time.perf_counter()) < end:
            writer.write(request_of(method, path, turn % names if names else 0))
            await answered(reader)
            took.append(time.perf_counter() - began)
            turn += clients
        writer.close()
        return took

    asyncio.run(first())
    return rate(asyncio.run(all_clients()), seconds)


def request_of(method: str, path: str, number: int) -> bytes:
    """A request as it goes over the wire."""
    if method == "get":
        return f"GET {path.format(number)} HTTP/1.1\r\n{HEADERS}\r\n".encode()
    body = json.dumps(paper(fresh())).encode()
    return f"POST {path} HTTP/1.1\r\n{HEADERS}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def answered(reader: asyncio.StreamReader) -> None:
    """Read an answer to its end. Raises RuntimeError for one that is no success."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith("http/1.1 2"):
        raise RuntimeError(f"{head.splitlines()[0]}: {body[:300]!r}")


def rate(took: list[float], seconds: float) -> Figures:
    """Requests a second, and the times of half and of 99 in a hundred of them, in milliseconds."""
    cuts = quantiles(took, n=100) if len(took) > 1 else took * 99
    return {"per_s": len(took) / seconds, "p50_ms": cuts[49] * 1e3, "p99_ms": cuts[98] * 1e3}


@contextmanager
def running(dsn: str, workers: int) -> Iterator[int]:
    """The service on a store, in processes of its own."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "o2c.entrypoints.cli.main",
        "serve",
        "--actor",
        "bench",
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--rate",
        "1000000",
    ]
    process = subprocess.Popen(command, env={**os.environ, "O2C_DSN": dsn, "O2C_LOG_LEVEL": "ERROR"}, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def bare() -> Iterator[int]:
    """A route of the library that reads a body of JSON and gives it back."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=serve_bare, args=(port,), daemon=True)
    process.start()
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.join()


def serve_bare(port: int) -> None:
    """Serve it."""
    echo = FastAPI()

    @echo.post("/")
    def back(body: dict[str, Any]) -> dict[str, Any]:
        return body

    uvicorn.run(echo, port=port, log_config=None, access_log=False)


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens."""
    for _ in range(600):
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens to {port}")


def told(found: dict[str, list[Figures]]) -> Figures:
    """Print the medians with what each is of capture in process, and give them."""
    figures = {name: {key: median(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()}
    spread = {name: [run["per_s"] for run in runs] for name, runs in found.items()}
    tell(f"{'':28}{'a second':>10}{'lowest':>9}{'highest':>9}{'p50 ms':>9}{'p99 ms':>9}{'of in process':>15}")
    for name, one in figures.items():
        base = figures[f"capture in process {name.rpartition(' ')[2]}"]["per_s"]
        low, high = min(spread[name]), max(spread[name])
        tell(f"{name:28}{one['per_s']:10.0f}{low:9.0f}{high:9.0f}{one['p50_ms']:9.1f}{one['p99_ms']:9.1f}{one['per_s'] / base:15.2f}")
    return {"figures": figures, "per_s_of_each_run": spread}
