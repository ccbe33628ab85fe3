"""What goes over the wire."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from iris_service.model import FEATURES

MAX_INSTANCES = 256
"""Most flowers in one request."""

Centimetres = Annotated[float, Field(gt=0, le=30, allow_inf_nan=False, strict=True)]


class Flower(BaseModel):
    """Measures of one flower, in centimetres."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sepal_length: Centimetres
    sepal_width: Centimetres
    petal_length: Centimetres
    petal_width: Centimetres


class PredictRequest(BaseModel):
    """Flowers to classify."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "instances": [
                        {
                            "sepal_length": 5.1,
                            "sepal_width": 3.5,
                            "petal_length": 1.4,
                            "petal_width": 0.2,
                        }
                    ]
                }
            ]
        },
    )

    instances: list[Flower] = Field(min_length=1, max_length=MAX_INSTANCES)

    def rows(self) -> NDArray[np.float64]:
        """The flowers as an array of shape (n, 4), columns in the order of FEATURES."""
        return np.array(
            [[getattr(flower, name) for name in FEATURES] for flower in self.instances],
            dtype=np.float64,
        )


class ModelInfo(BaseModel):
    """Which model answered."""

    name: str
    stage: str
    version: str
    sha256: str


class FlowerPrediction(BaseModel):
    """Most probable species, and the probability of each, 0 to 1."""

    species: str
    probabilities: dict[str, float]


class PredictResponse(BaseModel):
    """One prediction an instance, in the same order."""

    model: ModelInfo
    predictions: list[FlowerPrediction]


class Health(BaseModel):
    """State of the process."""

    status: str
