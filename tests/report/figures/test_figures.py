"""What holds for all figures of a study, and the figures of its runs and of its training."""

import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

from finetune.report.figures.base import figure_files
from finetune.report.figures.budgets import BUDGET
from finetune.report.figures.claim import CLAIM_DOTS
from finetune.report.figures.curves import LEARNING_CURVES, LEARNING_RATES, METRIC_CURVES
from finetune.report.figures.registry import MAP_FIGURES, SEARCH_FIGURES, STUDY_FIGURES
from finetune.report.figures.runs import LOSS_SCATTER, TEST_METRICS
from finetune.report.figures.style import VariantStyles, shown
from tests.made_study import CLAIM_VARIANTS, ODD_NAMES, make_claim, make_study


def names_of(analysis) -> list[str]:
    return [figure.name for figure in STUDY_FIGURES if figure.applies(analysis)]


def test_every_figure_has_a_name_of_its_own_and_a_text_for_those_who_cannot_see_it():
    figures = [*STUDY_FIGURES, *SEARCH_FIGURES, *MAP_FIGURES]
    assert len({figure.name for figure in figures}) == len(figures)
    assert all(figure.alt for figure in figures)


def test_a_drawing_is_the_same_at_every_time_and_leaves_nothing_open(claimed_analysis):
    first, again = (figure_files([CLAIM_DOTS], claimed_analysis) for _ in range(2))
    assert set(first) == {"figures/claim.svg", "figures/claim.png"}
    assert first == again
    assert b"<dc:date>" not in first["figures/claim.svg"]
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize(
    "made",
    [
        make_study(seeds=1, failed=(("reduction", 0),)),
        make_study(seeds=2, variants=[{"name": f"v{i}"} for i in range(9)], accuracy=False),
    ],
    ids=["one seed", "nine variants"],
)
def test_every_figure_draws_unusual_studies(made):
    analysis = made.analysis()
    for figure in (LEARNING_CURVES, LEARNING_RATES, LOSS_SCATTER, TEST_METRICS, BUDGET):
        figure.draw(analysis).draw_without_rendering()


@pytest.mark.parametrize("metrics", [("auc",), ("auc", "f1", "log_loss")])
def test_further_metrics_have_a_panel_each(metrics):
    analysis = make_study(metrics=metrics).analysis()
    assert METRIC_CURVES.applies(analysis)
    drawn = METRIC_CURVES.draw(analysis)
    titles = [axes.get_title() for axes in drawn.axes]
    assert titles == ["Validation AUC", "Validation F1", "Validation log loss"][: len(metrics)]
    assert "validation AUC: higher is better" in METRIC_CURVES.caption(analysis)
    tests = [axes.get_title() for axes in TEST_METRICS.draw(analysis).axes]
    assert tests[:3] == ["Test loss", "Test accuracy", "Test AUC"]
    assert len(tests) == 2 + len(metrics)


def test_a_figure_applies_where_there_is_something_to_draw(analysis, claimed_analysis):
    assert "claim" not in names_of(analysis)
    everywhere = [figure.name for figure in STUDY_FIGURES if figure is not METRIC_CURVES]
    assert names_of(claimed_analysis) == everywhere
    regression = make_claim(accuracy=False).analysis()
    assert "accuracy_curves" not in names_of(regression)
    assert len(TEST_METRICS.draw(regression).axes) == 1
    everything = tuple((variant["name"], 0) for variant in CLAIM_VARIANTS)
    assert names_of(make_claim(seeds=1, failed=everything).analysis()) == []
    lost = make_claim(seeds=1, failed=(("reduction", 0),)).analysis()
    assert not {"claim", "critical_difference"} & set(names_of(lost))


def test_curves_are_the_tables_means(analysis):
    axes = LEARNING_CURVES.draw(analysis).axes[1]
    means = analysis.curves.query("variant == 'early stopping' and metric == 'val_loss'")
    drawn = axes.lines[1]
    assert list(drawn.get_xdata()) == [1, 2, 3, 4, 5, 6, 7]
    assert list(drawn.get_ydata()) == list(means["mean"])


def test_a_variant_has_its_colour_everywhere(analysis):
    colours = [*VariantStyles(analysis.variants).colours.values()]
    for figure in (LEARNING_CURVES.draw(analysis), LEARNING_RATES.draw(analysis)):
        assert [to_hex(line.get_color()) for line in figure.axes[0].lines] == colours
    scatter = LOSS_SCATTER.draw(analysis).axes[0]
    dots = [dot for dot in scatter.collections if len(dot.get_offsets()) == 4]
    assert [to_hex(dot.get_facecolor()[0]) for dot in dots] == colours


def test_seeds_keep_their_height_across_variants(analysis):
    axes = TEST_METRICS.draw(analysis).axes[0]
    paths = next(c for c in axes.collections if len(c.get_paths()) == 4).get_paths()
    for path in paths:
        rows = path.vertices[:, 1]
        assert rows - rows[0] == pytest.approx([0, 1, 2, 3])


def test_budgets_are_drawn_as_means_against_the_epochs_run(analysis):
    axes = BUDGET.draw(analysis).axes[0]
    colour = VariantStyles(analysis.variants).colours["early stopping"]
    line = next(line for line in axes.lines if line.get_color() == colour)
    assert list(line.get_xdata()) == [1, 2, 5, 6.75, 6.75]
    means = analysis.budgets.query("variant == 'early stopping' and metric == 'test_loss'")["mean"]
    assert list(line.get_ydata()) == list(means)
    assert axes.get_xscale() == "log"


def test_styles_keep_many_variants_apart():
    styles = VariantStyles([str(i) for i in range(40)])
    looks = {
        (styles.colours[name], str(styles.dashes[name]), styles.markers[name])
        for name in styles.variants
    }
    assert len(looks) == 40


def test_a_long_name_is_wrapped_and_dollars_are_no_mathematics():
    assert max(map(len, shown(ODD_NAMES[2]).split("\n"))) <= 30
    assert shown("$a$") == r"\$a\$"
