"""File -> the checked content of a document, pure. Page: `GET v1/Files/{fileId}` of https://api.demo.shopctrl.com/Help."""

from __future__ import annotations

import binascii
from base64 import b64decode
from hashlib import sha1
from pathlib import PurePosixPath
from typing import Final

from gateway.model import Document, DocumentContent
from gateway.sources.decode import Malformed, text_or_none
from gateway.sources.shopctrl.mapping import safe_file_name
from gateway.sources.shopctrl.payloads import FilePayload

# What invoices are kept as; anything else is sent as bytes that no browser opens.
_MEDIA_TYPES: Final = {
    "": "application/pdf",
    ".pdf": "application/pdf",
    ".xml": "application/xml",
    ".zip": "application/zip",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


def to_content(payload: FilePayload, document: Document) -> DocumentContent:
    """Map a file; raises `Malformed` where the content is missing, is no Base64, or is not what length and checksum say."""
    content = _decoded(payload.base64_data)
    if payload.file_length is not None and payload.file_length != len(content):
        raise Malformed("FileLength: the content has another length")
    checksum = text_or_none(payload.checksum)
    if checksum is not None and checksum.strip().replace("-", "").lower() != sha1(content, usedforsecurity=False).hexdigest():
        raise Malformed("Checksum: the content has another SHA-1")
    name = safe_file_name(text_or_none(payload.filename) or document.file_name)
    return DocumentContent(content, _MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream"), name)


def _decoded(text: str | None) -> bytes:
    try:
        content = b64decode("".join((text or "").split()), validate=True)  # some break it into lines
    except (ValueError, binascii.Error):
        raise Malformed("Base64Data: it is no Base64") from None
    if not content:
        raise Malformed("Base64Data: there is none")
    return content
