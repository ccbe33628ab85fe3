"""Shared by all tests.

With pytest-xdist the process that hands out the tests reads this file too, and runs none: what
takes seconds to import is imported by the fixtures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from iris_service.model import Model
    from iris_service.training import DataSet

# Deadlines measure the machine, not the code; a fixed seed makes a failure come again.
settings.register_profile(
    "fixed",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("fixed")

_VARIABLES = (
    "MODEL_REGISTRY_NAME",
    "MODEL_STAGE",
    "MODEL_VERSION",
    "MODEL_PATH",
    "HOST",
    "PORT",
    "LOG_LEVEL",
    "DRAIN_SECONDS",
    "SHUTDOWN_SECONDS",
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the machine that runs the tests don't reach them."""
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Keeps BLAS and OpenMP to one thread: processes of xdist are what runs in parallel."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def data() -> DataSet:
    """The 150 flowers."""
    from iris_service.training import load_data

    return load_data()


@pytest.fixture(scope="session")
def model() -> Model:
    """The model in the package."""
    from iris_service.model import load_model

    return load_model()


@pytest.fixture
def app(model: Model) -> FastAPI:
    """An application with metrics of its own."""
    from iris_service.app import create_app
    from iris_service.settings import Settings

    return create_app(Settings(version="7"), model)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the application, without a socket."""
    from fastapi.testclient import TestClient

    with TestClient(app) as connected:
        yield connected
