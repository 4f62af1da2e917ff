"""A back-end that uses the HTTP API: requests, parsed answers."""
import json
import shutil
import tempfile

import keys
import rawhttp
from bus import Bus
from check import equal


def head(method, path, *lines):
    """A request up to its blank line."""
    return "\r\n".join(("%s %s HTTP/1.1" % (method, path), "Host: localhost")
                       + lines + ("", "")).encode()


def posting(path, body, *lines):
    """A whole POST: body is JSON's bytes."""
    return head("POST", path, "Content-Type: application/json",
                "Content-Length: %d" % len(body), *lines) + body


class Backend:
    """It talks to one address; every call gives (status, parsed JSON)."""

    def __init__(self, address, token=None):
        self.address = address
        self.lines = ["Authorization: Bearer " + token] if token else []

    def send(self, request, **more):
        """Bytes out, the answer parsed."""
        answer = rawhttp.exchange(self.address, [request], **more)
        equal(answer.count, 1, "answers")
        equal(answer.header("Connection"), "close")
        equal(answer.header("Content-Type"), "application/json")
        equal(len(answer.body), int(answer.header("Content-Length")))
        return answer.status, json.loads(answer.body)

    def get(self, path, *lines):
        """GET a path."""
        return self.send(head("GET", path, *self.lines, *lines))

    def post(self, path, body, *lines):
        """POST: body is JSON text, or what can be made JSON."""
        text = body if isinstance(body, str) else json.dumps(body)
        return self.send(posting(path, text.encode(), *self.lines, *lines))

    def ok(self, path, **body):
        """POST what must succeed; its answer."""
        status, answer = self.post(path, body)
        equal((status, answer.get("ok")), (200, True), str(answer))
        return answer

    def rows(self, path):
        """GET a list that must be whole; its rows."""
        status, answer = self.get(path)
        equal((status, answer["late"], answer["gone"], answer["cut"],
               answer["answered"]), (200, 0, 0, 0, answer["asked"]),
              str(answer)[:300])
        return answer["rows"]


class Guarded(Bus):
    """A bus with users: tokens signed with the secret of keys.py."""

    def __init__(self, n=2, **options):
        self.keys = tempfile.mkdtemp(prefix="cbus-keys-")
        options.setdefault("jwt_key", keys.write_secret(self.keys))
        super().__init__(n, **options)

    def __exit__(self, *what):
        try:
            super().__exit__(*what)
        finally:
            shutil.rmtree(self.keys, ignore_errors=True)

    def user(self, name, slot=None, role="user"):
        """A client who is somebody."""
        return self.connect(slot, headers=[
            "Authorization: Bearer " + keys.token(name, role=role)])

    def backend(self):
        """One that may use the API."""
        return Backend(self.address, keys.token("shop", role="admin"))
