"""Files as the API hands them out: Base64 in JSON, with the length and the SHA-1 of the content."""

from __future__ import annotations

import base64
import hashlib

from gateway.sandbox.shopctrl.reference import Record


def make_pdf(lines: list[str]) -> bytes:
    """Make a valid one-page PDF 1.4 that shows the lines."""
    shown = " T* ".join(f"({_escaped(line)}) Tj" for line in lines)
    content = f"BT /F1 12 Tf 14 TL 72 770 Td {shown} ET".encode("cp1252", "replace")
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    pdf = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(pdf)
    pdf += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    pdf += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    pdf += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, start)
    return bytes(pdf)


def make_file(file_id: int, filename: str, content: bytes, created: str) -> Record:
    """Make the file record of some content."""
    return {
        "CreatedTimestamp": created,
        "ChangedTimestamp": None,
        "FileLength": len(content),
        "Checksum": hashlib.sha1(content, usedforsecurity=False).hexdigest(),  # the vendor's
        "Sequence": 0,
        "Base64Data": base64.b64encode(content).decode("ascii"),
        "Id": file_id,
        "Filename": filename,
    }


def make_invoice_file(file_id: int, invoice: Record, created: str) -> Record:
    """Make the printed invoice."""
    name = invoice["InvoiceCode"] or f"factuur-{invoice['Id']}"
    lines = [
        f"Factuur {name}",
        f"Order {invoice['OrderCode']}",
        f"Datum {invoice['InvoiceDate'][:10]}",
        f"Totaal {invoice['InvoiceTotalIncVat']} {invoice['CurrencyCode'] or ''}".rstrip(),
    ]
    return make_file(file_id, f"{name}.pdf", make_pdf(lines), created)


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
