"""Markdown as GitHub renders it: sections, tables, and text made safe to stand in them."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from finetune.errors import escape_unprintable

NONE = "-"

_SPECIAL = re.compile(r"([\\`*_\[\]|#~!])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "<span>$</span>"}
# GitHub links these, and mentions the user after an @, unless an element stands in between.
# Source: GitHub Flavored Markdown, "Autolinks (extension)".
_LINKED = re.compile(r"@|(?<=:)//|(?<=www)\.", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """A finished section; `body` is Markdown, and headings in it start at level 3."""

    title: str
    body: str


def join_sections(title: str, *, opening: str, sections: Iterable[Section]) -> str:
    """Join the whole document: title, the opening text, then the sections that have a body."""
    blocks = [] if opening.lstrip().startswith("# ") else [f"# {title}"]
    blocks += [opening.strip()] if opening.strip() else []
    for section in sections:
        if section.body.strip():
            blocks += [f"## {section.title}", section.body.strip()]
    return paragraphs(*blocks) + "\n"


def paragraphs(*blocks: str) -> str:
    """Join blocks with the blank lines that tables, lists and headings need around them."""
    return "\n\n".join(filter(None, blocks))


def bullets(*items: str) -> str:
    """Return a list, an item a line; empty items are left out."""
    return "\n".join(f"- {item}" for item in items if item)


def folded(summary: str, body: str) -> str:
    """Return text that the reader opens with a click."""
    return paragraphs(f"<details>\n<summary>{summary}</summary>", body, "</details>")


def table(rows: Sequence[Sequence[str]], *, columns: Sequence[str], align: str = "right") -> str:
    """Return a table of finished texts; the first column is aligned left, others by `align`."""
    frame = pd.DataFrame(list(rows), columns=list(columns))
    align_all = ["left", *[align] * (len(columns) - 1)]
    # Without disable_numparse tabulate would round the texts that look like numbers.
    return frame.to_markdown(index=False, disable_numparse=True, colalign=align_all)


def plain(text: object) -> str:
    """Escape text that may hold anything, so that it shows as it is, in tables too."""
    escaped = _SPECIAL.sub(r"\\\1", _flat(text))
    shown = re.sub("[&<>$]", lambda match: _ENTITIES[match.group()], escaped)
    return _LINKED.sub(lambda match: f"<span>{match.group()}</span>", shown)


def quoted(name: str) -> str:
    """Return a variant's name as prose shows it."""
    return f'"{plain(name)}"'


def code(text: object) -> str:
    """Return text in code style, with a fence longer than any run of backticks in it."""
    flat = _flat(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", flat)), default=0))
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def code_block(text: str, *, language: str) -> str:
    """Return lines of code, with a fence longer than any run of backticks in them."""
    text = "\n".join(map(escape_unprintable, text.split("\n")))
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.strip()}\n{fence}"


def _flat(text: object) -> str:
    """Return a text in one line, without characters that act and do not show."""
    return escape_unprintable(" ".join(str(text).split()))


def number(value: float, *, digits: int = 3) -> str:
    """Return a number with its significant digits; a dash where there is none."""
    return f"{value:.{digits}g}" if pd.notna(value) else NONE


def percent(share: float) -> str:
    """Return a share as prose prints it."""
    return f"{100 * share:.3g} %"


def p_value(p: float) -> str:
    """Return a p-value with the digits that matter."""
    if p < 1e-4:
        return "< 0.0001"
    return f"{p:.2g}" if p < 0.995 else "1"


def estimate(mean: float, low: float, high: float) -> str:
    """Return `mean [low, high]`, rounded to the two leading digits of the interval's half-width."""
    style = _rounding(mean, half=(high - low) / 2)
    return f"{mean:{style}} [{low:{style}}, {high:{style}}]" if style else number(mean)


def plus_minus(mean: float, low: float, high: float) -> str:
    """Return `mean ± half-width` of a symmetric interval, rounded as `estimate` does."""
    half = (high - low) / 2
    style = _rounding(mean, half=half)
    return f"{mean:{style}} ± {half:{style}}" if style else number(mean)


def _rounding(mean: float, *, half: float) -> str:
    """Return a format for the two leading digits of `half`; none where there is no interval."""
    if not math.isfinite(half) or half <= 1e-12 * abs(mean):
        return ""
    decimals = max(0, 1 - math.floor(math.log10(half)))
    # z: what rounds to zero has no sign.
    return f"z.{decimals}f" if decimals <= 6 else ".2g"


def spread(median: float, low: float, high: float) -> str:
    """Return `median (low to high)`, or the one value where all are the same."""
    if pd.isna(median):
        return NONE
    return number(median) if low == high else f"{number(median)} ({number(low)} to {number(high)})"
