"""The routes for machines: health, readiness, the description of the API."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from iris_service import __version__
from tests.helpers import flower, request_of


def test_is_alive(client: TestClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_is_ready_and_names_the_model(client: TestClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["model"]["name"] == "iris-random-forest"


def test_is_not_ready_while_draining(app: FastAPI, client: TestClient) -> None:
    app.state.readiness.draining = True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "draining"})


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_is_alive_while_draining(app: FastAPI, client: TestClient, path: str) -> None:
    app.state.readiness.draining = True
    assert client.get(path).status_code == 200


def test_still_predicts_while_draining(app: FastAPI, client: TestClient) -> None:
    app.state.readiness.draining = True
    assert client.post("/predict", json=request_of(flower())).status_code == 200


@pytest.mark.parametrize("path", ["/", "/predict/", "/healthz/x", "/admin"])
def test_does_not_know_other_paths(client: TestClient, path: str) -> None:
    assert client.get(path, follow_redirects=False).status_code in {307, 404}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_take_no_post(client: TestClient, path: str) -> None:
    assert client.post(path).status_code == 405


def test_describes_its_api(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    assert description["info"]["version"] == __version__
    assert set(description["paths"]) == {"/healthz", "/readyz", "/predict"}


def test_describes_the_limits_of_a_measure(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    width = schemas["Flower"]["properties"]["petal_width"]
    assert (width["exclusiveMinimum"], width["maximum"]) == (0, 30)
