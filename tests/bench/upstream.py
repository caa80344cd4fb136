"""The bench's upstream: a process that answers prepared bytes by target, and counts. `python -m tests.bench.upstream` prints its port.

The first request for a target makes its answer; from then on it is one look into a dictionary. It takes GET alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import Final, cast

import uvloop

from tests.bench.dialects import answer

COUNTS: Final = "/_counts"
_HEAD: Final = b"HTTP/1.1 %s\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
_END: Final = b"\r\n\r\n"
_SHOWN: Final = 5


class Answers:
    """The answers that were made, and how often each operation was asked for."""

    def __init__(self) -> None:
        self._made: dict[bytes, tuple[list[int], bytes]] = {}
        self._counts: dict[str, list[int]] = {}
        self._unknown: Counter[str] = Counter()

    def get(self, target: bytes) -> bytes:
        """Give the whole answer to a GET, head and body."""
        made = self._made.get(target)
        if made is None:
            made = self._make(target.decode())
            if made is None:
                return self._other(target.decode())
            self._made[target] = made
        made[0][0] += 1
        return made[1]

    def _make(self, target: str) -> tuple[list[int], bytes] | None:
        found = answer(target)
        if found is None:
            return None
        operation, body = found
        return self._counts.setdefault(operation, [0]), whole(b"200 OK", body)

    def _other(self, target: str) -> bytes:
        if target == COUNTS:
            return whole(b"200 OK", json.dumps(self.to_plain()).encode())
        self._unknown[target] += 1
        return whole(b"404 Not Found", b"null")

    def to_plain(self) -> dict[str, object]:
        """Give the counts by operation, and some of the targets that nothing is known of."""
        counts = {operation: count[0] for operation, count in self._counts.items()}
        return {"counts": counts, "unknown": dict(self._unknown.most_common(_SHOWN))}


def whole(status: bytes, body: bytes) -> bytes:
    """Put a head before a body."""
    return _HEAD % (status, len(body)) + body


class Connection(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._transport: asyncio.WriteTransport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go to."""
        self._transport = cast("asyncio.WriteTransport", transport)  # that of uvloop is one by its methods alone

    def data_received(self, data: bytes) -> None:
        """Answer each request that is there to its end."""
        data, self._rest = self._rest + data, b""
        start = 0
        while start < len(data):
            end = data.find(_END, start)
            if end < 0:
                self._rest = data[start:]
                return
            self._answer(data[start : data.index(b"\r\n", start)])
            start = end + len(_END)

    def _answer(self, line: bytes) -> None:
        assert self._transport is not None
        method, target, _ = line.split(b" ", 2)
        if method != b"GET":
            self._transport.write(whole(b"405 Method Not Allowed", b"null"))
            self._transport.close()
            return
        self._transport.write(self._answers.get(target))


async def serve() -> None:
    """Answer until the process is ended or its standard input is closed; the port is the first line of the output."""
    answers, loop = Answers(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
