"""How an operation is looked at, executed and its errors shown."""

from gateway.execution.document import Facts, NamedOperation, facts_of, operations_of
from gateway.execution.documents import ReadDocument
from gateway.execution.errors import mask
from gateway.execution.executor import Ask, Executor, Result
from gateway.execution.limits import DocumentLimits
from gateway.execution.run import Counts

__all__ = [
    "Ask",
    "Counts",
    "DocumentLimits",
    "Executor",
    "Facts",
    "NamedOperation",
    "ReadDocument",
    "Result",
    "facts_of",
    "mask",
    "operations_of",
]
