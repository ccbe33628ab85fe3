"""Properties that hold for any flower."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from iris_service.logs import JsonFormatter
from iris_service.model import Model
from iris_service.schemas import Flower, PredictRequest
from tests.helpers import flower
from tests.test_logging import record

measures = st.floats(min_value=0.01, max_value=30, allow_nan=False)
flowers = st.tuples(measures, measures, measures, measures)


def rows(*several: tuple[float, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Flowers as the model takes them."""
    return np.array(several, dtype=np.float64)


@pytest.mark.slow
@given(one=flowers)
@settings(max_examples=150)
def test_probabilities_are_a_distribution(model: Model, one: tuple[float, ...]) -> None:
    (prediction,) = model.predict(rows(one))
    assert all(0 <= share <= 1 for share in prediction.probabilities.values())
    assert math.isclose(sum(prediction.probabilities.values()), 1, abs_tol=1e-9)


@pytest.mark.slow
@given(one=flowers)
@settings(max_examples=150)
def test_the_species_is_the_most_probable(model: Model, one: tuple[float, ...]) -> None:
    (prediction,) = model.predict(rows(one))
    highest = max(prediction.probabilities.values())
    assert prediction.probabilities[prediction.species] == highest


@pytest.mark.slow
@given(one=flowers)
@settings(max_examples=100)
def test_the_same_flower_gets_the_same_answer(model: Model, one: tuple[float, ...]) -> None:
    assert model.predict(rows(one)) == model.predict(rows(one))


@pytest.mark.slow
@given(several=st.lists(flowers, min_size=1, max_size=30))
@settings(max_examples=60)
def test_flowers_do_not_influence_each_other(
    model: Model, several: list[tuple[float, ...]]
) -> None:
    batch = model.predict(rows(*several))
    assert batch[-1] == model.predict(rows(several[-1]))[0]
    assert batch[::-1] == model.predict(rows(*several[::-1]))


@pytest.mark.slow
@given(one=flowers, step=st.floats(min_value=0.001, max_value=1))
@settings(max_examples=100)
def test_beyond_the_data_nothing_changes(model: Model, one: tuple[float, ...], step: float) -> None:
    # No flower is larger than 8 cm: every threshold of every tree lies below.
    far = tuple(measure + 8 for measure in one)
    farther = tuple(measure + step for measure in far)
    assert model.predict(rows(far)) == model.predict(rows(farther))


@given(one=flowers)
def test_a_flower_survives_json(one: tuple[float, ...]) -> None:
    parsed = Flower.model_validate_json(json.dumps(flower(*one)))
    assert tuple(parsed.model_dump().values()) == one


@given(several=st.lists(flowers, min_size=1, max_size=20))
def test_rows_keep_order_and_columns(several: list[tuple[float, ...]]) -> None:
    request = PredictRequest.model_validate({"instances": [flower(*one) for one in several]})
    assert np.array_equal(request.rows(), rows(*several))


@given(
    value=st.one_of(
        st.floats(max_value=0),
        st.floats(min_value=30, exclude_min=True),
        st.just(math.nan),
        st.text(max_size=5),
        st.booleans(),
        st.none(),
    ),
    feature=st.sampled_from(sorted(flower())),
)
def test_what_is_no_measure_is_rejected(value: object, feature: str) -> None:
    with pytest.raises(ValidationError):
        Flower.model_validate(flower(**{feature: value}))


@given(name=st.text(min_size=1, max_size=10))
def test_unknown_measures_are_rejected(name: str) -> None:
    if name not in flower():
        with pytest.raises(ValidationError):
            Flower.model_validate(flower(**{name: 1.0}))


@given(message=st.text(), extra=st.dictionaries(st.text(min_size=1).map("x".__add__), st.text()))
def test_any_log_record_is_one_line_of_json(message: str, extra: dict[str, str]) -> None:
    line = JsonFormatter().format(record(message, **extra))
    assert "\n" not in line
    assert json.loads(line) | extra == json.loads(line)
    assert json.loads(line)["message"] == message
