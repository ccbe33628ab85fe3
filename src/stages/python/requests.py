"""Asks a program several things in one execution.

    requests.py [--at-once | --after-first] FILE

FILE holds a list of {"args": [...], "input": text or null, "secrets": {NAME: file}, "needs": bool, "retry":
[{"seconds": n, "pattern": regex}], "changed": {"seconds": n, "from": SHA-256}, "until": {"seconds": n, "pattern":
regex}, "every": n, "then": request}. They run one after the other; after one that failed, those that need it
("needs": true) are left out. With --at-once they run side by side, whatever becomes of the others, as many as there
are cores where something follows; with --after-first so do all but the first, when that has not failed. The secrets
are environment variables of the command alone. A request with "retry" is repeated as long as it fails with standard
error of one of the patterns, at most so many seconds in a row with the same one; one with "changed" until its output
differs from what had that digest, one with "until" until its output has that pattern, at most so long, with "every"
seconds between. What is in "then" is asked after its request, in the order of the list and until one of either fails;
its answer is the answer. Prints a list with {"exitCode", "stdout", "stderr", "tries"} or null for each, and "away"
where it was repeated for failing: the seconds of the longest time that this took. Standard library only.
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


# Seconds between two tries, unless told.
PAUSE = 0.5


def ask(request):
    retries = request.get("retry") or []
    began = time.monotonic()
    failing, kind = None, None
    tries = 0
    away = 0
    while True:
        answer = once(request)
        tries += 1
        answer["tries"] = tries
        now = time.monotonic()
        if failing is not None:
            away = max(away, now - failing)
        if away:
            answer["away"] = away
        if answer["exitCode"] == 0:
            failing, kind = None, None
            if is_enough(request, answer["stdout"], now - began):
                return answer
        else:
            # What is waited for may take longer than patience with a server that is away.
            again = next((each for each in retries if re.search(each["pattern"], answer["stderr"])), None)
            failing, kind = (failing if again is kind and failing is not None else now), again
            if again is None or now - failing >= again["seconds"]:
                return answer
        time.sleep(request.get("every") or PAUSE)


def is_enough(request, output, passed):
    changed, until = request.get("changed"), request.get("until")
    if changed and passed < changed["seconds"]:
        return hashlib.sha256(output.encode()).hexdigest() != changed["from"]
    if until and passed < until["seconds"]:
        return re.search(until["pattern"], output, re.MULTILINE) is not None
    return True


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
    # What follows the first then overlaps with the others: all at once would also end all at once.
    side_by_side = (os.cpu_count() or 1) if any("then" in each for each in requests) else len(requests)
    with ThreadPoolExecutor(max_workers=max(1, side_by_side)) as pool:
        asked = [pool.submit(ask, request) for request in requests]
        answers = []
        failed = False
        for request, each in zip(requests, asked):
            answer = each.result()
            then = request.get("then")
            if then and failed:
                answer = None
            elif then and answer["exitCode"] == 0:
                answer = ask(then)
            failed = failed or answer["exitCode"] != 0
            answers.append(answer)
        return answers


def after_first(requests):
    answers = [ask(request) for request in requests[:1]]
    others = requests[1:]
    failed = any(answer["exitCode"] != 0 for answer in answers)
    return answers + ([None] * len(others) if failed else at_once(others))


MODES = {"--at-once": at_once, "--after-first": after_first}


def main():
    *flags, file = sys.argv[1:]
    requests = json.loads(Path(file).read_text(encoding="utf-8"))
    answers = MODES[flags[0]](requests) if flags else in_turn(requests)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
