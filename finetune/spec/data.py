"""The section `[data]` of a study: the source, its target, and how the rows are split."""

import re
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from finetune.spec.base import IMPORT_PATH, PRINTABLE, Name, Positive, Share, UserFileSpec

TargetTask = Literal["binary", "multiclass", "regression"]

FILE_FORMATS = (".csv", ".tsv", ".parquet", ".npz")

# Those of scikit-learn whose target is no whole numbers.
_REGRESSION_SOURCES = frozenset(
    {
        "load_diabetes", "load_linnerud", "make_friedman1", "make_friedman2", "make_friedman3",
        "make_regression", "make_s_curve", "make_sparse_uncorrelated", "make_swiss_roll",
    }
)  # fmt: skip


class DataSpec(UserFileSpec):
    """Where the rows come from and how they are split; sizes are shares of all rows.

    `source` is a file, a loader or generator of scikit-learn, or `module:function`. Without `task`
    it is inferred from the target. `categorical` names numeric columns that are one-hot encoded as
    columns of text and booleans are; `drop` names columns that are no features. `weight` names the
    column, or the array of an NPZ file, with the weight that each row has in the training loss.

    `shape` is the shape of a row, as [8, 8, 1] for images of 64 numbers in a table. `scale` is
    "standard" (each feature, the default of tables), "channel" (each position of the last axis, the
    default of rows with several axes) or "none" (the default of whole numbers where the network
    takes ids, as one with an Embedding does), by the training rows.

    Of text that is numbers, `decimal` and `thousands` say what is ambiguous otherwise, as 1,234 is;
    `missing` are the words that stand for missing, instead of the usual ones and in the target too.

    `scale_target` standardises a target for regression by the training rows of each split, so that
    losses are in units of its variance; classes it leaves as they are.
    """

    source: Annotated[str, Field(min_length=1, max_length=1000, pattern=PRINTABLE)]
    args: dict[str, Any] = Field(default={})
    target: Name | None = None
    task: TargetTask | None = None
    categorical: tuple[Name, ...] | None = None
    drop: tuple[Name, ...] = ()
    weight: Name | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal[",", ".", " ", "'"] | None = None
    missing: tuple[Name, ...] | None = None
    shape: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=10)] | None = None
    scale: Literal["standard", "channel", "none"] | None = None
    stratify: bool | None = None
    scale_target: bool = True
    test_size: Share = 0.2
    val_size: Share = 0.2
    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = 42

    @property
    def kind(self) -> Literal["file", "function", "sklearn"]:
        """What `source` names."""
        if self.format in FILE_FORMATS:
            return "file"
        return "function" if re.match(IMPORT_PATH, self.source) else "sklearn"

    @property
    def format(self) -> str:
        """The suffix of `source`, in lower case; empty where it has none."""
        return PurePath(self.source).suffix.lower()

    @property
    def stratified(self) -> bool:
        """Whether each split has the same shares of the classes as all rows.

        Where `stratify` is not set, all data are stratified but those of generators: the founding
        study checks a published note, whose split is not.
        """
        if self.stratify is None:
            return self.kind != "sklearn" or self.source.startswith("load_")
        return self.stratify

    @property
    def may_be_regression(self) -> bool:
        """Whether the target may be numbers; where `task` is not set only the rows tell."""
        if self.task or self.stratify:
            return self.task == "regression"
        return self.kind != "sklearn" or self.source in _REGRESSION_SOURCES

    def __hash__(self) -> int:
        # `args` is a dictionary, which has no hash; what is equal has these two equal.
        return hash((self.source, self.content))

    @model_validator(mode="after")
    def _weight_is_no_other_column(self) -> Self:
        others = {
            "target": (self.target,),
            "categorical": self.categorical or (),
            "drop": self.drop,
        }
        for key, names in others.items():
            if self.weight is not None and self.weight in names:
                raise ValueError(
                    f"weight and {key} both name {self.weight!r}; allowed is a column of its own, "
                    f"which is then no feature; take it out of {key}"
                )
        return self

    @model_validator(mode="after")
    def _tells_numbers_apart(self) -> Self:
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(
                f"decimal and thousands are both {self.decimal!r}; allowed are two signs; leave "
                "one out"
            )
        return self

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if self.test_size + self.val_size >= 1:
            raise ValueError(
                f"test_size + val_size is {self.test_size + self.val_size:g}; allowed is less than "
                "1, so that training rows are left; lower one of them"
            )
        return self
