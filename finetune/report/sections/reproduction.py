"""How to make the same report again."""

from finetune.report.markdown import code_block, paragraphs
from finetune.report.sections.base import ReportSection
from finetune.store.manifest import Manifest


def reproduction(manifest: Manifest) -> str:
    """Show the command, and where all that it rests on is kept."""
    command = (manifest.command or "").strip()
    return paragraphs(
        code_block(command, language="sh") if command else "",
        "`manifest.json` holds the whole study file and the versions; `tables/` holds every number "
        "above, with all digits.",
    )


REPRODUCTION = ReportSection("How to reproduce", lambda context: reproduction(context.manifest))
