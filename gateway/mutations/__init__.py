"""Writes: one path for all of them, from the caller's input to a settled outcome."""

from gateway.mutations.flow import WriteResult, not_applied, refused, run_write
from gateway.mutations.keys import check_key, choose_key, native_id

__all__ = ["WriteResult", "check_key", "choose_key", "native_id", "not_applied", "refused", "run_write"]
