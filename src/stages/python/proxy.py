"""One `kubectl proxy`, which has the API server's address and the credentials, and HTTP through it.

To start kubectl takes longer than most of what is asked, so with_proxy.py starts it before it imports a program, and
here no more is imported than that takes. Standard library only.
"""

import os
import subprocess
import threading

JSON = "application/json"


class Refused(Exception):
    """What the API server, or the way to it, said instead of an answer."""

    def __init__(self, said, missing=False):
        super().__init__(said)
        self.missing = missing


class Proxy:
    """Started when it is first needed."""

    def __init__(self):
        self.path = f"/tmp/slipway-{os.getpid()}.sock"
        self.said = f"{self.path}.log"
        self.process = None
        self.serving = False
        self.lock = threading.Lock()

    def start(self):
        """Starts it without waiting for it: whoever has something to do meanwhile calls this first."""
        # Not a pipe: nobody would read what it says of requests that failed.
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(
                ["kubectl", "proxy", f"--unix-socket={self.path}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
            )

    def reach(self):
        with self.lock:
            if self.process is None:
                self.start()
            # It says that it serves, or ends.
            self.serving = self.serving or bool(self.process.stdout.readline())
            if self.serving and self.process.poll() is None:
                return
            code = self.process.wait()
            with open(self.said, encoding="utf-8", errors="replace") as said:
                why = said.read()
            self.close()
            raise Refused(why or f"kubectl proxy exited with {code}\n")

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        self.process, self.serving = None, False
        for path in [self.path, self.said]:
            if os.path.exists(path):
                os.unlink(path)

    def call(self, method, path, limit, body=None, kind=JSON):
        # While the proxy starts: they take a while to load.
        import json
        from http.client import HTTPConnection
        from socket import AF_UNIX, socket

        self.reach()
        way = HTTPConnection("localhost", timeout=limit)
        way.sock = socket(AF_UNIX)
        way.sock.settimeout(limit)
        try:
            way.sock.connect(self.path)
            data = None if body is None else json.dumps(body)
            way.request(method, path, body=data, headers={"Content-Type": kind, "Accept": JSON})
            answer = way.getresponse()
            text = answer.read().decode("utf-8", "replace")
        finally:
            way.close()
        if answer.status >= 400:
            raise refusal(answer.status, text)
        return json.loads(text)


def refusal(status, text):
    import json

    try:
        told = json.loads(text)
        message, reason = told["message"], told.get("reason") or status
    except (ValueError, KeyError, TypeError):
        # Of a group that is not served nothing else is said; client-go has these words for it.
        if status == 404:
            return Refused(
                "Error from server (NotFound): the server could not find the requested resource\n"
            )
        return Refused(text)
    missing = reason == "NotFound" and bool((told.get("details") or {}).get("name"))
    return Refused(f"Error from server ({reason}): {message}\n", missing)
