"""A mirror of vulnerability records that answers as the OSV API does, for the PyPI ecosystem.

    advisories.py --folder FOLDER [--port 0]
    advisories.py --folder FOLDER -- COMMAND...

FOLDER holds OSV records, one JSON file each. Serves them on loopback; the first line of output is
the address. With COMMAND, serves while that runs and exits as it does: {url} in an argument becomes
the address. All records are read and checked at the start: a wrong one ends the server,
because a record that is silently left out would look like "no vulnerabilities".

    POST /v1/query        {"package": {"name", "ecosystem"} or {"purl"}, "version"}
    POST /v1/querybatch   {"queries": [...]}, at most 1000; ids only, as the OSV API answers
    GET  /v1/vulns/ID     one record, also by alias
    GET  /healthz         how many records are served

Needs `osv.py` beside it. Other ecosystems, and queries by commit, are refused
rather than answered with nothing.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from osv import ECOSYSTEM, BadRecord, InvalidVersion, Record, Version
from osv import is_affected, load, normalized, version_of

MAX_BODY = 4 * 1024 * 1024
MAX_QUERIES = 1000


class BadQuery(Exception):
    """A query that can't be answered truthfully."""


def target(query: object) -> tuple[str, Version | None]:
    """The normalized name and the version that a query is about."""
    if not isinstance(query, dict) or not isinstance(query.get("package"), dict):
        raise BadQuery("a query needs a package; commits are not looked up here")
    package, version = query["package"], query.get("version")
    name, ecosystem = package.get("name"), package.get("ecosystem")
    purl = package.get("purl")
    if isinstance(purl, str):
        found = re.fullmatch(r"pkg:pypi/([^@?#/]+)(?:@([^?#]+))?(?:[?#].*)?", purl)
        if found is None:
            raise BadQuery(f"only pkg:pypi/ is served, not {purl}")
        name, ecosystem = unquote(found[1]), ECOSYSTEM
        if found[2] is not None:
            if version is not None:
                raise BadQuery("the version is given twice, in the purl and beside it")
            version = unquote(found[2])
    if not isinstance(name, str) or not name:
        raise BadQuery("the package has no name")
    if ecosystem != ECOSYSTEM:
        raise BadQuery(f"only {ECOSYSTEM} is served, not {ecosystem}")
    try:
        return normalized(name), None if version is None else version_of(version)
    except InvalidVersion as error:
        raise BadQuery(f"version: {error}") from error


class Mirror:
    """The records, and the questions that can be asked of them."""

    def __init__(self, records: list[Record]) -> None:
        self.records = records

    def query(self, query: object) -> Iterator[Record]:
        name, version = target(query)
        for record in self.records:
            if "withdrawn" not in record and is_affected(record, name, version):
                yield record

    def post(self, path: str, body: object) -> Record | None:
        if path == "/v1/query":
            found = list(self.query(body))
            return {"vulns": found} if found else {}
        if path == "/v1/querybatch":
            queries = body.get("queries") if isinstance(body, dict) else None
            if not isinstance(queries, list) or len(queries) > MAX_QUERIES:
                raise BadQuery(f"queries has to be a list of at most {MAX_QUERIES}")
            return {"results": [self.brief(query) for query in queries]}
        return None

    def brief(self, query: object) -> Record:
        found = [{"id": each["id"], "modified": each["modified"]} for each in self.query(query)]
        return {"vulns": found} if found else {}

    def get(self, path: str) -> Record | None:
        if path == "/healthz":
            return {"records": len(self.records)}
        wanted = unquote(path.removeprefix("/v1/vulns/"))
        for record in self.records:
            if path.startswith("/v1/vulns/") and wanted in (record["id"], *record.get("aliases", [])):
                return record
        return None


def handler(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    """The request handler of one mirror; answers and errors have the OSV API's shape."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self.answer(mirror.get(self.path))

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > MAX_BODY:
                self.close_connection = True
                self.refuse(413, f"a body needs a Content-Length of at most {MAX_BODY}")
                return
            try:
                self.answer(mirror.post(self.path, json.loads(self.rfile.read(int(length)))))
            except ValueError as error:
                self.refuse(400, f"not JSON: {error}")
            except BadQuery as error:
                self.refuse(400, str(error))

        def answer(self, value: Record | None) -> None:
            if value is None:
                self.refuse(404, f"nothing at {self.path}")
            else:
                self.send(200, value)

        def refuse(self, status: int, message: str) -> None:
            self.send(status, {"code": 5 if status == 404 else 3, "message": message})

        def send(self, status: int, value: Record) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    try:
        records = load(options.folder)
    except BadRecord as error:
        print(f"advisories: {error}", file=sys.stderr)
        return 2
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler(Mirror(records)))
    url = f"http://127.0.0.1:{server.server_port}"
    if options.command:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [argument.replace("{url}", url) for argument in options.command]
        return subprocess.run(command, check=False).returncode
    print(url, flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
