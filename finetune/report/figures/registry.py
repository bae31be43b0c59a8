"""All figures, in the order in which they stand in a report: a new one is added here."""

from finetune.report.figures.accumulation import ACCUMULATION
from finetune.report.figures.budgets import BUDGET
from finetune.report.figures.claim import CLAIM_DOTS
from finetune.report.figures.claim_map import CLAIM_MAP
from finetune.report.figures.curves import (
    ACCURACY_CURVES,
    LEARNING_CURVES,
    LEARNING_RATES,
    METRIC_CURVES,
)
from finetune.report.figures.metric_claims import METRIC_CLAIMS
from finetune.report.figures.ranks import CRITICAL_DIFFERENCE
from finetune.report.figures.runs import LOSS_SCATTER, TEST_METRICS
from finetune.report.figures.search.heat_map import HEAT_MAP
from finetune.report.figures.search.history import HISTORY
from finetune.report.figures.search.importances import IMPORTANCES
from finetune.report.figures.search.learning_rates import WINNERS_RATES

STUDY_FIGURES = (
    CLAIM_DOTS,
    METRIC_CLAIMS,
    ACCUMULATION,
    CRITICAL_DIFFERENCE,
    TEST_METRICS,
    LOSS_SCATTER,
    LEARNING_CURVES,
    ACCURACY_CURVES,
    METRIC_CURVES,
    LEARNING_RATES,
    BUDGET,
)
SEARCH_FIGURES = (HEAT_MAP, HISTORY, IMPORTANCES, WINNERS_RATES)
MAP_FIGURES = (CLAIM_MAP,)
