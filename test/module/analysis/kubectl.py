#!/usr/bin/env python3
"""Stands in for kubectl where there is no cluster: pods are files, a forward is a relay on this machine.

$CLUSTER holds TRACK.json (what `get pods` prints, of each of the selector's tracks) and, for each pod, NAME.port. When
NAME.break is there, its forwards end with that text as kubectl's do, once.
"""

import json
import os
import re
import socket
import sys
import threading
import time
from pathlib import Path

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


def main():
    arguments = sys.argv[1:]
    if "port-forward" in arguments:
        *_, pod, ports = arguments
        forward(pod.removeprefix("pod/"), ports)
    selector = next(one for one in arguments if one.startswith("--selector="))
    files = [CLUSTER / f"{track}.json" for track in re.search(r"track in \(([\w,]+)\)", selector)[1].split(",")]
    if not all(file.exists() for file in files):
        sys.exit("The connection to the server 127.0.0.1:6443 was refused")
    print(json.dumps({"items": [pod for file in files for pod in json.loads(file.read_text())["items"]]}))


if __name__ == "__main__":
    main()
