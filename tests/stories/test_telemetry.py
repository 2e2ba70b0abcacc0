"""Every figure that a monitoring system reads is the one an independent query finds, and a figure that cannot be read is not there."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import make_conninfo

from o2c.kernel.refusal import Refused
from o2c.running.telemetry import registry, serve_metrics, write_metrics
from o2c.views.reading import caught_up
from projections.engine.operations import ALL
from tests.store.writing import command
from tests.world import World, at, line, order, ported

Figures = dict[tuple[str, tuple[str, ...]], float]


def parsed(text: str) -> Figures:
    """Each sample by its name and the values of its labels, sorted by the labels' names."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(s.name, tuple(s.labels[name] for name in sorted(s.labels))): s.value for s in samples}


def figures(dsn: str, *, counting: bool = False) -> Figures:
    return parsed(generate_latest(registry(dsn, counting=counting)).decode())


def asked(dsn: str, sql: str) -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        done = conn.execute(sql.encode())
        return done.fetchall() if done.description else []


def of(found: Figures, name: str) -> dict[tuple[str, ...], float]:
    return {labels: value for (metric, labels), value in found.items() if metric == name}


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    """Orders that wait for stock, one with a fallout, rows overdue and to come, projections read up to the middle."""
    made = World(dsn, tmp_path)
    made.stocked(esims=1, physical=2, numbers=6)
    made.take(order("A", line()), order("B", ported(code=""), party="C-2"), order("C", line(), party="C-3"))
    made.run(at(7))
    caught_up(made.app)
    made.take(order("D", line(), on=at(6, 12)), order("E", ported(msisdn="+447700900124", code=""), on=at(6, 13)), name="later.jsonl")
    yield made
    made.close()


def test_every_gauge_is_what_an_independent_query_finds(world: World) -> None:
    """Log, lag, agenda, fallouts and stock, each counted again in plain SQL or through the engine's own reads."""
    dsn = world.dsn
    asked(dsn, "ANALYZE o2c.event")
    asked(dsn, "UPDATE o2c.agenda SET lease_until = clock_timestamp() + interval '1 min', pool = 'sim/esim' WHERE step = 'bill-run'")
    found = figures(dsn)
    [(events, last)] = asked(dsn, "SELECT count(*), max(position) FROM o2c.event")
    [(checkpoint,)] = asked(dsn, "SELECT DISTINCT position FROM projection.checkpoint")
    [(behind,)] = asked(dsn, f"SELECT count(*) FROM o2c.event WHERE position > {checkpoint}")
    kinds = dict(asked(dsn, "SELECT kind, count(*) FROM o2c.agenda GROUP BY 1"))
    now = world.app.clock().now
    due = asked(dsn, f"SELECT due_at FROM o2c.agenda WHERE due_at <= '{now.isoformat()}' ORDER BY due_at")
    held = asked(dsn, "SELECT kind, count(*) FROM o2c.agenda WHERE step = 'bill-run' GROUP BY kind")
    open_ = asked(dsn, "SELECT reason, queue, count(*) FROM projection.fallout WHERE closed_at IS NULL GROUP BY 1, 2 ORDER BY queue")

    assert of(found, "o2c_store_up") == {(): 1}
    assert of(found, "o2c_log_position") == {(): last}
    assert of(found, "o2c_log_events_estimate") == {(): events}
    assert of(found, "o2c_log_incarnations") == {(): 1}
    assert behind > 0
    assert of(found, "o2c_projection_lag_events") == {(p.name,): behind for p in ALL}
    assert {name for name, seconds in of(found, "o2c_projection_lag_seconds").items() if 0 < seconds < 60} == {(p.name,) for p in ALL}
    assert of(found, "o2c_projection_parked_groups") == {(p.name,): 0 for p in ALL}
    assert of(found, "o2c_agenda_rows") == {(k,): n for k, n in kinds.items()}
    assert of(found, "o2c_agenda_overdue_rows") == {(): len(due)} != {(): 0}
    assert of(found, "o2c_agenda_overdue_seconds") == {(): (now - due[0][0]) / timedelta(seconds=1)}
    assert of(found, "o2c_agenda_leased_rows") == {(k,): 0 for k in kinds} | {(k,): n for k, n in held}
    assert held
    assert of(found, "o2c_fallouts_open") == {(queue, reason): n for reason, queue, n in open_} != {}
    assert of(found, "o2c_stock_available") == {(p,): n for p, n in asked(dsn, "SELECT pool, count(*) FROM o2c.pool GROUP BY 1")}
    waiting = asked(dsn, "SELECT pool, count(*) FROM o2c.agenda WHERE kind = 'stock' GROUP BY 1")
    assert of(found, "o2c_stock_waiting") == {(pool,): n for pool, n in waiting} != {}
    assert of(found, "o2c_horizon_stall_seconds") == {(): 0}


def test_projections_at_different_places_have_lags_of_their_own(world: World) -> None:
    """Each lag is counted from its own checkpoint, and one that has read all has none; control: no two were equal by chance."""
    names = [p.name for p in ALL][:3]
    places = [row[0] for row in _positions(world.dsn)]
    wanted = {}
    with psycopg.connect(world.dsn, autocommit=True) as conn:
        for name, place in zip(names, (5, 9, len(places)), strict=True):
            conn.execute("UPDATE projection.checkpoint SET position = %s WHERE name = %s", (places[place - 1], name))
            wanted[name] = len(places) - place
    lags = of(figures(world.dsn), "o2c_projection_lag_events")
    assert {name: lags[name,] for name in names} == wanted
    assert len(set(wanted.values())) == 3
    assert of(figures(world.dsn), "o2c_projection_lag_seconds")[names[2],] == 0


def _positions(dsn: str) -> list[Any]:
    return asked(dsn, "SELECT position FROM o2c.event ORDER BY position")


def test_a_transaction_that_holds_back_readers_is_shown_by_its_age(world: World) -> None:
    """While a writer idles in its transaction the stall grows; afterwards there is none."""
    with psycopg.connect(world.dsn) as idle:
        idle.execute("SELECT pg_current_xact_id(), pg_sleep(0.3)")
        [stall] = of(figures(world.dsn), "o2c_horizon_stall_seconds").values()
    [after] = of(figures(world.dsn), "o2c_horizon_stall_seconds").values()
    assert 0.3 <= stall < 10
    assert after < stall  # 0, or what the server itself has just begun


def test_counters_move_with_what_is_appended(world: World) -> None:
    """An append that writes, one that comes again and one that is stale each count under their verdict, and each took its time."""
    before = figures(world.dsn, counting=True)
    first = command(("a-1", 0))
    world.app.log_recorder.append([first])
    world.app.log_recorder.append([first])
    world.app.log_recorder.append([command(("a-1", 0)), command(("a-2", 0))])
    after = figures(world.dsn, counting=True)

    def moved(name: str, *labels: str) -> float:
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    assert [moved("o2c_commands_total", verdict) for verdict in ("appended", "repeated", "stale")] == [2, 1, 1]
    assert moved("o2c_append_seconds_count") == 3
    assert 0 < moved("o2c_append_seconds_sum") < 3
    assert not of(figures(world.dsn), "o2c_commands_total"), "a process that appends nothing shows no zeros"


def test_what_cannot_be_read_is_left_out(world: World, server_dsn: str) -> None:
    """Without projections their figures are missing, not 0; without an answer there is nothing but that the store is down."""
    asked_nothing = make_conninfo(server_dsn, host="/nowhere")
    with psycopg.connect(world.dsn, autocommit=True) as conn:
        conn.execute("DROP SCHEMA projection CASCADE")
    found = figures(world.dsn)
    assert of(found, "o2c_projection_lag_events") == of(found, "o2c_fallouts_open") == {}
    assert of(found, "o2c_agenda_rows") != {}
    assert figures(asked_nothing) == {("o2c_store_up", ()): 0}


def test_an_endpoint_answers_until_it_is_closed(world: World) -> None:
    """Over HTTP the figures are the same; a second endpoint at the same place is refused."""
    with serve_metrics(world.app, "127.0.0.1", 0) as endpoint:
        with urllib.request.urlopen(f"http://127.0.0.1:{endpoint.listen}/metrics") as answer:
            found = parsed(answer.read().decode())
        with pytest.raises(Refused, match="choose another"):
            serve_metrics(world.app, "127.0.0.1", endpoint.listen)
    assert of(found, "o2c_agenda_rows") == of(figures(world.dsn), "o2c_agenda_rows")
    assert of(found, "o2c_append_seconds_count")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{endpoint.listen}/metrics")


def test_a_file_is_written_whole(world: World, tmp_path: Path) -> None:
    """The textfile has every figure and nothing is left beside it; a folder that is not there is refused."""
    made = tmp_path / "prom"
    made.mkdir()
    write_metrics(world.app, made / "o2c.prom")
    write_metrics(world.app, made / "o2c.prom")
    assert of(parsed((made / "o2c.prom").read_text()), "o2c_store_up") == {(): 1}
    assert [path.name for path in made.iterdir()] == ["o2c.prom"]
    with pytest.raises(Refused, match="cannot write"):
        write_metrics(world.app, tmp_path / "not" / "there.prom")


def test_no_device_or_pipe_gives_way_to_a_file(world: World, tmp_path: Path) -> None:
    """What is written in one step takes the place of what was there, so only an ordinary file is: /dev/null stays what it is, for root too."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(Refused, match="is no ordinary file"):
        write_metrics(world.app, pipe)
    assert pipe.is_fifo()


COUNT = """import sys; from o2c.store import meters; from o2c.store.commands import Outcome
meters.appended([], [Outcome("stale", "", 0, 0, {})] * int(sys.argv[1]), 0.001)"""


def test_several_processes_add_up(world: World, tmp_path: Path) -> None:
    """Two workers that share a folder count together, also once they are gone, and `o2c metrics serve` shows the sum until SIGTERM."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "O2C_DSN": world.dsn, "O2C_HOME": str(tmp_path / "home")}
    for number in ("2", "3"):
        subprocess.run([sys.executable, "-c", COUNT, number], env=environment, check=True)
    serve = [sys.executable, "-m", "o2c.entrypoints.cli.main", "metrics", "serve", "--listen", "0"]
    with subprocess.Popen(serve, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = process.stderr.readline().split()[-1]
        with urllib.request.urlopen(url) as answer:
            found = parsed(answer.read().decode())
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert of(found, "o2c_commands_total") == {("stale",): 5}
    assert of(found, "o2c_append_seconds_count") == {(): 2}
    assert of(found, "o2c_store_up") == {(): 1}
