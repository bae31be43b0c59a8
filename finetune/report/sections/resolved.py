"""What a study was resolved to: the task, the rows of each split, columns as read, the network."""

from collections.abc import Sequence

from finetune.data.reading import ColumnReading, list_words
from finetune.data.summary import DataSummary, SplitCount
from finetune.models.summary import LayerSummary, NetworkSummary
from finetune.report.markdown import NONE, folded, number, paragraphs, plain, table
from finetune.report.words import listed
from finetune.spec.seeds import Source
from finetune.store.manifest import Manifest

# A longer table of classes is folded.
_MOST_CLASSES = 10
# More layers are not named one by one.
_MOST_LAYERS = 8

TASKS = {
    "binary": "two classes",
    "multiclass": "several classes",
    "regression": "regression",
}
_BECAME = {"dropped": "left out", "number": "scaled", "category": "one-hot encoded"}


def task_fact(data: DataSummary, *, vary: Sequence[Source]) -> str:
    """Say which task it is and why, and what became of its target."""
    at = "at seed 0 " if _rows_vary(vary) else ""
    scale = data.target_scale
    scaled = (
        ". The target is standardised by the training rows "
        f"({at}mean {number(scale.mean)}, standard deviation {number(scale.scale)})"
        if scale
        else ""
    )
    return f"{TASKS[data.task]}, since {plain(data.why)}{scaled}."


def _rows_vary(vary: Sequence[Source]) -> bool:
    return bool({"split", "data"} & set(vary))


def rows_fact(data: DataSummary, *, vary: Sequence[Source]) -> str:
    """Say how many rows each split has, and how many features."""
    # Groups have different numbers of rows, and a seed its own groups.
    at = " at seed 0" if _rows_vary(vary) and any(split.kinship for split in data.splits) else ""
    rows = listed([_rows_of(split) for split in data.splits])
    if data.inputs:
        inputs = [f"{plain(name)} ({_input(columns)})" for name, columns in data.inputs.items()]
        return f"{rows} rows{at}; {len(inputs)} inputs of the network: {listed(inputs)}."
    if data.shaped:
        array = data.reading.columns[0]
        return f"{rows} rows{at}; {array.features:,} numbers a row ({plain(array.remark)})."
    return (
        f"{rows} rows{at}; {data.n_features} features for the network, "
        f"from columns: {listed(_kinds(data.reading.columns))}."
    )


def _kinds(columns: Sequence[ColumnReading]) -> list[str]:
    return [
        f"{count} of {word}"
        for kind, word in (("number", "numbers"), ("category", "categories"))
        if (count := sum(column.kind == kind for column in columns))
    ]


def _input(columns: Sequence[ColumnReading]) -> str:
    """Say what one of several inputs is: an array, or columns and what became of them."""
    if columns[0].of_array:
        return f"{columns[0].features:,} numbers a row: {plain(columns[0].remark)}"
    became = list(dict.fromkeys(_became(column) for column in columns))
    if any(column.kind == "number" and column.missing for column in columns):
        became.append("missing numbers imputed by their median")
    return f"columns: {listed(_kinds(columns))}; {listed(became)}"


def _rows_of(split: SplitCount) -> str:
    kinship = f" ({plain(split.kinship)})" if split.kinship else ""
    return f"{split.rows:,} {plain(split.name)}{kinship}"


def weights_fact(network: NetworkSummary, *, vary: Sequence[Source]) -> str:
    """Say how many weights are trained, and where all of them come from."""
    other = f", {network.other:,} that it does not change" if network.other else ""
    drawn = "anew for each seed" if "init" in vary else "once, the same for every seed"
    return (
        f"{network.trainable:,} weights that the optimizer changes{other}{_frozen(network)}; "
        f"{_loaded(network, drawn=drawn)}."
    )


def _frozen(network: NetworkSummary) -> str:
    return f" (frozen: {_layers_of(network.frozen)})" if network.frozen else ""


def _loaded(network: NetworkSummary, *, drawn: str) -> str:
    if not (network.kept or network.redrawn):
        return f"all weights are drawn {drawn}, none is loaded"
    kept = f"those of {_layers_of(network.kept)} begin at every seed as they were loaded"
    redrawn = f"what was loaded into {_layers_of(network.redrawn)} is not used"
    said = [kept] * bool(network.kept) + [redrawn] * bool(network.redrawn)
    return f"{'; '.join(said)}; all other weights are drawn {drawn}"


def _layers_of(names: Sequence[str]) -> str:
    shown = [plain(name) for name in names[:_MOST_LAYERS]]
    more = len(names) - len(shown)
    return listed([*shown, f"{more} more layers"] if more else shown)


def details(manifest: Manifest) -> str:
    """Tabulate the classes of each split and, folded, columns and layers, as far as known."""
    data, network = manifest.data, manifest.network
    return paragraphs(
        _classes(data, vary=manifest.spec.vary) if data else "",
        folded("Columns as they were read", _columns(data)) if data else "",
        folded("Layers of the network", _layers(network.layers)) if network else "",
    )


def _classes(data: DataSummary, *, vary: Sequence[Source]) -> str:
    """Tabulate how many rows of each class every split has; folded where there are many."""
    by_class = zip(*(split.of_class for split in data.splits), strict=False)
    rows = [
        (plain(name), *(f"{count:,}" for count in counts))
        for name, counts in zip(data.classes, by_class, strict=False)
    ]
    at = " at seed 0" if _rows_vary(vary) else ""
    columns = [f"Rows in {plain(split.name)}{at}" for split in data.splits]
    body = table(rows, columns=["Class", *columns]) if rows else ""
    return body if len(rows) <= _MOST_CLASSES else folded("Rows of each class", body)


def _columns(data: DataSummary) -> str:
    target = data.reading.target
    rows = [_column(target, became="target"), *map(_column, data.reading.columns)]
    columns = ["Column", "Read as", "Missing", "Taken for missing", "Became", "Features"]
    return table(rows, columns=columns, align="left")


def _column(column: ColumnReading, *, became: str = "") -> tuple[str, ...]:
    return (
        plain(column.full_name),
        _read_as(column),
        f"{column.missing:,}" if column.kind != "dropped" else NONE,
        plain(list_words(column.missing_words)) if column.missing_words else NONE,
        became or _became(column),
        f"{column.features:,}" if not became else NONE,
    )


def _became(column: ColumnReading) -> str:
    return _BECAME[column.kind] if column.scaled else "taken as they are"


def _read_as(column: ColumnReading) -> str:
    match column.kind:
        case "dropped":
            return NONE
        case "category":
            words = f"{column.categories:,} categories"
        case "number":
            words = f"numbers {plain(column.convention)}".rstrip()
    return ", ".join(filter(None, (words, plain(column.remark))))


def _layers(layers: Sequence[LayerSummary]) -> str:
    rows = [
        (f"{plain(layer.name)} ({plain(layer.kind)})", _shape(layer), f"{layer.weights:,}")
        for layer in layers
    ]
    return table(rows, columns=["Layer", "Shape for a row", "Weights"])


def _shape(layer: LayerSummary) -> str:
    if layer.shape is None:
        return NONE
    return " x ".join("any" if axis is None else f"{axis:,}" for axis in layer.shape)
