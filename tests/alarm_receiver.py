"""An HTTPS server that takes alarms, fails, hangs, breaks off and comes back, as a test tells it."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = b"a secret of this test alone"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Who breaks off leaves no trace on stderr."""


class Receiver:
    """Answers each request as ``script`` says, whose last entry stays: a status, or the name of a misbehaviour.

    Every request that came in whole is in ``heard``, as (id, body), before it is answered.
    """

    def __init__(self, certificate=None, port=0):
        self.script = [200]
        self.heard = []
        self.forged = []
        self.release = threading.Event()
        self._certificate = certificate
        self.port = port
        self._server = None

    def start(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver._take(self)

            def log_message(self, *_):
                pass

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate / "broker.pem", self._certificate / "broker.key")
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        self.release.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def ids(self):
        return [identity for identity, _ in self.heard]

    def unique(self):
        """What is left when the receiver drops what it has: alarms' data in the order of their first arrival."""
        return [json.loads(body)["data"] for body in dict(self.heard).values()]

    def _take(self, request):
        length = int(request.headers["Content-Length"])
        body = request.rfile.read(length)
        if len(body) < length:
            # The sender was killed between the headers and the end of the body.
            request.close_connection = True
            return
        headers = request.headers
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        if headers.get("webhook-signature") != f"v1,{right}":
            self.forged.append(headers["webhook-id"])
        assert headers["Idempotency-Key"] == headers["webhook-id"]
        self.heard.append((headers["webhook-id"], body))
        self._answer(request)

    def _answer(self, request):
        behaviour = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if behaviour == "hang":
            self.release.wait(60)
        elif behaviour == "drip":
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
                request.wfile.write(bytes([byte]))
                if self.release.wait(0.05):
                    break
        elif behaviour == "garbage":
            request.wfile.write(b"\x00\xff no HTTP\r\n\r\n")
        elif behaviour == "reset":
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        else:
            request.send_response(behaviour)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.close_connection = True


def until(condition, patience_s=30):
    for _ in range(patience_s * 100):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it has not come to pass")
