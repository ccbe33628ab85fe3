"""The process: start, refusal, graceful stop."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

import iris_service
from iris_service.server import DrainingServer, main, make_server
from iris_service.settings import Settings

SOURCE = Path(iris_service.__file__).parent.parent


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def get(port: int, path: str) -> int:
    """Status of a GET request."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def wait_until_ready(port: int, process: subprocess.Popen[str]) -> None:
    """Returns when the service answers; fails when it ended instead."""
    for _ in range(600):
        assert process.poll() is None, process.communicate()
        try:
            if get(port, "/readyz") == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the service did not come up within a minute")


@pytest.fixture
def service() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A service in a process of its own, ready: its port and the process."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "iris_service"],
        env={
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DRAIN_SECONDS": "3",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until_ready(port, process)
        yield port, process
    finally:
        process.kill()
        process.communicate()


def test_drains_before_it_stops(service: tuple[int, subprocess.Popen[str]]) -> None:
    port, process = service
    process.send_signal(signal.SIGTERM)
    for _ in range(100):
        if get(port, "/readyz") == 503:
            break
        time.sleep(0.01)
    assert get(port, "/readyz") == 503
    assert get(port, "/healthz") == 200
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert "draining" in [line["message"] for line in lines]
    with pytest.raises(OSError, match="refused"):
        get(port, "/healthz")


def test_a_second_signal_stops_at_once(app: FastAPI) -> None:
    server = DrainingServer(uvicorn.Config(app), app, drain_seconds=3600)

    async def signal_twice() -> list[tuple[bool, bool]]:
        states = []
        for _ in range(2):
            server.handle_exit(signal.SIGTERM, None)
            await asyncio.sleep(0)
            states.append((server.should_exit, server.force_exit))
        return states

    assert asyncio.run(signal_twice()) == [(False, False), (True, True)]
    assert app.state.readiness.draining


def test_serves_in_this_process_too() -> None:
    port = free_port()
    server = make_server(Settings(host="127.0.0.1", port=port, drain_seconds=0))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        assert get(port, "/healthz") == 200
    finally:
        server.should_exit = True
        thread.join()


def test_refuses_to_start_with_wrong_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "tcp://10.0.0.1:80")
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "port" in capsys.readouterr().err


def test_refuses_to_start_without_a_model(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("iris_service.server.configure_logging", lambda _: None)
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "none.skops"))
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "the model cannot be read" in capsys.readouterr().err


def test_the_version_is_that_of_the_project() -> None:
    project = (SOURCE.parent / "pyproject.toml").read_text()
    assert f'version = "{iris_service.__version__}"' in project
