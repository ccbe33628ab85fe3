"""Looks at a canary: sends the same requests to it and to stable, asks for metrics, sees the pods.

    load.py SPECIFICATION OUT

SPECIFICATION is JSON: {"namespace", "port", "tracks": {"canary": selector, "stable": selector or left out},
"asked": [{"query", "track", "url"}], "polls": [seconds], "limit": seconds}; beside it lie plan.json and load.js,
for k6. Leaves in OUT requests.log, a line a request, and observation.json, which the module judges; here
nothing is. The token in /run/secrets/metrics, if it is there, goes with each query. Standard library only.
"""

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

from forwards import Unreachable, Ways, pods

TOKEN = Path("/run/secrets/metrics")
ANSWER_SECONDS = 10
LONGEST_ANSWER = 1 << 20


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token would go along, to whoever is named there."""

    def redirect_request(self, *_):
        return None


METRICS = urllib.request.build_opener(_Straight)


def ask(one):
    """One answer of a metrics server, or why there is none."""
    headers = {"Accept": "application/json"}
    if TOKEN.exists():
        headers["Authorization"] = f"Bearer {TOKEN.read_text(encoding='utf-8').strip()}"
    sample = {"query": one["query"], "track": one["track"], "status": 0, "body": "", "error": ""}
    try:
        request = urllib.request.Request(one["url"], headers=headers)
        with METRICS.open(request, timeout=ANSWER_SECONDS) as answer:
            sample["status"] = answer.status
            sample["body"] = answer.read(LONGEST_ANSWER).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        sample["status"] = error.code
        sample["body"] = error.read(2000).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        sample["error"] = str(getattr(error, "reason", error)) or type(error).__name__
    return sample


def poll(specification, samples, ended):
    """Asks each query at each time; all of them together, so that canary and stable are seen at once."""
    began = time.monotonic()
    for at in specification["polls"]:
        if ended.wait(max(0, began + at - time.monotonic())):
            return
        answers = [None] * len(specification["asked"])

        def one(index, asked, answers=answers):
            answers[index] = ask(asked)

        threads = [
            threading.Thread(target=one, args=each, daemon=True)
            for each in enumerate(specification["asked"])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        samples.extend(answers)


def run_k6(folder, out, ways, limit):
    (out / "ways.json").write_text(json.dumps(ways), encoding="utf-8")
    summary = out / "crossed.json"
    environment = {
        "SLIPWAY_PLAN": str(folder / "plan.json"),
        "SLIPWAY_WAYS": str(out / "ways.json"),
        "SLIPWAY_SUMMARY": str(summary),
    }
    command = [
        *("k6", "run", "--quiet", "--no-color", "--log-format=raw"),
        *("--no-usage-report", "--address=", f"--console-output={out / 'requests.log'}"),
        *(f"--env={name}={value}" for name, value in environment.items()),
        str(folder / "load.js"),
    ]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        code, said = ran.returncode, ran.stderr
    except subprocess.TimeoutExpired:
        code, said = 124, f"k6 was ended after {limit} s"
    crossed = json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else []
    return {"exitCode": code, "said": said[-4000:], "crossed": crossed}


def pods_of(namespace, tracks):
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda selector: pods(namespace, selector), tracks.values())
        return dict(zip(tracks, found))


def look(specification, folder, out, result):
    namespace = specification["namespace"]
    tracks = specification["tracks"]
    ways = Ways(namespace)
    result["breaks"] = ways.breaks
    ended = threading.Event()
    try:
        before = pods_of(namespace, tracks)
        result["pods"] = {track: {"before": each, "after": None} for track, each in before.items()}
        opened = {track: ways.open(each, specification["port"]) for track, each in before.items()}
        shut = [track for track, each in opened.items() if not each]
        # A pod that is not ready is told by the pods; a way that does not open is not its fault.
        if any(pod["ready"] for track in shut for pod in before[track]):
            said = next((way.said for way in ways.ways if way.said), "no answer")
            raise Unreachable(f"kubectl port-forward did not reach the pods: {said}")
        if not shut:
            watch = threading.Thread(
                target=poll, args=(specification, result["samples"], ended), daemon=True
            )
            watch.start()
            result["k6"] = run_k6(folder, out, opened, specification["limit"])
            # A run that was ended early needs no more of them.
            if result["k6"]["exitCode"] not in (0, 99) or is_early(result["k6"]):
                ended.set()
            watch.join()
        else:
            names = ", ".join(shut)
            result["problem"] = f"no pod of {names} is ready, so no request was made"
        for track, after in pods_of(namespace, tracks).items():
            result["pods"][track]["after"] = after
    except Unreachable as error:
        result["problem"] = f"the cluster could not be asked: {error}"
    finally:
        ended.set()
        ways.close()


def is_early(k6):
    return any("canary-compare" in one for one in k6["crossed"])


def main():
    file, out = Path(sys.argv[1]), Path(sys.argv[2])
    specification = json.loads(file.read_text(encoding="utf-8"))
    result = {
        "startedAt": now(),
        "problem": "",
        "pods": None,
        "breaks": [],
        "k6": None,
        "samples": [],
    }
    (out / "requests.log").touch()
    look(specification, file.parent, out, result)
    result["finishedAt"] = now()
    (out / "observation.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
