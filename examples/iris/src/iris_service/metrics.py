"""What Prometheus scrapes."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from iris_service.schemas import ModelInfo

# A prediction takes a few milliseconds; the default buckets begin at five.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self, model: ModelInfo) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests_total",
            "Requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time to answer a request",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.predictions = Counter(
            "iris_predictions_total", "Flowers classified", ["species"], registry=self.registry
        )
        info = Gauge(
            "model_info",
            "The model that is served; always 1",
            ["name", "stage", "version", "sha256"],
            registry=self.registry,
        )
        info.labels(model.name, model.stage, model.version, model.sha256).set(1)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answered request."""
        self.requests.labels(method, route, str(status)).inc()
        self.duration.labels(method, route).observe(seconds)

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
