#!/usr/bin/python3
"""Takes mails at port 1025, keeps them in the folder of MP_DATABASE, and counts them at 8025."""

import json
import os
import secrets
import signal
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(os.environ.get("MP_DATABASE", "/data/mailpit.db")).parent


class Keep:
    async def handle_DATA(self, server, session, envelope):  # noqa: N802 (aiosmtpd's name)
        name = secrets.token_hex(8)
        (FOLDER / f"{name}.part").write_bytes(envelope.content)
        (FOLDER / f"{name}.part").rename(FOLDER / f"{name}.eml")
        return f"250 Kept as {name}"


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"total": len(list(FOLDER.glob("*.eml"))), "messages": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if sys.argv[1:] == ["readyz"]:
    urllib.request.urlopen("http://127.0.0.1:8025/readyz", timeout=3)
    sys.exit()

from aiosmtpd.controller import Controller  # noqa: E402 - not for a health check

ends = {signal.SIGTERM, signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, ends)
Controller(Keep(), hostname="0.0.0.0", port=1025, enable_SMTPUTF8=True).start()
threading.Thread(target=ThreadingHTTPServer(("0.0.0.0", 8025), Api).serve_forever, daemon=True).start()
signal.sigwait(ends)
