"""The HTTP application."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from iris_service import __version__
from iris_service.metrics import Metrics
from iris_service.middleware import Observe
from iris_service.model import Model, load_model
from iris_service.schemas import (
    FlowerPrediction,
    Health,
    ModelInfo,
    PredictRequest,
    PredictResponse,
)
from iris_service.settings import Settings


class Readiness:
    """Whether the process wants new requests."""

    def __init__(self) -> None:
        self.draining = False


def create_app(settings: Settings | None = None, model: Model | None = None) -> FastAPI:
    """Builds the application around a loaded model; fails when the model cannot be loaded.

    settings: None reads them from the environment.
    model: None loads the one that the settings name.
    Raises ModelError, pydantic.ValidationError.
    """
    settings = settings or Settings()
    model = model or load_model(settings.model_path)
    info = ModelInfo(
        name=settings.name,
        stage=settings.stage,
        version=settings.version,
        sha256=model.card.sha256,
    )
    metrics = Metrics(info)
    readiness = Readiness()
    app = FastAPI(title="iris-service", version=__version__)
    app.state.readiness = readiness
    app.add_middleware(Observe, metrics=metrics)

    @app.exception_handler(RequestValidationError)
    async def reject(_request: Request, error: RequestValidationError) -> JSONResponse:
        # Without the input: NaN has no JSON, and nobody needs their own megabyte back.
        detail = [{key: one[key] for key in ("type", "loc", "msg")} for one in error.errors()]
        return JSONResponse({"detail": detail}, status_code=422)

    @app.get("/healthz")
    async def healthz() -> Health:
        """Whether the process is alive."""
        return Health(status="ok")

    @app.get("/readyz", responses={503: {"model": Health}})
    async def readyz() -> Response:
        """Whether the process wants requests; 503 while it shuts down."""
        if readiness.draining:
            return JSONResponse({"status": "draining"}, status_code=503)
        return JSONResponse({"status": "ready", "model": info.model_dump()})

    # Not async: the forest computes, so it belongs on a worker thread and off the event loop.
    @app.post("/predict")
    def predict(request: PredictRequest) -> PredictResponse:
        """Classifies up to 256 flowers."""
        predictions = model.predict(request.rows())
        for prediction in predictions:
            metrics.predictions.labels(prediction.species).inc()
        return PredictResponse(
            model=info,
            predictions=[
                FlowerPrediction(species=one.species, probabilities=one.probabilities)
                for one in predictions
            ],
        )

    @app.get("/metrics", include_in_schema=False)
    async def render_metrics() -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return app
