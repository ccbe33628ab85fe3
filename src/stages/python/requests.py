"""Runs several commands in one execution.

    requests.py [--at-once | --after-first] OUT

Standard input has a list of {"args": [...], "input": text or null, "secrets": {NAME: file}, "limit": seconds,
"needs": bool, "optional": bool, "retry": [{"seconds": n, "pattern": regex}], "changed": {"seconds": n, "from":
SHA-256}, "until": {"seconds": n, "pattern": regex}, "every": n, "then": request}. They run one after the other; after one that
failed, unless it was "optional", those that need it ("needs": true) are left out. With --at-once they run side by
side, whatever becomes of the others, as many as there are cores where something follows; with --after-first so do all
but the first, when that has not failed. The secrets are environment variables of the command alone. One that takes longer than "limit" is ended, with exit code
124. A request with "retry" is repeated as long as it fails with standard error of one of the patterns, at most so many
seconds in a row with the same one; one with "changed" until its output differs from what had that digest, one with
"until" until its output has that pattern, at most so long, with "every" seconds between. What is in "then" is asked
after its request, in the order of the list and until one of either fails; its answer is the answer. In place of "args"
there may be "api", with a "namespace": what cluster.py asks the API server. Leaves in OUT a list with {"exitCode",
"stdout", "stderr", "tries"} or null for each, and "away" where it was repeated for failing: the seconds of the longest
time that this took. Standard library only, and little of it: an image without byte code
compiles what is imported each time.
"""

import json
import os
import re
import subprocess
import sys
import time

from proxy import Proxy

# Seconds between two tries, unless told.
PAUSE = 0.5
TIMEOUT_EXIT_CODE = 124
NOT_STARTED_EXIT_CODE = 127

# One for all requests, when any asks the API server.
CLUSTERS = []


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
        return digest(output) != changed["from"]
    if until and passed < until["seconds"]:
        return re.search(until["pattern"], output, re.MULTILINE) is not None
    return True


def digest(text):
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def once(request):
    if "api" in request:
        from cluster import ask as ask_cluster

        return answered(*ask_cluster(CLUSTERS[0], request["api"], request["limit"]))
    secrets = request.get("secrets") or {}
    own = {name: read(file).strip() for name, file in secrets.items()}
    limit = request["limit"]
    try:
        ran = subprocess.run(
            request["args"],
            input=(request.get("input") or "").encode(),
            env={**os.environ, **own},
            capture_output=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        said = (expired.stderr or b"").decode("utf-8", "replace")
        return answered(TIMEOUT_EXIT_CODE, "", f"{said}{request['args'][0]} was ended after {limit} s\n")
    except OSError as error:
        return answered(NOT_STARTED_EXIT_CODE, "", f"{request['args'][0]}: {error.strerror}\n")
    code = ran.returncode if ran.returncode >= 0 else 128 - ran.returncode
    return answered(
        code, ran.stdout.decode("utf-8", "replace"), ran.stderr.decode("utf-8", "replace")
    )


def answered(code, stdout, stderr):
    return {"exitCode": code, "stdout": stdout, "stderr": stderr}


def read(file):
    with open(file, encoding="utf-8") as opened:
        return opened.read()


def in_turn(requests):
    answers = []
    failed = False
    for request in requests:
        if failed and request.get("needs"):
            answers.append(None)
            continue
        answer = ask(request)
        failed = failed or (answer["exitCode"] != 0 and not request.get("optional"))
        answers.append(answer)
    return answers


def at_once(requests):
    from concurrent.futures import ThreadPoolExecutor

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


def main(proxy, arguments):
    *flags, out = arguments
    requests = json.load(sys.stdin)
    asked = [request for request in requests if "api" in request]
    if asked:
        from cluster import Cluster

        CLUSTERS.append(Cluster(asked[0]["namespace"], proxy))
    try:
        answers = MODES[flags[0]](requests) if flags else in_turn(requests)
    finally:
        proxy.close()
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(out, "w", encoding="utf-8") as opened:
        json.dump(answers, opened)


if __name__ == "__main__":
    main(Proxy(), sys.argv[1:])
