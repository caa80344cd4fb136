"""The golden queries: what each asks, what it must answer over the sandbox, and which upstream calls that may cost.

`python -m tests.queries.golden NAME ...` writes expected.json and calls.json anew; read the difference before you keep it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.sandbox.server import serving
from tests.graph import Graph, open_graph

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Golden:
    """One golden query."""

    folder: Path

    @property
    def query(self) -> str:
        return (self.folder / "query.graphql").read_text(encoding="utf-8")

    @property
    def variables(self) -> dict[str, Any]:
        return self._json("variables.json")

    @property
    def expected(self) -> dict[str, Any]:
        return self._json("expected.json")

    @property
    def calls(self) -> dict[str, int]:
        return self._json("calls.json")

    def _json(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        return value

    async def ask(self, graph: Graph) -> dict[str, Any]:
        """Ask it, and leave out what differs from run to run."""
        answer = await graph.ask(self.query, self.variables)
        for error in answer.get("errors", []):
            del error["extensions"]["requestId"]
        return answer


GOLDEN = [Golden(folder) for folder in sorted(HERE.iterdir()) if (folder / "query.graphql").is_file()]


async def _write(names: list[str]) -> None:
    async with serving(port=0, seed=1) as running:
        for golden in GOLDEN:
            if names and golden.folder.name not in names:
                continue
            running.sandbox.reset()
            async with open_graph(running) as graph:
                answer = await golden.ask(graph)
                calls = dict(sorted(graph.calls().items()))
            for name, value in (("expected.json", answer), ("calls.json", calls)):
                (golden.folder / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write(sys.argv[1:]))
