"""Asks a program several things in one execution.

    requests.py [--at-once] FILE

FILE holds a list of {"args": [...], "input": text or null, "secrets": {NAME: file}, "needs": bool,
"retry": {"seconds": n, "pattern": regex}, "changed": {"seconds": n, "from": SHA-256}}. They run one after the other; after one that failed, those that need it ("needs": true) are left out. With --at-once
they run side by side, whatever becomes of the others. The secrets are environment variables of the command
alone. A request with "retry" is repeated for so many seconds as long as it fails with standard error of that
pattern; one with "changed" until its output differs from what had that digest, at most so long. Prints a list
with {"exitCode", "stdout", "stderr", "tries"} or null for each. Standard library only.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


# Seconds between two tries.
PAUSE = 0.5


def ask(request):
    retry = request.get("retry") or {}
    changed = request.get("changed") or {}
    began = time.monotonic()
    tries = 0
    while True:
        answer = once(request)
        tries += 1
        answer["tries"] = tries
        passed = time.monotonic() - began
        if answer["exitCode"] != 0:
            again = "pattern" in retry and re.search(retry["pattern"], answer["stderr"])
            if not again or passed >= retry["seconds"]:
                return answer
        elif not changed or passed >= changed["seconds"]:
            return answer
        elif hashlib.sha256(answer["stdout"].encode()).hexdigest() != changed["from"]:
            return answer
        time.sleep(PAUSE)


def once(request):
    secrets = request.get("secrets") or {}
    own = {name: Path(file).read_text(encoding="utf-8").strip() for name, file in secrets.items()}
    ran = subprocess.run(
        request["args"],
        input=(request.get("input") or "").encode(),
        env={**os.environ, **own},
        capture_output=True,
        check=False,
    )
    return {
        "exitCode": ran.returncode if ran.returncode >= 0 else 128 - ran.returncode,
        "stdout": ran.stdout.decode("utf-8", "replace"),
        "stderr": ran.stderr.decode("utf-8", "replace"),
    }


def in_turn(requests):
    answers = []
    failed = False
    for request in requests:
        if failed and request.get("needs"):
            answers.append(None)
            continue
        answer = ask(request)
        failed = failed or answer["exitCode"] != 0
        answers.append(answer)
    return answers


def at_once(requests):
    with ThreadPoolExecutor(max_workers=max(1, len(requests))) as pool:
        return list(pool.map(ask, requests))


def main():
    *flags, file = sys.argv[1:]
    requests = json.loads(Path(file).read_text(encoding="utf-8"))
    answers = at_once(requests) if flags == ["--at-once"] else in_turn(requests)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
