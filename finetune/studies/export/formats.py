"""The forms that a study is exported in, by name. A new one adds one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from finetune.errors import SpecError
from finetune.spec.nearest import did_you_mean
from finetune.studies.export.record import StudyRecord, read_record


@dataclass(frozen=True)
class Format:
    """One form.

    Attributes:
        function: Its module here and the function in it that writes a record to a place.
        needs: The package that it is written by, which is in the extra of that name; "" for none.
    """

    function: tuple[str, str]
    needs: str = ""

    def load(self) -> Callable[[StudyRecord, str], str]:
        """Return the function.

        Raises:
            SpecError: The package is not installed.
        """
        if self.needs and not find_spec(self.needs):
            raise SpecError(
                f"FORMAT: received {self.needs!r}, whose package is not installed; install "
                f"finetune with the extra {self.needs}, as pip install -e '.[{self.needs}]'"
            )
        module, name = self.function
        return getattr(import_module(f"finetune.studies.export.{module}"), name)


# Each loads what it needs when it is used.
FORMATS: Mapping[str, Format] = {
    "tensorboard": Format(("to_tensorboard", "export_tensorboard"), needs="tensorboard"),
    "mlflow": Format(("to_mlflow", "export_mlflow"), needs="mlflow"),
    "csv": Format(("to_csv", "export_csv")),
}


def export_study(folder: Path, name: str, *, out: str | None = None) -> str:
    """Export a study from its report's folder; return how to look at what was written.

    Args:
        folder: Of the report; no store is needed.
        name: Of the form.
        out: A folder, or what else the form takes; default `exports/STUDY/FORM`.

    Raises:
        FinetuneError: There is no such form or no such study, or it cannot be written.
    """
    if name not in FORMATS:
        raise SpecError(
            f"FORMAT: received {name!r}{did_you_mean(name, FORMATS)}; allowed are "
            f"{', '.join(FORMATS)}"
        )
    write = FORMATS[name].load()
    record = read_record(folder)
    return write(record, out or str(Path("exports") / record.spec.name / name))
