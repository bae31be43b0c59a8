"""The page of a report, which needs no other file and reaches for none."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from finetune.errors import StoreError
from finetune.report.html.body import FindFigure, headings, parse, render_body
from finetune.spec.regular_file import read_regular
from finetune.store.atomic import write_whole

REPORT_FILE, PAGE_FILE = "report.md", "report.html"

_FIGURE = re.compile(r"figures/[A-Za-z0-9_-]+\.svg")

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}</main>
<nav id="sections" aria-label="Sections">
<ul>
{sections}
</ul>
</nav>
<script>{script}</script>
</body>
</html>
"""


def page(text: str, *, find_figure: FindFigure) -> bytes:
    """Return the page of a report.

    Args:
        text: The report, in Markdown.
        find_figure: Returns each of its figures, an SVG file, by its path in the report.
    """
    tokens = parse(text)
    title = next((name for _, name in headings(tokens, level=1)), "Report")
    sections = "\n".join(
        f'<li><a href="#{html.escape(place)}">{html.escape(name)}</a></li>'
        for place, name in headings(tokens, level=2)
    )
    script = _asset("page.js")
    return _PAGE.format(
        policy=_policy(script),
        title=html.escape(title),
        style=_asset("page.css"),
        body=render_body(tokens, find_figure=find_figure),
        sections=sections,
        script=script,
    ).encode()


def write_page(
    folder: Path, text: str, *, name: str = PAGE_FILE, drawn: Mapping[str, bytes] | None = None
) -> Path:
    """Write the page of a report into its folder; return its path.

    Args:
        folder: Holds the figures.
        text: The report, in Markdown.
        name: Of the page's file.
        drawn: Files that are not there yet, by their path in the folder.

    Raises:
        StoreError: It cannot be written.
    """
    files = drawn or {}
    content = page(text, find_figure=lambda path: files.get(path) or read_figure(folder, path))
    write_whole(folder / name, content)
    return folder / name


def renew_page(folder: Path) -> Path:
    """Write the page of a report anew from the Markdown and the figures in its folder.

    Raises:
        StoreError: There is no report that can be read, or the page cannot be written.
    """
    try:
        text = read_regular(folder / REPORT_FILE, follow=False).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file in UTF-8"
        raise StoreError(
            f"DIR: cannot read {str(folder / REPORT_FILE)!r}: {reason}; allowed is a folder that "
            "`finetune run` wrote"
        ) from error
    return write_page(folder, text)


def read_figure(folder: Path, path: str) -> bytes | None:
    """Return a figure in a report's folder; None where there is none of that path."""
    if not _FIGURE.fullmatch(path):
        return None
    try:
        return read_regular(folder / path, follow=False)
    except OSError:
        return None


def _asset(name: str) -> str:
    return (resources.files("finetune.report.html") / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Return what the page may do: show its own images, and run its own script."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
