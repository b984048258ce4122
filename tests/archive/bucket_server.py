"""A server that speaks S3, moto's, in a process of its own, and a proxy before it that counts requests and
does what networks and services do."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STARTS_WITHIN = 60.0  # seconds
Request = tuple[str, str, str]  # method, path, range


@dataclass
class Proxy:
    """``faults``: asked of each request, with its number from 1 on, what is done with it: "" nothing, "503",
    "cut" (an answer that ends too early), "late" (none within a second), "other" (another byte is stored)."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    faults: Callable[[int, Request], str] = lambda _number, _request: ""
    most_at_once: int = 0
    _at_once: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)
    let_go: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        """Begin to count anew, without faults."""
        self.requests.clear()
        self.most_at_once = 0
        self.faults = lambda _number, _request: ""

    def begin(self, request: Request) -> str:
        with self._turn:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return self.faults(len(self.requests), request)

    def end(self) -> None:
        with self._turn:
            self._at_once -= 1


@contextmanager
def running() -> Iterator[Proxy]:
    """The server and the proxy, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    proxy = Proxy()
    front = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy, port))
    front.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{front.server_address[1]}"
    thread = threading.Thread(target=front.serve_forever, args=(0.05,), daemon=True)
    try:
        _wait_for(port)
        thread.start()
        yield proxy
    finally:
        proxy.let_go.set()
        if thread.is_alive():
            front.shutdown()
        front.server_close()
        server.kill()
        server.wait()


def make_bucket(proxy: Proxy, name: str) -> None:
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"))
    connection.request("PUT", f"/{name}")
    assert connection.getresponse().read() is not None
    connection.close()
    proxy.forget()


def _wait_for(port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _handler(proxy: Proxy, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = proxy.begin((self.command, self.path, self.headers.get("Range", "")))
            try:
                self._answer(body, fault)
            except ConnectionError:
                self.close_connection = True  # who asked did not wait
            finally:
                proxy.end()

        def _answer(self, body: bytes, fault: str) -> None:
            if fault == "503":
                self.send_response(503, "Slow Down")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if fault == "late":
                proxy.let_go.wait(1.5)
                self.close_connection = True
                return
            if fault == "other":
                body = bytes([body[0] ^ 1]) + body[1:]
            behind = http.client.HTTPConnection("127.0.0.1", port)
            headers = {
                k: v
                for k, v in self.headers.items()
                if k.lower() not in ("host", "content-length", "connection")
            }
            behind.request(self.command, self.path, body or None, headers)
            answer = behind.getresponse()
            data = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in (
                    "connection",
                    "server",
                    "date",
                    "transfer-encoding",
                    "content-length",
                ):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            behind.close()
            if fault == "cut":
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self.wfile.write(data)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _any

        def log_message(self, *_: object) -> None:
            pass

    return Handler
