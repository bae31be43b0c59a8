"""What the figures of a search share: what they draw, colours, titles and legends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from finetune.analysis.tuned import Tuned
from finetune.analysis.tuned_tables import TunedTables

TITLE_WIDTH = 38  # characters that fit above a panel
RANDOM_LOOK = {"color": "#a0a0a0", "linewidth": 0.9}
BEST_LOOK = {"color": "black", "linewidth": 1.8}


@dataclass(frozen=True, eq=False)
class SearchData:
    """What a figure of a search draws: what was found, and the tables behind it."""

    tuned: Tuned
    tables: TunedTables

    @property
    def drawn_variants(self) -> list[str]:
        """All variants compared, the winners last: on top of other lines, in colours, not grey."""
        arms = [arm.name for arm in self.tuned.arms]
        others = [name for name in self.tables.curves["variant"].unique() if name not in arms]
        return [*others, *arms]


def add_legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Put a legend in one row below all axes, where it covers no data."""
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
