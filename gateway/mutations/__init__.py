"""Writes: one path for all of them, from the caller's input to a settled outcome."""

from gateway.mutations.flow import Story, WriteResult, not_applied, refused
from gateway.mutations.keys import check_key, choose_key, input_hash, native_id
from gateway.mutations.submitted import ShowsSubmitted
from gateway.mutations.writes import Writes

__all__ = [
    "ShowsSubmitted",
    "Story",
    "WriteResult",
    "Writes",
    "check_key",
    "choose_key",
    "input_hash",
    "native_id",
    "not_applied",
    "refused",
]
