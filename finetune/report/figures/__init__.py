"""The figures of a report, one object each."""

from finetune.stats.matplotlib_import import import_matplotlib

# Before any module here imports it.
import_matplotlib()
