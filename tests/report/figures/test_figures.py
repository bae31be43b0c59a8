import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

from finetune.report.figures.curves import learning_curves, learning_rates
from finetune.report.figures.registry import figure_files, figure_names
from finetune.report.figures.runs import loss_scatter, metric_dots
from finetune.report.figures.style import VariantStyles, shown
from tests.made_study import CLAIM_VARIANTS, ODD_NAMES, make_claim, make_study


def test_a_drawing_is_the_same_at_every_time_and_leaves_nothing_open(claimed_tables):
    first, again = (figure_files(claimed_tables, names=["claim"]) for _ in range(2))
    assert set(first) == {"claim.svg", "claim.png"}
    assert first == again
    assert b"<dc:date>" not in first["claim.svg"]
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize(
    "made",
    [
        make_study(seeds=1, failed=(("reduction", 0),)),
        make_study(seeds=2, variants=[{"name": f"v{i}"} for i in range(9)]),
    ],
    ids=["one seed", "nine variants"],
)
def test_every_figure_draws_unusual_studies(made):
    tables = made.tables()
    for draw in (learning_curves, learning_rates, loss_scatter, metric_dots):
        draw(tables).draw_without_rendering()


def test_figures_say_only_what_there_is(tables, claimed_tables):
    assert "claim" not in figure_names(tables)
    assert figure_names(claimed_tables)[:2] == ["claim", "critical_difference"]
    regression = make_claim(accuracy=False).tables()
    assert "accuracy_curves" not in figure_names(regression)
    assert len(metric_dots(regression).axes) == 1
    everything = tuple((variant["name"], 0) for variant in CLAIM_VARIANTS)
    assert figure_names(make_claim(seeds=1, failed=everything).tables()) == []
    lost = make_claim(seeds=1, failed=(("reduction", 0),)).tables()
    assert not {"claim", "critical_difference"} & set(figure_names(lost))


def test_curves_are_the_tables_means(tables):
    axes = learning_curves(tables).axes[1]
    means = tables.curves.query("variant == 'early stopping' and metric == 'val_loss'")
    drawn = axes.lines[1]
    assert list(drawn.get_xdata()) == [1, 2, 3, 4, 5, 6, 7]
    assert list(drawn.get_ydata()) == list(means["mean"])


def test_a_variant_has_its_colour_everywhere(tables):
    colours = [*VariantStyles(tables.variants).colours.values()]
    for figure in (learning_curves(tables), learning_rates(tables)):
        assert [to_hex(line.get_color()) for line in figure.axes[0].lines] == colours
    dots = [dot for dot in loss_scatter(tables).axes[0].collections if len(dot.get_offsets()) == 4]
    assert [to_hex(dot.get_facecolor()[0]) for dot in dots] == colours


def test_seeds_keep_their_lane_across_variants(tables):
    axes = metric_dots(tables).axes[0]
    paths = next(c for c in axes.collections if len(c.get_paths()) == 4).get_paths()
    for path in paths:
        rows = path.vertices[:, 1]
        assert rows - rows[0] == pytest.approx([0, 1, 2, 3])


def test_styles_tell_many_variants_apart():
    styles = VariantStyles([str(i) for i in range(40)])
    looks = {
        (styles.colours[name], str(styles.dashes[name]), styles.markers[name])
        for name in styles.variants
    }
    assert len(looks) == 40


def test_a_long_name_is_wrapped_and_dollars_are_no_mathematics():
    assert max(map(len, shown(ODD_NAMES[2]).split("\n"))) <= 30
    assert shown("$a$") == r"\$a\$"
