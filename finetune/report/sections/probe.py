"""The probe: whether the treatment's learning rate was too low to go on learning."""

from finetune.planning.checks import PROBE_EPOCHS
from finetune.report.markdown import estimate, paragraphs, table
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.stats.paired import Difference

_FINDINGS = {
    "starved": "Both losses fell further at the base LR, so the LR had been cut too far to go on "
    "learning: that supports underfitting.",
    "not starved": "Training on at the base LR did not make both losses fall further: the cuts did "
    "not keep the network from learning more of use.",
    "undetermined": "The seeds do not settle whether both losses fall further at the base LR.",
}


def probe(context: ReportContext) -> str:
    """Show what happened when the treatment's final weights were trained on, if they were."""
    found = context.analysis.probe
    if found is None:
        return ""
    text = (
        f"After training, the treatment went on for {PROBE_EPOCHS} epochs, once at the base LR and "
        "once at the LR that its cuts had left. The table shows how much further each loss fell at "
        f"the base LR, over {found.train.n} paired seeds. {_FINDINGS[found.finding]} "
        "This is evidence beside the verdict, not part of it."
    )
    rows = [_row("training loss", found.train), _row("test loss", found.test)]
    columns = ["", "extra fall at the base LR [95 % interval]", "dz"]
    return paragraphs(text, table(rows, columns=columns))


def _row(name: str, extra: Difference) -> list[str]:
    return [name, estimate(extra.mean, extra.low, extra.high), f"{extra.dz:.2g}"]


PROBE = ReportSection("Probe: was the learning rate starved?", probe)
