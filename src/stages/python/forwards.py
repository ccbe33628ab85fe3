"""Ways to the pods of a version: `kubectl port-forward` to each, made again when it breaks.

Imported by load.py, smoke.py and tunnel.py. Standard library only.
"""

import json
import re
import subprocess
import threading
import time
from urllib.parse import quote

from cluster import ask

# More pods than this of one version share the requests no better.
MOST_PODS = 4
OPENING_SECONDS = 15
CALL_SECONDS = 20
# What kubectl said longer ago is not why it ended: connections came and went since.
RECENT_SECONDS = 2
# A pod that has ended, or is deleted, does not come back under its name.
ENDED = re.compile(r"pods \S+ not found|Current status=(Failed|Succeeded)")


class Unreachable(Exception):
    """The cluster did not answer, or not what was asked."""


def pods(cluster, selector, label=""):
    """What counts of each pod, and its value of a label; those that are ending or have ended are left out."""
    path = f"/api/v1/namespaces/{cluster.namespace}/pods?labelSelector={quote(selector)}"
    code, text, said = ask(cluster, {"all": [path]}, CALL_SECONDS)
    if code != 0:
        raise Unreachable(said.strip()[-2000:])
    return [
        {**described(pod), "label": pod["metadata"].get("labels", {}).get(label)}
        for pod in json.loads(text)["items"]
        if is_there(pod)
    ]


def is_there(pod):
    ended = pod.get("status", {}).get("phase") in ("Failed", "Succeeded")
    return not ended and "deletionTimestamp" not in pod["metadata"]


def described(pod):
    status = pod.get("status", {})
    containers = status.get("containerStatuses", [])
    ready = any(
        one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", [])
    )
    reasons = [
        state["reason"]
        for container in containers
        for state in [
            *container.get("state", {}).values(),
            *container.get("lastState", {}).values(),
        ]
        if state.get("reason")
    ]
    return {
        "name": pod["metadata"]["name"],
        "uid": pod["metadata"]["uid"],
        "ready": ready,
        "restarts": sum(container.get("restartCount", 0) for container in containers),
        "reason": reasons[0] if reasons else status.get("reason", ""),
    }


def ready(found):
    return [pod for pod in found if pod["ready"]][:MOST_PODS]


class Way:
    """One `kubectl port-forward`, on the same local port each time it is made again."""

    def __init__(self, number, namespace, pod, port, broke, address="127.0.0.1", local=0):
        self.number = number
        self.port = local
        self.said = ""
        self.namespace = namespace
        self.pod = pod
        self.remote = port
        self.broke = broke
        self.address = address
        self.opened = threading.Event()
        self.ended = threading.Event()
        self.process = None
        self.lock = threading.Lock()
        threading.Thread(target=self.keep, daemon=True).start()

    def keep(self):
        while not self.ended.is_set():
            said = self.once()
            if self.ended.is_set():
                return
            self.said = said
            self.broke({"way": self.number, "at": round(time.time() * 1000), "said": said[-1000:]})
            if ENDED.search(said):
                return
            time.sleep(0.2)

    def once(self):
        with self.lock:
            if self.ended.is_set():
                return ""
            self.process = subprocess.Popen(
                [
                    *("kubectl", f"--namespace={self.namespace}", "port-forward"),
                    *(f"--address={self.address}", f"pod/{self.pod}"),
                    f"{self.port or ''}:{self.remote}",
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        process = self.process
        errors = []
        reader = threading.Thread(
            target=lambda: errors.extend((time.monotonic(), line) for line in process.stderr),
            daemon=True,
        )
        reader.start()
        for line in process.stdout:
            found = re.match(r"Forwarding from \S+:(\d+) ->", line)
            if found:
                self.port = int(found[1])
                self.opened.set()
        process.wait()
        since = time.monotonic() - RECENT_SECONDS
        reader.join(1)
        said = "".join(line for at, line in errors if at > since).strip()
        return said or f"kubectl exited with {process.returncode}"

    def close(self):
        self.ended.set()
        with self.lock:
            if self.process is not None:
                self.process.kill()


class Ways:
    """Ways to the ready pods of several versions; `breaks` says when one broke, and why."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.breaks = []
        self.ways = []

    def open(self, found, port):
        """Opens a way to each ready pod of each version, all at once; those that opened, with `way` and `port`."""
        begun = {
            version: [self.begin(pod["name"], port) for pod in ready(pods)]
            for version, pods in found.items()
        }
        until = time.monotonic() + OPENING_SECONDS
        for way in self.ways:
            way.opened.wait(max(0, until - time.monotonic()))
        return {
            version: [
                {"way": way.number, "port": way.port, "pod": way.pod}
                for way in ways
                if way.opened.is_set()
            ]
            for version, ways in begun.items()
        }

    def begin(self, pod, port):
        way = Way(len(self.ways), self.namespace, pod, port, self.breaks.append)
        self.ways.append(way)
        return way

    def close(self):
        for way in self.ways:
            way.close()
