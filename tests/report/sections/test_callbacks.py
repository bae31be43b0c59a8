from dataclasses import replace

from finetune.report.sections.callbacks import callbacks, identity_sentences
from finetune.spec.variants import VariantSpec
from tests.report.made_report import context_of, rows_of


def test_identical_variants_are_named_with_the_reason(analysis):
    (sentence,) = identity_sentences(analysis)
    assert sentence.startswith('"early stopping" and "both" were identical in 4 of 4 seeds')
    assert 'LR reduction of "both" never fired' in sentence
    assert "at most 8 epochs, and it ignores the first 8" in sentence


def test_without_callbacks_only_what_came_out_the_same_is_told(analysis):
    bare = tuple(VariantSpec(name=one.name) for one in analysis.spec.variants)
    spec = analysis.spec.model_copy(update={"variants": bare})
    text = callbacks(context_of(replace(analysis, spec=spec)))
    assert text.startswith('- "early stopping" and "both" were identical')
    assert "Final LR" not in text


def test_the_callback_table_counts_epochs_from_one(analysis):
    rows = rows_of(callbacks(context_of(analysis)), "Variant")
    assert rows["no callbacks"] == ["-", "-", "-", "0.01", "-", "-"]
    assert rows["early stopping"] == ["-", "-", "-", "0.01", "4 of 4", "6.5 (6 to 8)"]
    assert rows["reduction"] == ["4 of 4", "4", "1", "0.004", "-", "-"]
    assert rows["both"] == ["0 of 4", "-", "0", "0.01", "4 of 4", "6.5 (6 to 8)"]
