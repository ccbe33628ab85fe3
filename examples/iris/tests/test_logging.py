"""Log lines and request ids."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from iris_service.logs import JsonFormatter, configure_logging
from tests.helpers import flower, request_of


@pytest.fixture
def restore_root() -> Iterator[None]:
    """Leaves the root logger as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def record(message: str = "hello", **extra: object) -> logging.LogRecord:
    """A record as a logger makes it."""
    logger = logging.getLogger("a.b")
    return logger.makeRecord("a.b", logging.WARNING, __file__, 1, message, (), None, extra=extra)


def test_a_line_is_one_json_object() -> None:
    line = json.loads(JsonFormatter().format(record()))
    assert line["level"] == "warning"
    assert line["logger"] == "a.b"
    assert line["message"] == "hello"
    assert datetime.fromisoformat(line["time"]).tzinfo == UTC


@pytest.mark.parametrize("text", ["two\nlines", 'a "quote"', "snow \u2603", "\u2028", "\x00"])
def test_any_text_stays_on_one_line(text: str) -> None:
    line = JsonFormatter().format(record(text))
    assert "\n" not in line
    assert json.loads(line)["message"] == text


def test_extras_become_fields() -> None:
    line = json.loads(JsonFormatter().format(record(status=200, path=sys)))
    assert line["status"] == 200
    assert line["path"] == str(sys)


def test_an_extra_does_not_replace_a_field() -> None:
    line = json.loads(JsonFormatter().format(record(level="fatal", time="never")))
    assert line["level"] == "warning"
    assert line["time"] != "never"


def test_colours_for_terminals_are_left_out() -> None:
    assert "color_message" not in json.loads(JsonFormatter().format(record(color_message="x")))


def test_an_exception_is_part_of_the_line() -> None:
    one = record()
    try:
        raise ValueError("wrong")
    except ValueError:
        one.exc_info = sys.exc_info()
    line = json.loads(JsonFormatter().format(one))
    assert line["exception"].endswith("ValueError: wrong")


@pytest.mark.usefixtures("restore_root")
@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 2), ("error", 0)])
def test_logs_from_the_configured_level_on(
    level: str, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(level)
    logger = logging.getLogger("uvicorn.error")
    logger.setLevel(logging.NOTSET)
    for severity in (logging.DEBUG, logging.INFO, logging.WARNING):
        logger.log(severity, "x")
    assert len(capsys.readouterr().out.splitlines()) == lines


@pytest.mark.usefixtures("restore_root")
def test_configuring_twice_does_not_log_twice(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    configure_logging("info")
    logging.getLogger("x").info("once")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_request_is_one_line(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "iris_service.access"):
        client.post("/predict", json=request_of(flower()), headers={"x-request-id": "abc"})
    (line,) = [vars(one) for one in caplog.records if one.name == "iris_service.access"]
    assert (line["request_id"], line["route"], line["status"]) == ("abc", "/predict", 200)
    assert line["milliseconds"] > 0


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_probe_is_no_information(
    client: TestClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.INFO, "iris_service.access"):
        client.get(path)
    assert not [one for one in caplog.records if one.name == "iris_service.access"]


def test_measures_are_not_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        client.post("/predict", json=request_of(flower(sepal_length=5.4321)))
    assert not any("5.4321" in str(vars(one)) for one in caplog.records)


@pytest.mark.parametrize("given", ["a", "0af7651916cd43dd8448eb211c80319c", "A.b_c-9" * 9])
def test_keeps_a_request_id(client: TestClient, given: str) -> None:
    assert client.get("/healthz", headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a;b", '{"a":1}'])
def test_replaces_a_request_id_that_is_none(client: TestClient, given: str) -> None:
    answer = client.get("/healthz", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


def test_requests_get_different_ids(client: TestClient) -> None:
    ids = {client.get("/healthz").headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20


def test_a_crash_is_counted_and_logged(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    @app.get("/crash")
    def crash() -> None:
        raise RuntimeError("no")

    with (
        TestClient(app, raise_server_exceptions=False) as client,
        caplog.at_level(logging.INFO, "iris_service.access"),
    ):
        assert client.get("/crash").status_code == 500
        text = client.get("/metrics").text
    assert 'http_requests_total{method="GET",route="/crash",status="500"} 1.0' in text
    assert [vars(one)["status"] for one in caplog.records if "status" in vars(one)] == [500]
