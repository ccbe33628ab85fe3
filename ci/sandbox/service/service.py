"""A service with the iris service's interface, out of the standard library alone, with faults to choose.

Environment: RELEASE names it; see ../service.ts for the variables that make it misbehave.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
SPECIES = ("setosa", "versicolor", "virginica")
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
PROBES = ("/healthz", "/readyz", "/metrics")


def number(name: str, default: float = 0) -> float:
    return float(os.environ.get(name) or default)


RELEASE = os.environ.get("RELEASE", "v1")
ERRORS = number("ERRORS")
LATENCY = number("LATENCY_MS") / 1000
LOG_LINES = int(number("LOG_LINES", 1))
MODEL = {
    "name": os.environ.get("MODEL_REGISTRY_NAME", "iris-random-forest"),
    "stage": os.environ.get("MODEL_STAGE", "production"),
    "version": os.environ.get("MODEL_VERSION", "1"),
    "sha256": "0" * 64,
}


class State:
    """What all requests share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.draining = False
        self.under_way = 0
        self.due = 0.0
        self.requests: dict[tuple[str, str, int], int] = {}
        self.times: dict[tuple[str, str], list[float]] = {}
        self.predicted = dict.fromkeys(SPECIES, 0)

    def fails(self) -> bool:
        """Whether this request is one of the share that fails; evenly spread, so that tests agree."""
        with self.lock:
            self.due += ERRORS
            if self.due < 1:
                return False
            self.due -= 1
            return True

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        with self.lock:
            key = (method, route, status)
            self.requests[key] = self.requests.get(key, 0) + 1
            row = self.times.setdefault((method, route), [0.0] * (len(BUCKETS) + 2))
            for index, bound in enumerate(BUCKETS):
                row[index] += seconds <= bound
            row[-2] += 1
            row[-1] += seconds

    def render(self) -> str:
        with self.lock:
            lines = ["# TYPE http_requests_total counter"]
            for (method, route, status), count in self.requests.items():
                labels = f'method="{method}",route="{route}",status="{status}"'
                lines.append(f"http_requests_total{{{labels}}} {count}")
            lines.append("# TYPE http_request_duration_seconds histogram")
            for (method, route), row in self.times.items():
                labels = f'method="{method}",route="{route}"'
                name = "http_request_duration_seconds"
                for bound, count in zip((*map(str, BUCKETS), "+Inf"), row[:-1], strict=True):
                    lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {count:.0f}')
                lines.append(f"{name}_sum{{{labels}}} {row[-1]}")
                lines.append(f"{name}_count{{{labels}}} {row[-2]:.0f}")
            lines.append("# TYPE iris_predictions_total counter")
            for species, count in self.predicted.items():
                lines.append(f'iris_predictions_total{{species="{species}"}} {count}')
            labels = ",".join(f'{name}="{value}"' for name, value in MODEL.items())
            lines += ["# TYPE model_info gauge", f"model_info{{{labels}}} 1"]
            return "\n".join(lines) + "\n"


STATE = State()


class BadRequest(Exception):
    pass


def classify(flower: object) -> str:
    if not isinstance(flower, dict) or set(flower) != set(FEATURES):
        raise BadRequest(f"a flower has {', '.join(FEATURES)}")
    for name in FEATURES:
        value = flower[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 30:
            raise BadRequest(f"{name} is a length in centimetres, up to 30")
    if flower["petal_length"] < 2.5:
        return "setosa"
    wide = flower["petal_width"] >= 1.75
    if os.environ.get("PREDICTS") == "differently":
        wide = not wide
    return "virginica" if wide else "versicolor"


def predict(body: bytes) -> dict[str, object]:
    try:
        given = json.loads(body)
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error
    instances = given.get("instances") if isinstance(given, dict) else None
    if not isinstance(instances, list) or not 1 <= len(instances) <= 256:
        raise BadRequest("instances is a list of 1 to 256 flowers")
    found = [classify(flower) for flower in instances]
    with STATE.lock:
        for species in found:
            STATE.predicted[species] += 1
    predictions = [
        {"species": species, "probabilities": {each: float(each == species) for each in SPECIES}}
        for species in found
    ]
    return {"model": MODEL, "predictions": predictions}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer go out together: otherwise the second waits for the first's receipt.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 120

    def do_GET(self) -> None:
        self.handle_one(b"")

    def do_POST(self) -> None:
        self.handle_one(self.rfile.read(int(self.headers.get("content-length") or 0)))

    def handle_one(self, body: bytes) -> None:
        began = time.perf_counter()
        with STATE.lock:
            STATE.under_way += 1
        try:
            status, answer = self.answer(body)
            self.respond(status, answer)
            route = self.path if status != 404 else "unmatched"
            STATE.observe(self.command, route, status, time.perf_counter() - began)
            if self.path not in PROBES:
                self.log(status, time.perf_counter() - began)
        finally:
            with STATE.lock:
                STATE.under_way -= 1

    def answer(self, body: bytes) -> tuple[int, object]:
        match self.command, self.path:
            case "GET", "/healthz":
                return 200, {"status": "ok"}
            case "GET", "/readyz":
                if STATE.draining:
                    return 503, {"status": "draining"}
                if os.environ.get("NEVER_READY"):
                    return 503, {"status": "not ready: the model is not loaded"}
                return 200, {"status": "ready", "model": MODEL}
            case "GET", "/version":
                return 200, {"release": RELEASE, "model": MODEL}
            case "GET", "/metrics":
                return 200, STATE.render()
            case "POST", "/predict":
                time.sleep(LATENCY)
                if STATE.fails():
                    return 500, {"detail": "this release fails on purpose"}
                try:
                    return 200, predict(body)
                except BadRequest as error:
                    return 422, {"detail": str(error)}
        return 404, {"detail": "Not Found"}

    def respond(self, status: int, answer: object) -> None:
        text = isinstance(answer, str)
        content = (str(answer) if text else json.dumps(answer)).encode()
        self.send_response(status)
        kind = "text/plain; version=0.0.4" if text else "application/json"
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.send_header("x-release", RELEASE)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log(self, status: int, seconds: float) -> None:
        entry = {
            "level": "error" if status >= 500 else "info",
            "message": "request",
            "method": self.command,
            "path": self.path,
            "status": status,
            "milliseconds": round(seconds * 1000, 3),
        }
        print((json.dumps(entry) + "\n") * LOG_LINES, end="", flush=True)

    def log_message(self, *_: object) -> None:
        """The server's own log; it has one line a request too."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # Five by default: a burst of new connections would be refused.
    request_queue_size = 1024


def serve() -> None:
    server = Server(("0.0.0.0", int(number("PORT", 8000))), Handler)
    stopped = threading.Event()

    def finish() -> None:
        # Requests are answered as before while whoever balances load notices that this one goes.
        time.sleep(number("DRAIN_SECONDS", 1))
        server.shutdown()
        end = time.monotonic() + number("SHUTDOWN_SECONDS", 20)
        while STATE.under_way > 0 and time.monotonic() < end:
            time.sleep(0.01)
        stopped.set()

    def drain(*_: object) -> None:
        if not STATE.draining:
            STATE.draining = True
            threading.Thread(target=finish).start()

    signal.signal(signal.SIGTERM, drain)
    signal.signal(signal.SIGINT, drain)
    if after := number("EXIT_AFTER"):
        threading.Timer(after, leave).start()
    print(json.dumps({"level": "info", "message": "starting", "release": RELEASE}), flush=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    stopped.wait()


def leave() -> None:
    print(json.dumps({"level": "error", "message": "the model's memory is gone"}), flush=True)
    os._exit(7)


def main() -> None:
    if os.environ.get("CRASH"):
        sys.exit("iris-service cannot start: the model file is damaged")
    time.sleep(number("START_DELAY"))
    serve()


main()
