#!/usr/bin/env python3
"""Stands in for kubectl where there is no cluster: pods are files, a forward is a relay on this machine.

$CLUSTER holds TRACK.json (the list of pods of each of the selector's tracks, for `proxy`) and, for each pod, NAME.port. When
NAME.break is there, its forwards end with that text as kubectl's do, once.
"""

import json
import os
import re
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from urllib.parse import parse_qs, urlsplit

CLUSTER = Path(os.environ["CLUSTER"])


def relay(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    for each in (one, other):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def connect(client, port):
    try:
        server = socket.create_connection(("127.0.0.1", port))
    except OSError as error:
        sys.stderr.write(f"failed to connect to localhost:{port} inside namespace: {error}\n")
        sys.stderr.write("error: lost connection to pod\n")
        sys.stderr.flush()
        os._exit(1)
    for pair in ((client, server), (server, client)):
        threading.Thread(target=relay, args=pair, daemon=True).start()


def forward(name, ports):
    local, remote = ports.split(":")
    target = int((CLUSTER / f"{name}.port").read_text())
    listener = socket.create_server(("127.0.0.1", int(local or 0)))
    print(f"Forwarding from 127.0.0.1:{listener.getsockname()[1]} -> {remote}", flush=True)

    def watch():
        file = CLUSTER / f"{name}.break"
        while not file.exists():
            time.sleep(0.02)
        text = file.read_text()
        file.unlink()
        sys.stderr.write(text)
        sys.stderr.flush()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    while True:
        client, _ = listener.accept()
        connect(client, target)


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        selector = parse_qs(urlsplit(self.path).query)["labelSelector"][0]
        files = [CLUSTER / f"{track}.json" for track in re.search(r"track in \(([\w,]+)\)", selector)[1].split(",")]
        if not all(file.exists() for file in files):
            return self.reply(500, "dial tcp 127.0.0.1:6443: connect: connection refused\n")
        items = [pod for file in files for pod in json.loads(file.read_text())["items"]]
        self.reply(200, json.dumps({"kind": "PodList", "apiVersion": "v1", "items": items}))

    def reply(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class Proxy(UnixStreamServer):
    def get_request(self):
        request, _ = super().get_request()
        return request, ("", 0)


def proxy(path):
    with Proxy(path, Api) as server:
        print(f"Starting to serve on {path}", flush=True)
        server.serve_forever()


def main():
    arguments = sys.argv[1:]
    if "port-forward" in arguments:
        *_, pod, ports = arguments
        forward(pod.removeprefix("pod/"), ports)
    socket_flag = next(one for one in arguments if one.startswith("--unix-socket="))
    proxy(socket_flag.partition("=")[2])


if __name__ == "__main__":
    main()
