"""All sections below a report's first screen, in reading order: a new one is added here."""

from finetune.report.sections.base import ReportSection
from finetune.report.sections.budgets import BUDGETS
from finetune.report.sections.callbacks import CALLBACKS
from finetune.report.sections.checks import CHECKS
from finetune.report.sections.comparisons import COMPARISONS
from finetune.report.sections.failures import FAILURES
from finetune.report.sections.parity import PARITY
from finetune.report.sections.probe import PROBE
from finetune.report.sections.provenance import PROVENANCE
from finetune.report.sections.reproduction import REPRODUCTION
from finetune.report.sections.results import RESULTS
from finetune.report.sections.setup import SETUP
from finetune.report.sections.tuned import TUNED
from finetune.report.sections.variance import VARIANCE
from finetune.report.sections.verdict import VERDICT

# What stands above it is read in two minutes.
DETAILS = ReportSection(
    "Details",
    lambda context: (
        "How every number above came about; each term is explained where it first stands."
    ),
)

SECTIONS = (
    DETAILS,
    SETUP,
    VERDICT,
    COMPARISONS,
    RESULTS,
    BUDGETS,
    CALLBACKS,
    VARIANCE,
    TUNED,
    CHECKS,
    PROBE,
    PARITY,
    FAILURES,
    REPRODUCTION,
    PROVENANCE,
)
