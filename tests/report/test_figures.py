import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

from finetune.report.curve_figures import learning_curves, learning_rates
from finetune.report.figures import figure_files, figure_names
from finetune.report.run_figures import loss_scatter, metric_dots
from finetune.report.style import VariantStyles, shown

from .conftest import ODD_NAMES, ODD_VARIANTS, VARIANTS, make_study


def test_a_drawing_is_the_same_at_every_time_and_leaves_nothing_open(study):
    first, again = (figure_files(study.tables(), names=["learning_curves"]) for _ in range(2))
    assert set(first) == {"learning_curves.svg", "learning_curves.png"}
    assert first == again
    assert b"<dc:date>" not in first["learning_curves.svg"]
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize(
    "made",
    [
        make_study(seeds=1),
        make_study(seeds=2, failed=(("both", 0), ("both", 1), ("reduction", 0))),
        make_study(seeds=2, variants=ODD_VARIANTS),
        make_study(variants=VARIANTS[2:3]),
        make_study(seeds=2, variants=[{"name": f"v{i}"} for i in range(9)]),
    ],
    ids=["one seed", "failed", "odd names", "one variant", "nine variants"],
)
def test_every_figure_draws_unusual_studies(made):
    tables = made.tables()
    for draw in (learning_curves, learning_rates, loss_scatter, metric_dots):
        draw(tables).draw_without_rendering()


def test_figures_say_only_what_there_is():
    assert "accuracy_curves" not in figure_names(make_study(accuracy=False).tables())
    assert len(metric_dots(make_study(accuracy=False).tables()).axes) == 1
    everything = tuple((variant["name"], 0) for variant in VARIANTS)
    assert figure_names(make_study(seeds=1, failed=everything).tables()) == []


def test_curves_are_the_tables_means(study):
    axes = learning_curves(study.tables()).axes[1]
    means = study.tables().curves.query("variant == 'early stopping' and metric == 'val_loss'")
    drawn = axes.lines[1]
    assert list(drawn.get_xdata()) == [1, 2, 3, 4, 5, 6, 7]
    assert list(drawn.get_ydata()) == list(means["mean"])


def test_a_variant_has_its_colour_everywhere(study):
    tables = study.tables()
    colours = [*VariantStyles(tables.variants).colours.values()]
    for figure in (learning_curves(tables), learning_rates(tables)):
        assert [to_hex(line.get_color()) for line in figure.axes[0].lines] == colours
    dots = [dot for dot in loss_scatter(tables).axes[0].collections if len(dot.get_offsets()) == 4]
    assert [to_hex(dot.get_facecolor()[0]) for dot in dots] == colours


def test_seeds_keep_their_lane_across_variants(study):
    axes = metric_dots(study.tables()).axes[0]
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


@pytest.mark.slow
def test_a_full_study_has_small_svg_files():
    tables = make_study(seeds=100).tables()
    files = figure_files(tables, names=figure_names(tables))
    assert len(files) == 10
    assert all(len(text) < 300_000 for name, text in files.items() if name.endswith("svg"))
