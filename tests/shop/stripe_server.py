"""Stripe's API at the edge of the network, as far as we use it: sessions, refunds, keys, faults."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

type Said = dict[str, Any]


class StripeServer:
    """What it remembers. `fault`: the status that the next request gets after its work was done.
    `pays_before_the_end`: the customer pays at the moment at which a session is to be closed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sessions: dict[str, Said] = {}
        self.refunds: dict[str, Said] = {}
        self.keys: dict[str, Said] = {}
        self.fault = 0
        self.refund_status = "succeeded"
        self.pays_before_the_end = False

    def complete(self) -> Said:
        """The customer pays the newest session."""
        session = list(self.sessions.values())[-1]
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": f"pi_{session['id']}"}
        return session

    def answer(self, method: str, path: list[str], said: dict[str, str], key: str) -> tuple[int, Said]:
        """Do what is asked for, once for a key."""
        if key and key in self.keys:
            return 200, self.keys[key]
        match method, path:
            case "POST", ["checkout", "sessions"]:
                done = self._open(said)
            case "GET", ["checkout", "sessions", pk]:
                done = self.sessions[pk]
            case "POST", ["checkout", "sessions", pk, "expire"]:
                if self.pays_before_the_end:
                    self.complete()
                if self.sessions[pk]["status"] != "open":
                    return _refused("This session is not open.")
                done = self.sessions[pk]
                done["status"] = "expired"
            case "GET", ["refunds"]:
                found = [
                    one for one in self.refunds.values() if one["payment_intent"] == said["payment_intent"]
                ]
                return 200, {"object": "list", "url": "/v1/refunds", "has_more": False, "data": found}
            case "POST", ["refunds"]:
                done = self._give_back(said)
            case _:
                return _refused("There is no such thing.")
        if key:
            self.keys[key] = done
        return 200, done

    def _open(self, said: dict[str, str]) -> Said:
        pk = f"cs_{len(self.sessions) + 1}"
        self.sessions[pk] = {
            "id": pk, "object": "checkout.session", "status": "open", "payment_status": "unpaid",
            "payment_intent": None, "url": f"https://checkout.stripe.com/{pk}",
            "amount": int(said["line_items[0][price_data][unit_amount]"]),
            "currency": said["line_items[0][price_data][currency]"],
            "metadata": {"key": said["metadata[key]"]},
        }  # fmt: skip
        return self.sessions[pk]

    def _give_back(self, said: dict[str, str]) -> Said:
        pk = f"re_{len(self.refunds) + 1}"
        self.refunds[pk] = {
            "id": pk, "object": "refund", "status": self.refund_status, "amount": int(said["amount"]),
            "currency": "eur", "payment_intent": said["payment_intent"], "failure_reason": None,
            "metadata": {"key": said["metadata[key]"]},
        }  # fmt: skip
        return self.refunds[pk]


def _refused(message: str) -> tuple[int, Said]:
    return 400, {"error": {"type": "invalid_request_error", "message": message}}


@contextmanager
def stripe_server() -> Iterator[StripeServer]:
    """One that listens on a free port of this machine until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._do(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())

        def _do(self, said: str) -> None:
            path = urlsplit(self.path).path.removeprefix("/v1/").split("/")
            key = self.headers.get("Idempotency-Key", "")
            ours = key if not key.startswith("stripe-python") else ""
            status, done = stripe.answer(self.command, path, dict(parse_qsl(said)), ours)
            status, stripe.fault = stripe.fault or status, 0
            body = json.dumps(done if status < 500 else {"error": {"type": "api_error"}}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stripe = StripeServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stripe
    finally:
        server.shutdown()
        server.server_close()
