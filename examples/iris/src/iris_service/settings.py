"""Everything that the environment decides."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

# Names end up in metric labels, logs and image labels, so they stay plain.
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"


class Settings(BaseSettings):
    """Settings of one process, each read from the variable named like the field, in capitals."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, populate_by_name=True, protected_namespaces=()
    )

    name: str = Field(
        default="iris-random-forest", validation_alias="MODEL_REGISTRY_NAME", pattern=_NAME
    )
    """Name of the model in the registry."""

    stage: str = Field(default="production", validation_alias="MODEL_STAGE", pattern=_NAME)
    """Stage (or alias) that the model is served for."""

    version: str = Field(default="unregistered", validation_alias="MODEL_VERSION", pattern=_NAME)
    """Version in the registry; ``unregistered`` when the model came with the package."""

    model_path: Path | None = None
    """Model file to serve, with its card beside it; None means the one in the package."""

    # A container has to listen on all of its own interfaces to be reached.
    host: str = "0.0.0.0"  # noqa: S104  # nosec B104
    """Address to listen on."""

    port: int = Field(default=8000, ge=0, le=65535)
    """TCP port to listen on; 0 takes a free one."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""

    drain_seconds: float = Field(default=1.0, ge=0, le=60)
    """Time between SIGTERM and closing the port, in which /readyz already answers 503."""

    shutdown_seconds: int = Field(default=20, ge=1, le=300)
    """Time that requests under way get to finish, after the port was closed."""
