"""Keys of objects: which source, which kind, which key there; and the global id that carries the three."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import field
from enum import StrEnum
from typing import Final

from gateway.errors import InvalidInput
from gateway.model.value import value

_MAX_ID_LENGTH: Final = 1024


class Kind(StrEnum):
    """What a reference points to. The values are part of every global id: never change one."""

    CUSTOMER = "c"
    ORDER = "o"
    INVOICE = "i"
    INVOICE_SETTINGS = "t"
    CURRENCY = "m"
    """A source's own currency row: reference data, no node of the graph."""
    LABEL = "l"
    """What an installation calls one of its codes: reference data, no node of the graph."""
    SOURCE = "s"
    """A configured source; its native id is empty."""


_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode
_KINDS: Final = frozenset(kind.value for kind in Kind)


@value(frozen=True, slots=True)
class Ref:
    """The key of an object.

    `source` is the configuration key; `native_id` the one canonical form of the source's own key, as text, composite keys
    joined by `/`. `hint` is another key that came along with the reference (an order number, say) and may save a call; it is
    no part of the identity.
    """

    source: str
    kind: Kind
    native_id: str
    hint: str | None = field(default=None, compare=False)

    @property
    def global_id(self) -> str:
        """The opaque, stateless id of the graph."""
        text = f'["{self.kind.value}",{_quoted(self.source)},{_quoted(self.native_id)}]'
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    @classmethod
    def from_global_id(cls, global_id: str) -> Ref:
        """Read an id that `global_id` made; raises `InvalidInput` for anything else."""
        parts = _unpack(global_id)
        if parts is None:
            raise InvalidInput("id: this is no id of this gateway")
        kind, source, native_id = parts
        ref = cls(source, Kind(kind), native_id)
        if not _is_id_of(ref, global_id):
            raise InvalidInput("id: this is no id of this gateway")
        return ref


def _is_id_of(ref: Ref, global_id: str) -> bool:
    """Say whether it is the one spelling: one object has one id, no padding, no other JSON."""
    try:
        return ref.global_id == global_id
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can spell and no text has
        return False


def _unpack(global_id: str) -> tuple[str, str, str] | None:
    if not global_id or len(global_id) > _MAX_ID_LENGTH:
        return None
    try:
        padded = global_id + "=" * (-len(global_id) % 4)
        value = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    match value:
        case [str(kind), str(source), str(native_id)] if kind in _KINDS:
            return kind, source, native_id
        case _:
            return None
