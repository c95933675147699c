"""Takes an upload to a temporary file and stops as soon as it is larger than an import may be."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest

_FORM_BYTES = 65_536  # what the form may take beside its file


class LimitedUpload(TemporaryFileUploadHandler):
    """Refuses a file above `limit` bytes: at once where the browser says how much will come, else on the way.

    Ask `exceeded` after the form was read. Then there is no file; the fields before it are there.
    """

    def __init__(self, request: HttpRequest, *, limit: int) -> None:
        super().__init__(request)
        self.limit = limit
        self.received = 0
        self.exceeded = int(request.META.get("CONTENT_LENGTH") or 0) > limit + _FORM_BYTES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file. Only here, because the form's token stands before it and must be read."""
        super().new_file(*args, **kwargs)
        self._stop_when_exceeded()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Store a piece, unless it passes the limit."""
        self.received += len(raw_data)
        self.exceeded = self.received > self.limit
        self._stop_when_exceeded()
        super().receive_data_chunk(raw_data, start)

    def _stop_when_exceeded(self) -> None:
        if self.exceeded:
            self.file.close()  # which deletes it
            raise StopUpload(connection_reset=True)
