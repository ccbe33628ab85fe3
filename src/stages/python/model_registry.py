"""Asks an MLflow model registry several things in one execution.

    model_registry.py FILE

FILE holds {"base": URL, "host": name or null, "patience": seconds} and one of
  "facts": {"name", "versions", "aliases", "stages"}: the registered model, and each version that is named, or
           that an alias or stage points at, with the run that made it; and with "champion": {"name", "version"}
           that version of another model;
  "digest": {"name", "version", "limit": bytes}: the SHA-256 of the list `sha256sum` prints of the artifact's
           files, sorted by path, where the tracking server hands them out;
  "alias": {"name", "alias", "version"}: moves an alias, and looks whether it is there.
Prints the answers as JSON; NaN and infinities become text. An answer is {"status", "body"}, or {"status": 0,
"error"} when there is none. The environment may hold MLFLOW_TRACKING_TOKEN (a token, or user:password) or
MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD. Redirections are not followed: credentials would go
along. Standard library only.
"""

import base64
import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from answers import BROKEN, answer_of, reason_of, whole

# Seconds for one request, and between two tries.
TIMEOUT = 20
PAUSE = 0.5

# The longest answer that is read.
LONGEST = 16 * 1024 * 1024


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirect)


class Registry:
    def __init__(self, base, host, patience):
        self.base = base.rstrip("/")
        self.headers = {"Accept": "application/json", **({"Host": host} if host else {})}
        self.patience = patience
        self.end = time.monotonic() + patience
        own = os.environ.get("MLFLOW_TRACKING_TOKEN", "")
        user = os.environ.get("MLFLOW_TRACKING_USERNAME", "")
        pair = own if ":" in own else f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}" if user else ""
        if pair:
            self.headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        elif own:
            self.headers["Authorization"] = f"Bearer {own}"

    def get(self, path, **query):
        return self.ask("GET", f"mlflow/{path}?{urllib.parse.urlencode(query)}")

    def ask(self, method, path, body=None):
        """Repeated while the server is away or has a fault, as long as there is patience."""
        while True:
            answer = self.once(method, path, body)
            transient = answer["status"] in (0, 429) or answer["status"] >= 500
            if not transient or time.monotonic() + PAUSE > self.end:
                return answer
            time.sleep(PAUSE)

    def once(self, method, path, body):
        try:
            with answer_of(OPENER, self.request(method, path, body), TIMEOUT) as answer:
                leads = answer.headers.get("Location", "") if 300 <= answer.code < 400 else ""
                told = f"it leads to {leads}" if leads else read(whole(answer, LONGEST))
                return {"status": answer.code, "body": told}
        except BROKEN as error:
            return {"status": 0, "error": reason_of(error)}

    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, **({"Content-Type": "application/json"} if data else {})}
        return urllib.request.Request(f"{self.base}/api/2.0/{path}", data, headers, method=method)


def read(data):
    text = data.decode("utf-8", "replace")
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        return text


def inside(answer, *path):
    """A value deep in an answer; None when it is not there."""
    value = answer.get("body")
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def listed(value):
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def facts(registry, name, versions, aliases, stages, champion=None):
    registered = registry.get("registered-models/get", name=name)
    wanted = set(versions)
    for each in listed(inside(registered, "registered_model", "aliases")):
        if each.get("alias") in aliases:
            wanted.add(str(each.get("version")))
    for each in listed(inside(registered, "registered_model", "latest_versions")):
        if str(each.get("current_stage")).lower() in [stage.lower() for stage in stages]:
            wanted.add(str(each.get("version")))
    return {
        "registered": registered,
        "versions": {each: version(registry, name, each) for each in sorted(wanted)},
        **({"champion": version(registry, champion["name"], champion["version"])} if champion else {}),
    }


def version(registry, name, number):
    found = {"version": registry.get("model-versions/get", name=name, version=number)}
    run = inside(found["version"], "model_version", "run_id")
    return {**found, "run": registry.get("runs/get", run_id=run)} if run else found


TOO_LARGE = "the artifact is larger than what is read for its digest"


class Elsewhere(Exception):
    """The artifact is not where it could be read."""


class BrokenOff(Elsewhere):
    """A file of it came in part."""


def digest(registry, name, version, limit):
    try:
        folder = artifact_folder(registry, name, version)
        files = sorted(walk(registry, folder, ""), key=lambda each: each[0])
        if not files:
            raise Elsewhere("the artifact has no files")
        if sum(size or 0 for _, size in files) > limit:
            raise Elsewhere(TOO_LARGE)
        lines = []
        for path, listed_size in files:
            found, size = file_digest(registry, f"{folder}/{path}", listed_size, limit)
            limit -= size
            lines.append(f"{found}  {path}\n")
        return {"digest": "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()}
    except Elsewhere as problem:
        return {"problem": str(problem)}
    except BROKEN as error:
        return {"problem": f"the artifact cannot be read: {error}"}


def artifact_folder(registry, name, version):
    """Path on the tracking server; `runs:` and `models:` are looked up there."""
    answer = registry.get("model-versions/get-download-uri", name=name, version=version)
    uri = str(inside(answer, "artifact_uri") or "")
    scheme, _, rest = uri.partition(":")
    if scheme == "runs":
        run, _, path = rest.strip("/").partition("/")
        root = inside(registry.get("runs/get", run_id=run), "run", "info", "artifact_uri")
        uri = f"{root}/{path}"
    elif scheme == "models" and rest.strip("/").startswith("m-"):
        model = registry.ask("GET", f"mlflow/logged-models/{rest.strip('/')}")
        uri = str(inside(model, "model", "info", "artifact_uri") or "")
    if not uri.startswith("mlflow-artifacts:"):
        raise Elsewhere(f"the artifact is not on the tracking server but at {uri.split('?')[0] or 'no known place'}")
    # mlflow-artifacts:/path, or mlflow-artifacts://host/path
    return urllib.parse.urlsplit(uri).path.strip("/")


def walk(registry, folder, below):
    path = f"{folder}/{below}".rstrip("/")
    answer = registry.ask("GET", f"mlflow-artifacts/artifacts?{urllib.parse.urlencode({'path': path})}")
    if answer["status"] != 200:
        raise Elsewhere(f"the tracking server does not list the artifact ({answer['status']})")
    for each in listed(inside(answer, "files")):
        name = f"{below}/{each.get('path')}".lstrip("/")
        if each.get("is_dir"):
            yield from walk(registry, folder, name)
        else:
            size = each.get("file_size")
            yield name, None if size is None else int(size)


def file_digest(registry, path, listed_size, limit):
    """Read anew when it breaks off, as long as there is patience since it did so first."""
    end = None
    while True:
        try:
            return download(registry, path, listed_size, limit)
        except (BrokenOff, *BROKEN) as error:
            now = time.monotonic()
            end = end or now + registry.patience
            is_refused = isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429
            if is_refused or now + PAUSE > end:
                raise
        time.sleep(PAUSE)


def download(registry, path, listed_size, limit):
    found = hashlib.sha256()
    size = 0
    request = registry.request("GET", f"mlflow-artifacts/artifacts/{urllib.parse.quote(path)}")
    with OPENER.open(request, timeout=TIMEOUT) as answer:
        while chunk := answer.read(1 << 20):
            found.update(chunk)
            size += len(chunk)
            if size > limit:
                raise Elsewhere(TOO_LARGE)
        # To read by parts says nothing of what was cut off.
        missing = answer.length or 0
    wanted = size + missing if missing or listed_size is None else listed_size
    if size != wanted:
        raise BrokenOff(f"the download broke off: {size} bytes of {path} came, not {wanted}")
    return found.hexdigest(), size


def where(registry, name, alias):
    """The version that an alias points at, or None; and the answer that says so."""
    answer = registry.get("registered-models/get", name=name)
    known = {each.get("alias"): each.get("version") for each in listed(inside(answer, "registered_model", "aliases"))}
    at = known.get(alias)
    return answer, None if at is None else str(at)


def move(registry, name, alias, version):
    answer, before = where(registry, name, alias)
    result = {"before": before, "moved": False, "answer": answer}
    if answer["status"] != 200 or before == version:
        return result
    body = {"name": name, "alias": alias, "version": version}
    answer = registry.ask("POST", "mlflow/registered-models/alias", body)
    if answer["status"] != 200:
        return {**result, "answer": answer}
    answer, after = where(registry, name, alias)
    return {**result, "moved": after == version, "answer": answer}


def main():
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    registry = Registry(request["base"], request.get("host"), request["patience"])
    if "facts" in request:
        result = facts(registry, **request["facts"])
    elif "digest" in request:
        result = digest(registry, **request["digest"])
    else:
        result = move(registry, **request["alias"])
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
