"""A minimal hub server on the loopback interface, for pushing and fetching one model."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

COMMIT = "a" * 40


class _Hub(BaseHTTPRequestHandler):
    files: ClassVar[dict] = {}
    fetched: ClassVar[list] = []

    def do_POST(self):
        body, home = self.rfile.read(int(self.headers.get("Content-Length") or 0)), f"http://{self.headers['Host']}"
        if self.path.endswith("/preupload/main"):
            requested = json.loads(body)["files"]
            files = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in requested]
            self._answer({"files": files})
        elif self.path.endswith("/commit/main"):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self._answer({"commitOid": COMMIT, "commitUrl": f"{home}/me/demo/commit/{COMMIT}"})
        else:  # repos/create, validate-yaml
            self._answer({"url": f"{home}/me/demo", "name": "me/demo", "errors": [], "warnings": []})

    def do_GET(self):
        if "/resolve/" in self.path:
            self._file(send=True)
        elif "me/demo" not in self.path:
            self._answer({"error": "Repository not found"}, 404)
        elif "/tree/" in self.path:
            sizes = {name: len(content) for name, content in self.files.items()}
            self._answer([{"type": "file", "path": name, "size": n, "oid": "b" * 40} for name, n in sizes.items()])
        else:
            siblings = [{"rfilename": name} for name in self.files]
            self._answer({"id": "me/demo", "sha": COMMIT, "siblings": siblings, "private": False, "tags": []})

    def do_HEAD(self):
        self._file(send=False)

    def _file(self, send):
        name = self.path.partition("?")[0].rpartition("/")[2]
        content = self.files.get(name)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        for key, value in (
            ("Content-Length", str(len(content))),
            ("ETag", f'"{hashlib.sha1(content).hexdigest()}"'),
            ("X-Repo-Commit", COMMIT),
        ):
            self.send_header(key, value)
        self.end_headers()
        if send:
            self.fetched.append(name)
            self.wfile.write(content)

    def _answer(self, content, status=200):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def serving():
    """The address of the hub, its files by name, and the names of the files fetched from it."""
    hub = type("Hub", (_Hub,), {"files": {}, "fetched": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", hub.files, hub.fetched
    finally:
        server.shutdown()
        server.server_close()
