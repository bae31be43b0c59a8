"""The answer, first: the verdict in one sentence, and what it rests on."""

from finetune.report.markdown import bullets, paragraphs
from finetune.stats.verdict import Verdict
from finetune.stats.wording import sentence, sentences


def claim_section(verdict: Verdict) -> str:
    """Render the verdict; every word of it comes from the verdict object."""
    return paragraphs(f"**{sentence(verdict)}**", bullets(*sentences(verdict)))
