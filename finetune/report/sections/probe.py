"""The probe: whether the treatment's learning rate was starved, as evidence beside the verdict."""

from finetune.report.markdown import Section, estimate, paragraphs, table
from finetune.stats.paired import Difference
from finetune.stats.probe import Probe

_FINDINGS = {
    "starved": "Both losses fell further at the base LR, so the LR had been cut too far to go on "
    "learning: that supports underfitting.",
    "not starved": "Training on at the base LR did not make both losses fall further: the cuts did "
    "not keep the network from learning more of use.",
    "undetermined": "The seeds do not settle whether both losses fall further at the base LR.",
}


def probe_section(probe: Probe, *, epochs: int) -> Section:
    """Say what happened when the treatment's final weights were trained on."""
    text = (
        f"After training, the treatment went on for {epochs} epochs, once at the base LR and once "
        "at the LR that its cuts had left. The table shows how much further each loss fell at the "
        f"base LR, over {probe.train.n} paired seeds. {_FINDINGS[probe.finding]} "
        "This is evidence beside the verdict, not part of it."
    )
    rows = [_row("training loss", probe.train), _row("test loss", probe.test)]
    columns = ["", "extra fall at the base LR [95 % interval]", "dz"]
    return Section(
        "Probe: was the learning rate starved?", paragraphs(text, table(rows, columns=columns))
    )


def _row(name: str, extra: Difference) -> list[str]:
    return [name, estimate(extra.mean, extra.low, extra.high), f"{extra.dz:.2g}"]
