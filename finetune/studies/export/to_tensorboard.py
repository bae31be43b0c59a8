"""Export to TensorBoard: a run a variant, the report and its figures in a run of their own."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from finetune.engines.tensorflow_import import import_tensorflow
from finetune.errors import StoreError
from finetune.studies.export.record import StudyRecord, VariantRecord

import_tensorflow()

import tensorflow as tf  # noqa: E402
from tensorboard.plugins.custom_scalar import layout_pb2  # noqa: E402
from tensorboard.plugins.custom_scalar import summary as custom_scalar  # noqa: E402

# Its classes are made when it is loaded, which no type checker sees.
_layout: Any = layout_pb2


def export_tensorboard(record: StudyRecord, out: str) -> str:
    """Write event files; say how to look at them.

    Raises:
        StoreError: They cannot be written.
    """
    folder = Path(out)
    try:
        for variant in record.variants:
            with _writer(folder / variant.run):
                _write_variant(variant)
        with _writer(folder / "report"):
            _write_report(record)
    except (OSError, tf.errors.OpError) as error:
        # TensorFlow's say in which of its operations it was.
        reason = getattr(error, "strerror", None) or str(error).partition(" [Op:")[0]
        raise StoreError(
            f"--out: cannot write to {out!r}: {reason}; give a folder that you may write to"
        ) from error
    return f"Look at them: tensorboard --logdir {folder}"


def _writer(folder: Path) -> tf.summary.SummaryWriter:
    """Return a writer to a run's folder, in which what was exported before is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("events.out.tfevents.*"):
        file.unlink()
    return tf.summary.create_file_writer(str(folder)).as_default()


def _write_variant(variant: VariantRecord) -> None:
    for key, epoch, value in variant.values():
        tf.summary.scalar(key, value, step=epoch)
    for row in variant.final.to_dict("records"):
        tf.summary.scalar(f"final/{row['metric']}", row["mean"], step=0)
    settings = [f"    {path} = {value}" for path, value in variant.settings.items()]
    tf.summary.text("settings", "\n".join([f"    {variant.name}", *settings]), step=0)


def _write_report(record: StudyRecord) -> None:
    tf.summary.text("report", record.report, step=0)
    for file in record.figures:
        image = tf.io.decode_png(file.read_bytes(), channels=4)
        tf.summary.image(f"figures/{file.stem}", image[None], step=0)
    metrics = {metric for one in record.variants for metric in one.curves["metric"]}
    tf.summary.experimental.write_raw_pb(_charts(sorted(metrics)).SerializeToString(), step=0)


def _charts(metrics: Iterable[str]) -> Any:
    """Return the layout that draws each mean within its interval."""
    charts = [_layout.Chart(title=metric, margin=_band(metric)) for metric in metrics]
    category = _layout.Category(title="Means over seeds with 95 % intervals", chart=charts)
    return custom_scalar.pb(_layout.Layout(category=[category]))


def _band(metric: str) -> Any:
    keys = {"value": f"{metric}/mean", "lower": f"{metric}/low", "upper": f"{metric}/high"}
    content = _layout.MarginChartContent
    return content(series=[content.Series(**keys)])
