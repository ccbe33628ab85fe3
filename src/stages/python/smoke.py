"""Sends a few requests to each pod of a canary and holds the answers to what is expected.

    smoke.py OUT

Standard input is JSON: {"namespace", "selector", "port", "host", "retries",
"requests": [{"method", "path", "body", "status", "contains"}]}. A request that is not answered as expected is
tried again, a second later. Leaves smoke.json in OUT. Standard library only.
"""

import json
import sys
import time
import urllib.request
from pathlib import Path

from answers import BROKEN, answer_of, reason_of, whole
from cluster import Cluster
from forwards import Unreachable, Ways, pods
from proxy import Proxy

ANSWER_SECONDS = 10
LONGEST_ANSWER = 1 << 20
PAUSE = 1
# Seconds for a pod to become ready, which it was a moment ago.
PATIENCE = 15


class Unchanged(urllib.request.HTTPRedirectHandler):
    """A redirect is the answer: where it points to is not the pod."""

    def redirect_request(self, *_):
        return None


# Without the machine's proxy: what is asked for is on the loopback.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), Unchanged)


def once(way, host, request):
    """Status (0 without an answer), and what is wrong with the answer; empty when nothing is."""
    body = request.get("body")
    headers = {"Host": host, "User-Agent": "slipway-smoke"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        sent = urllib.request.Request(
            f"http://127.0.0.1:{way['port']}{request['path']}",
            data=None if body is None else body.encode(),
            headers=headers,
            method=request["method"],
        )
        with answer_of(OPENER, sent, ANSWER_SECONDS) as answer:
            status, text = answer.code, whole(answer, LONGEST_ANSWER)
    except BROKEN as error:
        return 0, f"no answer: {reason_of(error)}"
    text = text.decode("utf-8", "replace")
    if status != request["status"]:
        return status, f"status {status}, expected {request['status']}: {text[:200]}"
    wanted = request.get("contains")
    if wanted is not None and wanted not in text:
        return status, f"the answer does not hold {wanted!r}: {text[:200]}"
    return status, ""


def attempt(way, specification, request):
    for tries in range(1, specification["retries"] + 2):
        began = time.monotonic()
        status, why = once(way, specification["host"], request)
        took = time.monotonic() - began
        if why == "":
            break
        if tries <= specification["retries"]:
            time.sleep(PAUSE)
    return {
        "pod": way["pod"],
        "request": f"{request['method']} {request['path']}",
        "status": status,
        "ms": round(took * 1000, 1),
        "tries": tries,
        "ok": why == "",
        "why": why,
    }


def ready_pods(cluster, specification):
    until = time.monotonic() + PATIENCE
    while True:
        found = pods(cluster, specification["selector"])
        if any(pod["ready"] for pod in found):
            return found
        if time.monotonic() > until:
            names = ", ".join(f"{pod['name']} {pod['reason']}".strip() for pod in found)
            raise Unreachable(f"no pod of the canary is ready ({names or 'there is none'})")
        time.sleep(PAUSE)


def main(proxy, arguments):
    out = Path(arguments[0])
    specification = json.load(sys.stdin)
    namespace = specification["namespace"]
    cluster, ways = Cluster(namespace, proxy), Ways(namespace)
    result = {"problem": "", "results": []}
    try:
        found = {"canary": ready_pods(cluster, specification)}
        opened = ways.open(found, specification["port"])["canary"]
        if not opened:
            said = next((way.said for way in ways.ways if way.said), "no answer")
            raise Unreachable(f"kubectl port-forward did not reach the pods: {said}")
        result["results"] = [
            attempt(way, specification, request)
            for way in opened
            for request in specification["requests"]
        ]
    except Unreachable as error:
        result["problem"] = str(error)
    finally:
        ways.close()
        proxy.close()
    out.mkdir(parents=True, exist_ok=True)
    (out / "smoke.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Proxy(), sys.argv[1:])
