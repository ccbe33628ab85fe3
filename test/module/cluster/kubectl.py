#!/usr/bin/env python3
"""Stands in for `kubectl proxy`: answers on the given socket out of $ANSWERS, a file of JSON.

It holds {"METHOD PATH": [status, body]}; a body that is no object is sent as text. What was asked is added to
$ASKED, a line of JSON each, and the socket to `socket` beside the answers. With "ends" in the answers it does not serve, but ends with that text.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer


class Api(BaseHTTPRequestHandler):
    def answer(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        asked = {"method": self.command, "path": self.path, "type": self.headers["Content-Type"]}
        with Path(os.environ["ASKED"]).open("a") as file:
            file.write(json.dumps({**asked, **({"body": json.loads(sent)} if sent else {})}) + "\n")
        nothing = [404, "404 page not found\n"]
        status, body = answers().get(f"{self.command} {self.path}", nothing)
        self.send_response(status)
        self.end_headers()
        self.wfile.write((body if isinstance(body, str) else json.dumps(body)).encode())

    do_GET = do_PATCH = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


class Proxy(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("", 0)


def answers():
    return json.loads(Path(os.environ["ANSWERS"]).read_text())


def main():
    if "ends" in answers():
        sys.exit(answers()["ends"])
    flag = next(one for one in sys.argv if one.startswith("--unix-socket="))
    path = flag.partition("=")[2]
    Path(os.environ["ANSWERS"]).with_name("socket").write_text(path)
    with Proxy(path, Api) as server:
        print("Starting to serve", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
