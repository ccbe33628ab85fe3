"""Settings from the environment."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from pydantic import ValidationError

from iris_service.settings import Settings


def test_works_without_any_variable() -> None:
    settings = Settings()
    assert settings.name == "iris-random-forest"
    assert settings.stage == "production"
    assert settings.version == "unregistered"
    assert settings.model_path is None
    assert settings.port == 8000
    # In a container nothing else would be reachable from outside.
    assert ip_address(settings.host).is_unspecified


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("MODEL_REGISTRY_NAME", "iris-boosted", "name", "iris-boosted"),
        ("MODEL_STAGE", "staging", "stage", "staging"),
        ("MODEL_VERSION", "42", "version", "42"),
        ("MODEL_PATH", "/models/iris.skops", "model_path", Path("/models/iris.skops")),
        ("HOST", "::", "host", "::"),
        ("PORT", "9000", "port", 9000),
        ("LOG_LEVEL", "debug", "log_level", "debug"),
        ("DRAIN_SECONDS", "2.5", "drain_seconds", 2.5),
        ("SHUTDOWN_SECONDS", "5", "shutdown_seconds", 5),
    ],
)
def test_reads_a_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, field: str, value: object
) -> None:
    monkeypatch.setenv(variable, text)
    assert getattr(Settings(), field) == value


@pytest.mark.parametrize("variable", ["MODEL_REGISTRY_NAME", "MODEL_STAGE", "MODEL_VERSION"])
def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "")
    assert Settings() == Settings(
        name="iris-random-forest", stage="production", version="unregistered"
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("MODEL_REGISTRY_NAME", "a b"),
        ("MODEL_REGISTRY_NAME", "-a"),
        ("MODEL_STAGE", "x" * 129),
        ("MODEL_VERSION", 'a"b'),
        ("PORT", "70000"),
        ("PORT", "tcp://10.0.0.1:80"),
        ("LOG_LEVEL", "loud"),
        ("DRAIN_SECONDS", "-1"),
        ("SHUTDOWN_SECONDS", "0"),
    ],
)
def test_rejects_a_variable(monkeypatch: pytest.MonkeyPatch, variable: str, text: str) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(ValidationError):
        Settings()


def test_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.port = 1
