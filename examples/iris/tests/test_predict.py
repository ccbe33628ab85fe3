"""POST /predict."""

import json
import math
from typing import Any

import pytest
from fastapi.testclient import TestClient

from iris_service.model import FEATURES, Model
from iris_service.schemas import MAX_INSTANCES
from iris_service.training import DataSet
from tests.helpers import SETOSA, VERSICOLOR, VIRGINICA, flower, request_of


@pytest.mark.parametrize(
    ("measures", "species"),
    [(SETOSA, "setosa"), (VERSICOLOR, "versicolor"), (VIRGINICA, "virginica")],
)
def test_classifies_a_typical_flower(
    client: TestClient, measures: tuple[float, ...], species: str
) -> None:
    answer = client.post("/predict", json=request_of(flower(*measures)))
    assert answer.status_code == 200
    (prediction,) = answer.json()["predictions"]
    assert prediction["species"] == species
    assert prediction["probabilities"][species] > 0.8


def test_names_the_model_that_answered(client: TestClient, model: Model) -> None:
    answer = client.post("/predict", json=request_of(flower()))
    assert answer.json()["model"] == {
        "name": "iris-random-forest",
        "stage": "production",
        "version": "7",
        "sha256": model.card.sha256,
    }


def test_keeps_the_order_of_the_instances(client: TestClient) -> None:
    order = [VIRGINICA, SETOSA, VERSICOLOR, SETOSA, VIRGINICA]
    answer = client.post("/predict", json=request_of(*(flower(*one) for one in order)))
    assert [one["species"] for one in answer.json()["predictions"]] == [
        "virginica",
        "setosa",
        "versicolor",
        "setosa",
        "virginica",
    ]


def test_a_batch_answers_as_single_requests_do(client: TestClient) -> None:
    flowers = [flower(*one) for one in (SETOSA, VERSICOLOR, VIRGINICA)]
    batch = client.post("/predict", json=request_of(*flowers)).json()["predictions"]
    single = [
        client.post("/predict", json=request_of(one)).json()["predictions"][0] for one in flowers
    ]
    assert batch == single


def test_takes_whole_numbers(client: TestClient) -> None:
    answer = client.post("/predict", json=request_of(flower(5, 3, 1, 1)))
    assert answer.status_code == 200


def test_takes_the_largest_batch(client: TestClient) -> None:
    answer = client.post("/predict", json=request_of(*[flower()] * MAX_INSTANCES))
    assert len(answer.json()["predictions"]) == MAX_INSTANCES


def test_rejects_a_larger_batch(client: TestClient) -> None:
    answer = client.post("/predict", json=request_of(*[flower()] * (MAX_INSTANCES + 1)))
    assert answer.status_code == 422


def test_rejects_an_empty_batch(client: TestClient) -> None:
    assert client.post("/predict", json=request_of()).status_code == 422


@pytest.mark.parametrize("feature", FEATURES)
def test_rejects_a_flower_without_a_measure(client: TestClient, feature: str) -> None:
    one = flower()
    del one[feature]
    answer = client.post("/predict", json=request_of(one))
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", "instances", 0, feature]
    assert problem["type"] == "missing"


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("value", [0, -1, 30.01, 1e308, "5.1", None, True, [], {}], ids=repr)
def test_rejects_a_measure_that_is_none(client: TestClient, feature: str, value: Any) -> None:
    answer = client.post("/predict", json=request_of(flower(**{feature: value})))
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "instances", 0, feature]


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
def test_rejects_numbers_that_json_does_not_have(client: TestClient, literal: str) -> None:
    body = json.dumps(request_of(flower(sepal_length="?"))).replace('"?"', literal)
    answer = client.post(
        "/predict", content=body.encode(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


def test_does_not_send_back_what_it_rejects(client: TestClient) -> None:
    answer = client.post("/predict", json=request_of(flower(sepal_length="x" * 1000)))
    assert answer.status_code == 422
    assert "xxx" not in answer.text


def test_rejects_an_unknown_measure(client: TestClient) -> None:
    answer = client.post("/predict", json=request_of(flower(colour=1.0)))
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "extra_forbidden"


def test_rejects_an_unknown_key_beside_the_instances(client: TestClient) -> None:
    answer = client.post("/predict", json={**request_of(flower()), "threshold": 0.5})
    assert answer.status_code == 422


def test_names_every_problem_at_once(client: TestClient) -> None:
    answer = client.post(
        "/predict", json=request_of(flower(), flower(sepal_length=-1, petal_length="a"))
    )
    assert [one["loc"][2:] for one in answer.json()["detail"]] == [
        [1, "sepal_length"],
        [1, "petal_length"],
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"instances": 3}'])
def test_rejects_a_body_that_is_no_request(client: TestClient, body: bytes) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}


def test_rejects_get(client: TestClient) -> None:
    answer = client.get("/predict")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_probabilities_name_every_species_and_add_up(client: TestClient, model: Model) -> None:
    answer = client.post("/predict", json=request_of(flower(6.0, 2.7, 5.1, 1.6)))
    (prediction,) = answer.json()["predictions"]
    assert tuple(prediction["probabilities"]) == model.card.classes
    assert math.isclose(sum(prediction["probabilities"].values()), 1, abs_tol=1e-9)


def test_classifies_the_data_it_was_trained_on(client: TestClient, data: DataSet) -> None:
    answer = client.post("/predict", json=request_of(*(flower(*row) for row in data.rows.tolist())))
    species = [one["species"] for one in answer.json()["predictions"]]
    expected = [data.classes[label] for label in data.labels]
    right = sum(one == other for one, other in zip(species, expected, strict=True))
    assert right >= 145
