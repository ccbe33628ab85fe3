"""GET /metrics."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from iris_service.app import create_app
from iris_service.model import Model
from iris_service.settings import Settings
from tests.helpers import SETOSA, VIRGINICA, flower, request_of


def samples(client: TestClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All samples that the service offers, by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


def value(client: TestClient, sample: str, /, **labels: str) -> float:
    """One sample; 0 when there is none."""
    return samples(client).get((sample, frozenset(labels.items())), 0)


def test_speaks_the_text_format(client: TestClient) -> None:
    assert client.get("/metrics").headers["content-type"].startswith("text/plain; version=")


def test_counts_requests_by_status(client: TestClient) -> None:
    for body in (request_of(flower()), request_of(flower()), request_of()):
        client.post("/predict", json=body)
    labels = {"method": "POST", "route": "/predict"}
    assert value(client, "http_requests_total", status="200", **labels) == 2
    assert value(client, "http_requests_total", status="422", **labels) == 1


def test_measures_durations(client: TestClient) -> None:
    client.post("/predict", json=request_of(flower()))
    labels = {"method": "POST", "route": "/predict"}
    assert value(client, "http_request_duration_seconds_count", **labels) == 1
    assert value(client, "http_request_duration_seconds_sum", **labels) > 0
    assert value(client, "http_request_duration_seconds_bucket", le="+Inf", **labels) == 1


def test_counts_flowers_by_species(client: TestClient) -> None:
    client.post("/predict", json=request_of(flower(*SETOSA), flower(*SETOSA), flower(*VIRGINICA)))
    assert value(client, "iris_predictions_total", species="setosa") == 2
    assert value(client, "iris_predictions_total", species="virginica") == 1
    assert value(client, "iris_predictions_total", species="versicolor") == 0


def test_counts_no_flower_of_a_rejected_request(client: TestClient) -> None:
    client.post("/predict", json=request_of(flower(), flower(sepal_width=-1)))
    assert not [name for name, _ in samples(client) if name == "iris_predictions_total"]


def test_says_which_model_is_served(client: TestClient, model: Model) -> None:
    labels = {"name": "iris-random-forest", "stage": "production", "version": "7"}
    assert value(client, "model_info", sha256=model.card.sha256, **labels) == 1


@pytest.mark.parametrize("path", ["/a", "/b/c", "/predict/1", "/%00"])
def test_an_unknown_path_is_no_label(client: TestClient, path: str) -> None:
    client.get(path)
    assert value(client, "http_requests_total", method="GET", route="unmatched", status="404") == 1


def test_an_unknown_method_is_no_label(client: TestClient) -> None:
    client.request("BREW", "/coffee")
    assert (
        value(client, "http_requests_total", method="other", route="unmatched", status="404") == 1
    )


def test_two_applications_do_not_share_counters(
    app: FastAPI, client: TestClient, model: Model
) -> None:
    client.get("/healthz")
    with TestClient(create_app(Settings(), model)) as other:
        assert other.app is not app
        labels = {"method": "GET", "route": "/healthz", "status": "200"}
        assert value(other, "http_requests_total", **labels) == 0
