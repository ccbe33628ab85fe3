"""The process: ``iris-service``."""

import asyncio
import logging
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from iris_service.app import create_app
from iris_service.logs import configure_logging
from iris_service.model import ModelError
from iris_service.settings import Settings

_logger = logging.getLogger("iris_service.server")


class DrainingServer(uvicorn.Server):
    """A server that says that it is going before it goes.

    After the first signal /readyz answers 503 while requests are still served, so that whoever
    balances load has time to notice; a second signal stops at once.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, drain_seconds: float) -> None:
        super().__init__(config)
        self._readiness = app.state.readiness
        self._drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Called by uvicorn on SIGTERM and SIGINT, in place of its own handler.

        uvicorn's raises the signal again at the end; a stop that was asked for is a success here.
        """
        if self._readiness.draining:
            self.should_exit = self.force_exit = True
            return
        self._readiness.draining = True
        _logger.info("draining", extra={"signal": sig, "seconds": self._drain_seconds})
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, self._drain_seconds, self._finish)

    def _finish(self) -> None:
        self.should_exit = True


def make_server(settings: Settings) -> DrainingServer:
    """A server, not started yet. Raises ModelError."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    return DrainingServer(config, app, settings.drain_seconds)


def main() -> None:
    """Serves until SIGTERM or SIGINT; exits 2 when the settings or the model are not usable."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(_refuse(str(error)))
    configure_logging(settings.log_level)
    try:
        server = make_server(settings)
    except ModelError as error:
        sys.exit(_refuse(str(error)))
    _logger.info(
        "starting",
        extra={"model": settings.name, "stage": settings.stage, "version": settings.version},
    )
    server.run()


def _refuse(reason: str) -> int:
    print(f"iris-service cannot start: {reason}", file=sys.stderr)
    return 2
