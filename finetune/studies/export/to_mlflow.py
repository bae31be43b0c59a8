"""Export to MLflow: an experiment a study, a run a variant, below a run that holds the report."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from finetune.errors import StoreError, one_line
from finetune.studies.export.record import StudyRecord, VariantRecord

_DATABASE = "mlflow.db"
# MLflow takes no more at once.
_MOST_METRICS, _MOST_PARAMS = 1000, 100


def export_mlflow(record: StudyRecord, out: str) -> str:
    """Write runs to a folder, or to the tracking server at a URI; say how to look at them.

    Raises:
        StoreError: They cannot be written.
    """
    try:
        with _warnings_alone():
            uri = out if "://" in out else _database_in(Path(out))
            client = MlflowClient(tracking_uri=uri)
            _write(record, client, _experiment(client, record.spec.name, uri=uri))
    except (OSError, MlflowException, SQLAlchemyError) as error:
        reason = getattr(error, "strerror", None) or one_line(error)[:200]
        raise StoreError(
            f"--out: MLflow cannot write to {out!r}: {reason}; give a folder that you may write "
            "to, or the URI of a tracking server"
        ) from error
    return f"Look at them: mlflow ui --backend-store-uri {uri}"


@contextmanager
def _warnings_alone() -> Iterator[None]:
    """Keep what MLflow tells of its database from the user while the block runs."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _database_in(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / _DATABASE}"


def _experiment(client: MlflowClient, name: str, *, uri: str) -> str:
    """Return the id of the study's experiment; a database in a folder has its files beside it."""
    found = client.get_experiment_by_name(name)
    if found:
        return found.experiment_id
    database = Path(uri.removeprefix("sqlite:///"))
    ours = database.name == _DATABASE
    beside = (database.parent / "artifacts").resolve().as_uri() if ours else None
    return client.create_experiment(name, artifact_location=beside)


def _write(record: StudyRecord, client: MlflowClient, experiment: str) -> None:
    whole = client.create_run(experiment, run_name=record.spec.name).info.run_id
    for file in record.files:
        within = file.parent.as_posix() if file.parent.name else None
        client.log_artifact(whole, str(record.folder / file), artifact_path=within)
    for variant in record.variants:
        tags = {"mlflow.parentRunId": whole}
        run = client.create_run(experiment, run_name=variant.name, tags=tags).info.run_id
        _write_variant(variant, client, run)
        client.set_terminated(run)
    client.set_terminated(whole)


def _write_variant(variant: VariantRecord, client: MlflowClient, run: str) -> None:
    now = int(time.time() * 1000)
    params = [Param(path, str(value)[:500]) for path, value in variant.settings.items()]
    client.log_batch(run, params=params[:_MOST_PARAMS])
    curves = [Metric(key, value, now, epoch) for key, epoch, value in variant.values()]
    rows = variant.final.dropna(subset="mean").to_dict("records")
    final = [Metric(f"final/{row['metric']}", row["mean"], now, 0) for row in rows]
    metrics = [*curves, *final]
    for start in range(0, len(metrics), _MOST_METRICS):
        client.log_batch(run, metrics=metrics[start : start + _MOST_METRICS])
