"""Runs one tool and records how it went: bounded output, when and how long, a hard time limit.

    run.py --out FOLDER --timeout SECONDS [--keep BYTES] [--secret NAME]... -- COMMAND...

Leaves in FOLDER what the module reads: `run.json` (exit code, start, duration, sizes, and which tests ran
when the time was up), `stdout.txt` and `stderr.txt`. A stream of more than BYTES is kept in its first
and last halves. A secret's file, /run/secrets/NAME, becomes the environment variable NAME of the
command alone. Standard library only: it runs on the Python of whatever base image is configured.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

TIMEOUT_EXIT_CODE = 124
NOT_STARTED_EXIT_CODE = 127
GRACE_SECONDS = 5


class Stream:
    """The first and the last part of a stream, copied to `echo` as far as it is kept."""

    def __init__(self, keep, echo):
        self.keep = keep
        self.echo = echo
        self.head = bytearray()
        self.tail = bytearray()
        self.size = 0

    def read(self, pipe):
        while chunk := pipe.read1(65536):
            self.size += len(chunk)
            room = self.keep // 2 - len(self.head)
            if room > 0:
                self.head += chunk[:room]
                self.show(chunk[:room])
                chunk = chunk[room:]
            self.tail += chunk
            # Cut now and then, not for every chunk: each cut moves the whole tail.
            if len(self.tail) > 2 * self.keep:
                del self.tail[: -self.keep // 2]

    def show(self, data):
        self.echo.write(data)
        self.echo.flush()

    def text(self):
        tail = bytes(self.tail[-(self.keep // 2) :])
        left_out = self.size - len(self.head) - len(tail)
        notice = f"\n… {left_out} bytes of output left out …\n".encode() if left_out > 0 else b""
        rest = notice + tail
        self.show(rest)
        return (bytes(self.head) + rest).decode("utf-8", "replace")


def running_tests(folder):
    """Node id and process of every test that began and did not end (see slipway_watch.py)."""
    found = []
    for path in sorted(Path(folder).glob("*.json")):
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue  # It ended between the listing and the reading.
    return found


def send(number, process=None, group=None):
    try:
        if process is not None:
            os.kill(process, number)
        if group is not None:
            os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        pass


def stop(child, running):
    """Lets hanging tests print where they hang (faulthandler), then ends the whole group.

    pytest-xdist counts an aborted test as failed; if no other test hangs, it still writes its report.
    """
    for test in running:
        send(signal.SIGABRT, process=test["pid"])
    for number in ([0] if running else []) + [signal.SIGTERM]:
        send(number, group=child.pid)
        try:
            child.wait(GRACE_SECONDS)
            break
        except subprocess.TimeoutExpired:
            pass
    send(signal.SIGKILL, group=child.pid)
    child.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--timeout", type=float, required=True)
    parser.add_argument("--keep", type=int, default=256 * 1024)
    parser.add_argument("--secret", action="append", default=[])
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    watched = out / "running"
    watched.mkdir(exist_ok=True)

    streams = [Stream(options.keep, sys.stdout.buffer), Stream(options.keep, sys.stderr.buffer)]
    environment = {**os.environ, "SLIPWAY_RUNNING": str(watched)}
    for name in options.secret:
        environment[name] = Path("/run/secrets", name).read_text(encoding="utf-8").strip()
    began = time.monotonic()
    try:
        child = subprocess.Popen(
            options.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=environment,
        )
    except OSError as error:
        sys.stderr.write(f"{options.command[0]}: {error.strerror}\n")
        result = {"exitCode": NOT_STARTED_EXIT_CODE, "timedOut": False, "running": []}
        streams[1].head += f"{options.command[0]}: {error.strerror}\n".encode()
        return finish(out, result, began, streams)

    pipes = [child.stdout, child.stderr]
    readers = [
        threading.Thread(target=stream.read, args=(pipe,), daemon=True)
        for stream, pipe in zip(streams, pipes)
    ]
    for reader in readers:
        reader.start()
    timed_out = False
    running = []
    try:
        code = child.wait(options.timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
        running = running_tests(watched)
        stop(child, running)
        code = TIMEOUT_EXIT_CODE
    # What the tool left behind would keep the pipes open, and this process waiting.
    send(signal.SIGKILL, group=child.pid)
    for reader in readers:
        reader.join(GRACE_SECONDS)
    result = {
        "exitCode": code if code >= 0 else 128 - code,
        "timedOut": timed_out,
        "running": [test["test"] for test in running],
    }
    return finish(out, result, began, streams)


def finish(out, result, began, streams):
    took = time.monotonic() - began
    result["durationMs"] = round(took * 1000)
    result["startedAt"] = datetime.fromtimestamp(time.time() - took, timezone.utc).isoformat()
    for name, stream in zip(["stdout", "stderr"], streams):
        (out / f"{name}.txt").write_text(stream.text(), encoding="utf-8")
        result[f"{name}Bytes"] = stream.size
    shutil.rmtree(out / "running", ignore_errors=True)
    result["files"] = {
        str(path.relative_to(out)): path.stat().st_size for path in out.rglob("*") if path.is_file()
    }
    (out / "run.json").write_text(json.dumps(result), encoding="utf-8")
    # Dagger takes 128 to 191 for the death of its own process; run.json has the real number.
    return min(result["exitCode"], 125)


if __name__ == "__main__":
    sys.exit(main())
