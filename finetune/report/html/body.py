"""The Markdown of a report as HTML: tables that scroll, figures within, and no foreign element."""

import base64
import html
import re
from collections.abc import Callable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

# Returns a figure, an SVG file, by its path in the report; None where there is none.
FindFigure = Callable[[str], bytes | None]

# What reports themselves write, and GitHub knows; any other element shows as text.
_OWN = re.compile(r"</?(details|summary|span)>|<br>")
_SCROLL = '<div class="scroll" tabindex="0" role="region" aria-label="Table">\n'


def parse(text: str) -> list[Token]:
    """Parse a report; its headings have the ids by which GitHub links them."""
    return _reader().parse(text)


def render_body(tokens: Sequence[Token], *, find_figure: FindFigure) -> str:
    """Return the HTML of a parsed report."""
    reader = _reader()
    return reader.renderer.render(tokens, reader.options, {"find_figure": find_figure})


def headings(tokens: Sequence[Token], *, level: int) -> list[tuple[str, str]]:
    """Return the id and the text of each heading of a level."""
    return [
        (str(token.attrs["id"]), _text(tokens[place + 1]))
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == f"h{level}"
    ]


def _reader() -> MarkdownIt:
    reader = MarkdownIt("gfm-like", {"linkify": False}).use(anchors_plugin, max_level=3)
    for kind, rule in _RULES.items():
        reader.add_render_rule(kind, rule)
    return reader


def _text(inline: Token) -> str:
    shown = ("text", "code_inline", "text_special")
    return "".join(child.content for child in inline.children or () if child.type in shown)


def _own_elements(_: RendererHTML, tokens: Sequence[Token], place: int, *__: Any) -> str:
    """Return raw HTML, its text and every element that is not the report's own as text."""
    content, parts, end = tokens[place].content, [], 0
    for found in _OWN.finditer(content):
        parts += [html.escape(content[end : found.start()], quote=False), found.group()]
        end = found.end()
    return "".join([*parts, html.escape(content[end:], quote=False)])


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any
) -> str:
    """Return a figure within the page; where there is none, what it would have shown."""
    token = tokens[place]
    alt = html.escape(renderer.renderInlineAsText(token.children, options, env))
    drawn = env["find_figure"](str(token.attrs["src"]))
    if drawn is None:
        return f"<em>{alt}</em>"
    # An image cannot run what a file may hold, and its ids and styles stay its own.
    data = base64.b64encode(drawn).decode()
    return f'<img alt="{alt}" src="data:image/svg+xml;base64,{data}">'


def _link(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, _: Any) -> str:
    """Link pages to pages: other reports have theirs beside their Markdown."""
    token = tokens[place]
    target = str(token.attrs["href"])
    if ":" not in target:
        token.attrs["href"] = re.sub(r"(^|/)report\.md(?=#|$)", r"\1report.html", target)
    return renderer.renderToken(tokens, place, options, {})


def _open_table(*_: Any) -> str:
    return f"{_SCROLL}<table>\n"


def _close_table(*_: Any) -> str:
    return "</table>\n</div>\n"


_RULES: dict[str, Callable[..., str]] = {
    "html_block": _own_elements,
    "html_inline": _own_elements,
    "image": _image,
    "link_open": _link,
    "table_open": _open_table,
    "table_close": _close_table,
}
