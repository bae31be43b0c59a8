"""The overview of all reports in a folder: every study's verdict in one table."""

import json
from pathlib import Path
from typing import Any

from finetune.report.markdown import Section, join_sections, number, paragraphs, plain, table

_TITLE = "What the suite finds"


def overview(folder: Path) -> str:
    """Give the Markdown that stands over the reports of a folder."""
    studies = [_study(path.parent) for path in sorted(folder.glob("*/verdict.json"))]
    others = [
        f"- [{path.parent.name}]({path.parent.name}/report.md)"
        for path in sorted(folder.glob("*/report.md"))
        if not (path.parent / "verdict.json").exists()
    ]
    columns = ["study", "verdict", "outcome", "seeds", "training loss", "test loss", "on accuracy"]
    opening = paragraphs(
        'The claim under test: *"reducing the learning rate from the start causes underfitting."* '
        "Each study compares reduction from epoch 0 with reduction that starts later, over many "
        "seeds. Differences are from-start minus delayed, with 95 % t intervals; higher is worse.",
        table(studies, columns=columns, align="left") if studies else "No study has run yet.",
    )
    more = [Section("Besides", "\n".join(others))] if others else []
    return join_sections(_TITLE, opening=opening, sections=more)


def _study(folder: Path) -> list[str]:
    verdict: dict[str, Any] = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    secondary = verdict["secondary"]
    return [
        f"[{plain(folder.name)}]({folder.name}/report.md)",
        f"**{verdict['verdict']}**",
        plain(verdict["label"]),
        str(verdict["n"]),
        _difference(verdict["primary"]["train"]),
        _difference(verdict["primary"]["test"]),
        f"{secondary['verdict']} ({plain(secondary['label'])})" if secondary else "not measured",
    ]


def _difference(side: dict[str, Any]) -> str:
    found = side["difference"]
    low, high = (number(found[end]) for end in ("low", "high"))
    return f"{number(found['mean'])} [{low}, {high}]"
