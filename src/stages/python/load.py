"""Looks at a canary: sends the same requests to it and to stable, asks for metrics, sees the pods.

    load.py SCRIPT OUT

SCRIPT is k6's. Standard input is JSON: {"namespace", "port", "selector", "label", "tracks": {"canary": value of that
label, "stable": value, or left out}, "asked": [{"query", "track", "url", "token": whether it goes along}], "warmup":
seconds, "polls": [seconds], "end": seconds after which nothing is asked, "limit": seconds, "k6": its plan}.
Leaves in OUT requests.log, a line a request, and observation.json, which the module judges; here nothing is. Standard
library only.
"""

import json
import os
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

from cluster import Cluster
from forwards import Unreachable, Ways, pods
from proxy import Proxy


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age():
    """Seconds since this process was started, before any of it was loaded."""
    with open("/proc/self/stat", encoding="utf-8") as stat:
        # The name of the program, in parentheses, may hold anything.
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def poll(specification, samples, ended, spent):
    """Asks each query at each time; all of them together, so that canary and stable are seen at once."""
    if not specification["asked"]:
        return
    began, end = time.monotonic() - spent, specification["end"]
    # What speaks to a server takes a while to load, and mostly there is none to ask.
    from metrics import ask, unanswered

    for at in specification["polls"]:
        # Slow answers put the next question off: what is told after the requests is not about them.
        if ended.wait(max(0, began + at - time.monotonic())) or time.monotonic() - began >= end:
            return
        # Whatever ends a thread, its query was asked and not answered.
        answers = [unanswered(asked) for asked in specification["asked"]]

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


def run_k6(script, specification, out, ways, spent):
    limit = specification["limit"]
    plan, given, summary = out / "plan.json", out / "ways.json", out / "crossed.json"
    plan.write_text(json.dumps(specification["k6"]), encoding="utf-8")
    given.write_text(json.dumps(ways), encoding="utf-8")
    environment = {
        "SLIPWAY_PLAN": str(plan),
        "SLIPWAY_WAYS": str(given),
        "SLIPWAY_SPENT": str(spent),
        "SLIPWAY_SUMMARY": str(summary),
    }
    command = [
        *("k6", "run", "--quiet", "--no-color", "--log-format=raw"),
        *("--no-usage-report", "--address=", f"--console-output={out / 'requests.log'}"),
        *(f"--env={name}={value}" for name, value in environment.items()),
        script,
    ]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        code, said = ran.returncode, ran.stderr
    except subprocess.TimeoutExpired:
        code, said = 124, f"k6 was ended after {limit} s"
    crossed = json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else []
    return {"exitCode": code, "said": said[-4000:], "crossed": crossed}


def pods_of(cluster, specification):
    found = pods(cluster, specification["selector"], specification["label"])
    return {
        track: [pod for pod in found if pod["label"] == value]
        for track, value in specification["tracks"].items()
    }


def look(cluster, specification, script, out, result):
    ways = Ways(specification["namespace"])
    result["breaks"] = ways.breaks
    ended = threading.Event()
    try:
        before = pods_of(cluster, specification)
        result["pods"] = {track: {"before": each, "after": None} for track, each in before.items()}
        opened = ways.open(before, specification["port"])
        shut = [track for track, each in opened.items() if not each]
        # A pod that is not ready is told by the pods; a way that does not open is not its fault.
        if any(pod["ready"] for track in shut for pod in before[track]):
            said = next((way.said for way in ways.ways if way.said), "no answer")
            raise Unreachable(f"kubectl port-forward did not reach the pods: {said}")
        if not shut:
            # A quick start is part of the warm-up; of a slow one half is left to warm up in.
            spent = round(min(age(), specification["warmup"] / 2), 2)
            watch = threading.Thread(
                target=poll, args=(specification, result["samples"], ended, spent), daemon=True
            )
            watch.start()
            result["k6"] = run_k6(script, specification, out, opened, spent)
            ended.set()
            watch.join()
        else:
            names = ", ".join(shut)
            result["problem"] = f"no pod of {names} is ready, so no request was made"
        for track, after in pods_of(cluster, specification).items():
            result["pods"][track]["after"] = after
    except Unreachable as error:
        result["problem"] = f"the cluster could not be asked: {error}"
    finally:
        ended.set()
        ways.close()


def main(proxy, arguments):
    script, out = arguments[0], Path(arguments[1])
    specification = json.load(sys.stdin)
    result = {
        "startedAt": now(),
        "problem": "",
        "pods": None,
        "breaks": [],
        "k6": None,
        "samples": [],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "requests.log").touch()
    cluster = Cluster(specification["namespace"], proxy)
    try:
        look(cluster, specification, script, out, result)
    finally:
        proxy.close()
    result["finishedAt"] = now()
    (out / "observation.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Proxy(), sys.argv[1:])
