"""The head of a request, of which no more than so much is read: the library's parser would keep a head without end in memory."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 65_536
"""As much as h11 reads, the other parser of the server."""
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
"""What is answered, with nothing more to say: who called is not known yet. Source: RFC 6585, section 5."""


class BoundedHeads(HttpToolsProtocol):
    """A connection that ends when the head of a request grows beyond HEAD_BYTES_MAX."""

    _open = False
    _read_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Read what came, and count what a head that has no end yet takes."""
        super().data_received(data)
        self._read_bytes = self._read_bytes + len(data) if self._open else 0
        if self._read_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._open = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._open = False
        super().on_headers_complete()
