"""Scripts against a running gateway: `query` and `run`. It knows the gateway by its address alone, as any client does."""

from gateway.client.commands import Rows, Target, ask, run
from gateway.client.document import read_document
from gateway.client.exits import Exit
from gateway.client.mistake import Mistake
from gateway.client.progress import Progress
from gateway.client.query import Question

__all__ = ["Exit", "Mistake", "Progress", "Question", "Rows", "Target", "ask", "read_document", "run"]
