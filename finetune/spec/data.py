"""The section `[data]` of a study: the source, its target, and how the rows are split."""

import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from finetune.spec.base import IMPORT_PATH, PRINTABLE, Name, Positive, Share, UserFileSpec

TargetTask = Literal["binary", "multiclass", "regression"]

Scale = Literal["standard", "channel", "none"]


def _check_scales(value: Any) -> Any:
    """Say in one line what is wrong, where pydantic would say it of each kind that is allowed."""
    words = list(value.values()) if isinstance(value, dict) else [value]
    if value is not None and (not words or any(word not in get_args(Scale) for word in words)):
        raise ValueError(
            f'received {value!r:.80}; allowed is "standard", "channel" or "none", and of several '
            "inputs a table of these by name"
        )
    return value


Scales = Annotated[Scale | dict[str, Scale] | None, BeforeValidator(_check_scales)]

# Keys that name columns, or arrays, beside features and target.
BESIDE = ("weight", "groups", "time")

FILE_FORMATS = (".csv", ".tsv", ".parquet", ".npz")

# Those of scikit-learn whose target is no whole numbers.
_REGRESSION_SOURCES = frozenset(
    {
        "load_diabetes", "load_linnerud", "make_friedman1", "make_friedman2", "make_friedman3",
        "make_regression", "make_s_curve", "make_sparse_uncorrelated", "make_swiss_roll",
    }
)  # fmt: skip


class DataSpec(UserFileSpec):
    """Where the rows come from and how they are split; sizes are shares of all rows."""

    source: Annotated[str, Field(min_length=1, max_length=1000, pattern=PRINTABLE)]
    """A CSV, TSV, Parquet or NPZ file, a loader or generator of scikit-learn, or module:name."""
    args: dict[str, Any] = Field(default={})
    """Arguments of the loader, generator or function."""
    target: Name | None = None
    """The column of a file to predict."""
    task: TargetTask | None = None
    """What is predicted; by default the target tells."""
    categorical: tuple[Name, ...] | None = None
    """Columns of numbers that are one-hot encoded, as those of text and booleans are."""
    drop: tuple[Name, ...] = ()
    """Columns that are no features."""
    weight: Name | None = None
    """The column, or array of an NPZ file, with each row's weight in the training loss."""
    groups: Name | None = None
    """The column, or array, by which rows belong together, as those of one patient: no group is in
    two splits, and sizes are shares of the groups."""
    time: Name | None = None
    """The column, or array, of numbers or dates that orders rows: the latest are for test, those
    before them for validation."""
    decimal: Literal[".", ","] | None = None
    """Of text that is numbers, the decimal sign, where that is ambiguous as in 1,234."""
    thousands: Literal[",", ".", " ", "'"] | None = None
    """Of text that is numbers, what separates thousands, where that is ambiguous."""
    missing: tuple[Name, ...] | None = None
    """Words that stand for missing, instead of the usual ones and in the target too."""
    shape: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=10)] | None = None
    """The shape of a row, as [8, 8, 1] for images of 64 numbers in a table."""
    inputs: Annotated[tuple[Name, ...], Field(min_length=2)] | None = None
    """The arrays of an NPZ file that are the inputs of a network with several, by their names; by
    default there is one input, the array x."""
    scale: Scales = None
    """What is scaled by the training rows: "standard", each feature (the default of tables);
    "channel", each position of the last axis (the default of rows with several axes); "none" (the
    default of whole numbers where the network takes ids, as one with an Embedding does). Of several
    inputs also a table by name."""
    stratify: bool | None = None
    """Whether every split gets its share of each class; by default it does, but for generators."""
    scale_target: bool = True
    """Whether a target for regression is standardised by the training rows of each split, so that
    losses are in units of its variance; classes are left as they are."""
    test_size: Share = 0.2
    """Share of all rows to test on."""
    val_size: Share = 0.2
    """Share of all rows that the callbacks watch."""
    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    """Seed of the split, where it does not vary from seed to seed."""

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
        if self.groups or self.time:
            return False
        if self.stratify is None:
            return self.kind != "sklearn" or self.source.startswith("load_")
        return self.stratify

    @property
    def beside(self) -> dict[str, str]:
        """The columns beside features and target, by the key that names each."""
        named = {key: getattr(self, key) for key in BESIDE}
        return {key: name for key, name in named.items() if name is not None}

    def scale_of(self, name: str | None) -> Scale | None:
        """Return what is scaled of an input, None being the only one; None where it is not said."""
        return self.scale.get(name or "") if isinstance(self.scale, dict) else self.scale

    def unscaled(self, inputs: Iterable[str | None]) -> Self:
        """Return a copy in which some inputs are not scaled, None being the only one."""
        names = {name: "none" for name in inputs if name is not None}
        scale = {**(self.scale if isinstance(self.scale, dict) else {}), **names}
        return self.model_copy(update={"scale": scale or "none"})

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
    def _columns_beside_are_no_others(self) -> Self:
        others = {
            "target": (self.target,),
            "inputs": self.inputs or (),
            "categorical": self.categorical or (),
            "drop": self.drop,
        }
        for key, name in self.beside.items():
            for other, names in others.items():
                if name in names:
                    raise ValueError(
                        f"{key} and {other} both name {name!r}; allowed is a column of its own, "
                        f"which is then no feature; take it out of {other}"
                    )
            others[key] = (name,)
        return self

    @model_validator(mode="after")
    def _names_inputs_of_an_archive(self) -> Self:
        if not self.inputs:
            return self
        if self.format != ".npz":
            raise ValueError(
                f"inputs names {list(self.inputs)}, but {self.source!r} is no NPZ file; allowed "
                "are arrays of one; leave it out: a function returns a dictionary of its inputs"
            )
        if len({*self.inputs, self.target or "y"}) <= len(self.inputs):
            raise ValueError(
                f"inputs names {list(self.inputs)}, an array twice or the target too; allowed is "
                "each array once; take out what is too many"
            )
        return self

    @model_validator(mode="after")
    def _splits_in_one_way(self) -> Self:
        if self.groups and self.time:
            raise ValueError(
                "groups and time are both there; allowed is one of the two, since the latest rows "
                "of a group would part it from its earlier ones; leave one out"
            )
        if self.stratify and (self.groups or self.time):
            key, whole = ("groups", "groups") if self.groups else ("time", "spans of time")
            raise ValueError(
                f"stratify and {key} are both there; allowed is one of the two, since whole "
                f"{whole} have the shares of classes that they have; leave stratify out"
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
