"""A real web server on 127.0.0.1, in a thread, whose pages are functions of the test; it counts who asks for what."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1")]

Page = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request. `page` functions write the answer with `answer` or byte by byte on `wfile`."""

    server: "Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        with self.server.counting:
            self.server.asked[path] += 1
            self.server.seen.append(dict(self.headers.items()))
            self.server.now += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.now)
        self.close_connection = True
        try:
            self.server.pages.get(path, status(404))(self)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client had enough
        finally:
            with self.server.counting:
                self.server.now -= 1

    def answer(self, data: bytes = b"", *, code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests read `asked`."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, pages: Mapping[str, Page]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages = dict(pages)
        self.asked: Counter[str] = Counter()
        self.seen: list[dict[str, str]] = []
        self.counting = threading.Lock()
        self.now = self.most_at_once = 0
        # Set at the end, so that no page waits on.
        self.over = threading.Event()
        self.scheme = "http"

    def url(self, path: str, *, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.server_port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def serving(pages: Mapping[str, Page] | None = None, *, certificate: Path | None = None) -> Iterator[Server]:
    server = Server(pages or {})
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def picture(data: bytes, *, kind: str = "image/jpeg", headers: Mapping[str, str] | None = None) -> Page:
    return lambda handler: handler.answer(data, headers={"Content-Type": kind, **(headers or {})})


def status(code: int, *, headers: Mapping[str, str] | None = None) -> Page:
    return lambda handler: handler.answer(code=code, headers=headers)


def redirect(to: str, *, code: int = 302) -> Page:
    return status(code, headers={"Location": to})


def in_turn(*pages: Page) -> Page:
    """Another page each time; the last one from then on."""
    left = list(pages)

    def page(handler: Handler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return page


def slowly(data: bytes, *, every_s: float, first: bytes = b"") -> Page:
    """Drip an answer a byte at a time; `first` is sent at once."""

    def page(handler: Handler) -> None:
        handler.wfile.write(first)
        for byte in data:
            if handler.server.over.wait(every_s):
                return
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()

    return page


def held(until: threading.Event, then: Page) -> Page:
    """Answer only once `until` is set, or never."""

    def page(handler: Handler) -> None:
        while not until.is_set() and not handler.server.over.is_set():
            time.sleep(0.01)
        then(handler)

    return page
