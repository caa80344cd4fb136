"""The page of an explorer that was never built: how to get it, and the same questions for curl. No script."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Sequence
from html import escape
from typing import Final

from gateway.explorer.journey import Journey

_STYLE: Final = """\
:root { color-scheme: light dark; }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
pre { padding: .75rem 1rem; overflow-x: auto; border: 1px solid; border-radius: .5rem; font-size: .875rem; }
"""
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Explorer of the invoice gateway</title>
<style>{style}</style>
</head>
<body>
<h1>The explorer is not built</h1>
<p>The gateway itself works. Its explorer is built when the project is installed where node 20.19 or later and npm are. Once they are,</p>
<pre>uv run python -m gateway.explorer.bundle</pre>
<p>builds it in a few seconds, or says why not. Then start the gateway again.</p>
<h2>Ask without it</h2>
<pre>{curl}</pre>
{journeys}</body>
</html>
"""


def unbuilt_style_source() -> str:
    """Give the source of the page's style as a content policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"


def unbuilt_page(journeys: Sequence[Journey], address: str) -> str:
    """Give the page for the prepared questions of a gateway whose address ends in `/`."""
    first = journeys[0] if journeys else Journey("", "", "{ caller { name permissions } }")
    return _PAGE.format(style=_STYLE, curl=escape(_curl(first, address)), journeys="".join(_section(each) for each in journeys))


def _section(journey: Journey) -> str:
    return f"<h2>{escape(journey.title)}</h2>\n<p>{escape(journey.description)}</p>\n<pre>{escape(journey.query)}</pre>\n"


def _curl(journey: Journey, address: str) -> str:
    asked: dict[str, object] = {"query": journey.query}
    if journey.variables:
        asked["variables"] = dict(journey.variables)
    body = json.dumps(asked, ensure_ascii=False)
    return f"curl -s {shlex.quote(f'{address}graphql')} -H 'content-type: application/json' -d {shlex.quote(body)}"
