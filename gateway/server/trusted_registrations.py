"""Documents that clients sent with their hash, kept by it in the memory of this process; those that nobody asked for longest go first."""

from __future__ import annotations

from collections import OrderedDict


class Registrations:
    """A bounded number of documents. `most_bytes`: of all their texts together, in UTF-8."""

    def __init__(self, *, most: int = 1_000, most_bytes: int = 10_000_000) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0

    def get(self, digest: str) -> str | None:
        """Give the text of a hash; None: it is not kept."""
        text = self._kept.get(digest)
        if text is not None:
            self._kept.move_to_end(digest)
        return text

    def put(self, digest: str, text: str) -> None:
        """Keep a text; one that is larger than all may be together is not kept."""
        size = _size_of(text)
        if digest in self._kept or size > self._most_bytes:
            return
        self._kept[digest] = text
        self._bytes += size
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            self._bytes -= _size_of(self._kept.popitem(last=False)[1])


def _size_of(text: str) -> int:
    return len(text.encode())
