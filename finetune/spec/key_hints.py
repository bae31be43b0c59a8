"""Keys that people try, and what there is instead."""

from collections.abc import Mapping

_SIZES = "the shares are test_size and val_size, of all rows"
_ONE_SOURCE = f"all rows come from source and are split by finetune; {_SIZES}"
_GROUPS = (
    "rows of one group cannot be kept in one split; keep one row a group, or stratify by class"
)
_SEED = 'it is split_seed, or vary = ["split"] for a split of each seed'
_HEADER = "line 1 of a file must hold the column names; add it to the file"
_DELIMITER = "it is found in the file: commas, semicolons, tabs or '|'"
_INDEX = "leave such a column out by drop"
_TARGET = "it is target, a column's name"
_FEATURES = "all columns but target and drop are features"
_MISSING = "it is missing, an array of words"
_SOURCE = "it is source"
_CATEGORICAL = "it is categorical, an array of names; text always is"
_TASK = 'it is task: "binary", "multiclass" or "regression"'
_SCALED = 'it is scale = "standard", "channel" or "none"'
_INPUTS = "it is inputs, the names of arrays of an NPZ file"
_TARGET_SCALED = "it is scale_target = true or false"
_DATES = "dates are not read; make numbers of them in the file, or leave them out by drop"
_CLASS_WEIGHT = 'it is class_weight under [training], "balanced" or a table'
_WEIGHT = "it is weight, a column's name"

# By the key in lower case; the tuple is all keys that are answered alike.
_ANSWERS: Mapping[tuple[str, ...], str] = {
    ("group", "groups", "group_by", "groupby", "group_column"): _GROUPS,
    ("shuffle",): "rows are always shuffled before they are split, by split_seed",
    ("random_state", "seed", "random_seed"): _SEED,
    ("validation_split", "validation_size", "valid_size", "val_split", "val"): _SIZES,
    ("test_split", "train_size", "train_split", "split"): _SIZES,
    ("test", "train", "validation", "validation_data", "valid", "test_file"): _ONE_SOURCE,
    ("train_file", "val_file", "validation_file", "test_source", "val_source"): _ONE_SOURCE,
    ("header", "names", "columns", "column_names"): _HEADER,
    ("sep", "delimiter", "separator"): _DELIMITER,
    ("index_col", "index", "id", "id_column"): _INDEX,
    ("exclude", "ignore", "skip", "drop_columns"): _INDEX,
    ("label", "labels", "y", "target_column", "class", "output", "targets"): _TARGET,
    ("features", "feature", "x", "usecols", "feature_columns"): _FEATURES,
    ("input", "input_names", "input_arrays"): _INPUTS,
    ("na_values", "na", "nan", "missing_values", "null"): _MISSING,
    ("path", "file", "filename", "csv", "url", "name", "dataset", "data"): _SOURCE,
    ("categories", "categorical_columns", "categorical_features", "cat_features"): _CATEGORICAL,
    ("kind", "type", "problem", "problem_type", "classes", "n_classes"): _TASK,
    ("stratified", "stratify_by"): "it is stratify = true or false",
    ("scaler", "scaling", "normalize", "normalise", "standardize", "standardise"): _SCALED,
    ("scale_y", "standardize_target", "target_scaler", "target_transform"): _TARGET_SCALED,
    ("parse_dates", "dates", "date_column", "datetime"): _DATES,
    ("encoding",): "text files are read as UTF-8; save it so",
    ("batch_size", "epochs", "loss", "dtype"): "it belongs under [training]",
    ("class_weight", "class_weights"): _CLASS_WEIGHT,
    ("sample_weight", "sample_weights", "weights", "weight_column"): _WEIGHT,
}
_DATA: Mapping[str, str] = {key: answer for keys, answer in _ANSWERS.items() for key in keys}

_STUDY: Mapping[str, str] = {
    "claim": (
        'each claim is now a table of its own with its kind, as [[claims]], kind = "underfits", '
        "treatment = ..., control = ...; contrasts stand beside seeds"
    ),
}
_VARIANT: Mapping[str, str] = {
    "data": "all variants of a study share the data; write a second study",
    "seeds": "all variants of a study share the seeds",
}
_SPACE = (
    "what is searched now stands under [search.space] by its path in a variant, as "
    '"reduce_lr.{key}" = {example}'
)
_SEARCH: Mapping[str, str] = {
    key: _SPACE.format(key=key, example=example)
    for key, example in (
        ("factor", "[0.05, 0.95]"), ("patience", "[1, 15]"), ("start_from_epoch", "[1, 40]"),
    )
}  # fmt: skip

# By the section in which a key is tried, N standing for a number in an array.
HINTS: Mapping[str, Mapping[str, str]] = {
    "": _STUDY, "data": _DATA, "variants.N": _VARIANT, "search": _SEARCH,
}  # fmt: skip
