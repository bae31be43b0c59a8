"""The manifest: what identifies a study's numbers, kept beside its report."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from finetune.data.summary import Baselines, DataSummary
from finetune.engines.registry import engine_names
from finetune.errors import StoreError
from finetune.models.summary import NetworkSummary
from finetune.spec.regular_file import read_regular
from finetune.spec.study import StudySpec
from finetune.store.atomic import write_whole
from finetune.store.machine import machine
from finetune.store.versions import versions

MANIFEST_FILE = "manifest.json"


def _known_engine(name: str) -> str:
    if name not in engine_names():
        raise ValueError(f"received {name!r}; allowed are {engine_names()}")
    return name


class FailedTask(BaseModel):
    """Runs that were not trained, since their task failed at every try; run again to try again."""

    model_config = ConfigDict(frozen=True, strict=True)

    variants: tuple[str, ...]
    seeds: tuple[int, ...] = Field(min_length=1)
    reason: str

    def __str__(self) -> str:
        first, last = self.seeds[0], self.seeds[-1]
        seeds = f"seed {first}" if first == last else f"{len(self.seeds)} seeds, {first} to {last}"
        names = ", ".join(map(repr, self.variants[:3]))
        more = f" and {len(self.variants) - 3} more variants" if len(self.variants) > 3 else ""
        return f"{names}{more} at {seeds}: {self.reason}"


class RecordedLook(BaseModel):
    """One time that a claim was judged on the seeds of a folder.

    Attributes:
        when: In UTC, ISO 8601.
        seeds: At how many.
        claim: Its name.
        compared: Digest of the kind of claim, its metrics, and the two variants' recipes.
        verdict: What came out.
        planned: The looks that the study had fixed up to then: seeds, and share of alpha.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    when: str
    seeds: int
    claim: str
    compared: str
    verdict: str
    planned: tuple[tuple[int, float], ...] = Field(min_length=1, max_length=100)


class Manifest(BaseModel):
    """Which study was trained and how, by which versions, on which machine.

    It may come with an untrusted study, so that it is checked when it is read; keys that this
    version does not know are kept.

    Attributes:
        name: Of the study.
        engine: That was wanted.
        digest: Of what all variants share.
        command: That reproduces the study.
        started: When, in UTC, ISO 8601.
        seeds: Number of seeds.
        versions: Of the packages that decide the numbers.
        machine: Processor, cores, memory, operating system.
        spec: The whole study.
        runs_reused, runs_trained: By the training that came last.
        row_epochs_trained: Epochs that rows of weights were trained for.
        run_epochs_delivered: Epochs of runs, which share rows.
        notes: What a reader should know of how the runs were trained.
        data: What was resolved of the data at seed 0; None where they could not be loaded here.
        baselines: What a constant prediction reaches, likewise.
        network: What was trained; None where no training has told yet.
        failures: Tasks that failed at every try.
        looks: Each time that a claim was judged on the seeds of this folder, at another number of
            them or by another plan than before.
        wall_seconds: Of each stage.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    name: str
    engine: Annotated[str, AfterValidator(_known_engine)]
    digest: str
    command: str | None
    started: str
    seeds: int = Field(ge=0)
    versions: dict[str, str]
    machine: dict[str, str | int | None]
    spec: StudySpec
    runs_reused: int = 0
    runs_trained: int = 0
    row_epochs_trained: int = 0
    run_epochs_delivered: int = 0
    notes: tuple[str, ...] = ()
    data: DataSummary | None = None
    baselines: Baselines | None = None
    network: NetworkSummary | None = None
    failures: tuple[FailedTask, ...] = ()
    looks: tuple[RecordedLook, ...] = ()
    wall_seconds: dict[str, float]

    @classmethod
    def of(
        cls,
        spec: StudySpec,
        *,
        engine: str,
        seeds: int,
        command: str | None,
        started: datetime,
    ) -> Self:
        """Return the manifest of a training that begins, by this program on this machine."""
        return cls(
            name=spec.name,
            engine=engine,
            digest=spec.problem,
            command=command,
            started=started.isoformat(timespec="seconds"),
            seeds=seeds,
            versions=versions(),
            machine=machine(),
            spec=spec,
            wall_seconds={},
        )

    def updated(self, **fields: Any) -> Self:
        """Return the manifest with other fields."""
        return self.model_copy(update=fields)

    def timed(self, **seconds: float) -> Self:
        """Return the manifest with the wall time of further stages, in seconds."""
        return self.updated(wall_seconds={**self.wall_seconds, **seconds})

    def noting(self, notes: Iterable[str]) -> Self:
        """Return the manifest with further notes, each once."""
        return self.updated(notes=tuple(sorted({*self.notes, *notes})))

    def continuing(self, earlier: "Manifest | None") -> Self:
        """Return the manifest with what an earlier training of the same problem has told.

        What is stored is not trained again, and so tells nothing anew. Looks at seeds stay, since
        they say what they were at.
        """
        if earlier is None:
            return self
        kept = self.updated(looks=earlier.looks)
        if (earlier.digest, earlier.engine) != (self.digest, self.engine):
            return kept
        return kept.noting(earlier.notes).updated(network=self.network or earlier.network)

    def looked(self, looks: Iterable[RecordedLook]) -> Self:
        """Return the manifest with further looks; one that says nothing new is left out."""
        known = [look.model_copy(update={"when": ""}) for look in self.looks]
        new = [look for look in looks if look.model_copy(update={"when": ""}) not in known]
        return self.updated(looks=(*self.looks, *new))

    def write(self, folder: Path) -> None:
        """Write it into a study's folder.

        Raises:
            StoreError: the file cannot be written.
        """
        write_whole(folder / MANIFEST_FILE, self.model_dump_json(indent=2).encode())


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest in a study's folder.

    Raises:
        StoreError: there is none, or it is not one that this version can read.
    """
    try:
        tree = json.loads(read_regular(folder / MANIFEST_FILE, follow=False))
        return Manifest.model_validate_json(json.dumps(_in_todays_form(tree)))
    except (OSError, ValueError, RecursionError) as error:
        what = f"{MANIFEST_FILE}: {error.strerror}" if isinstance(error, OSError) else ""
        raise StoreError(
            f"DIR: {str(folder)!r} holds no study that can be read "
            f"({what or type(error).__name__}); "
            "allowed is a folder that `finetune run` wrote"
        ) from error


def _in_todays_form(tree: Any) -> Any:
    """Return a manifest whose study may have the claim and the search of earlier versions."""
    spec = tree.get("spec") if isinstance(tree, dict) else None
    if not isinstance(spec, dict):
        return tree
    spec = dict(spec)
    if "claim" in spec:
        claim = spec.pop("claim")
        if isinstance(claim, dict):
            spec |= {"contrasts": claim.pop("contrasts", None)}
            spec |= {"claims": [{"kind": "underfits", **claim}]}
    if isinstance(spec.get("search"), dict):
        spec["search"] = _space_in_todays_form(spec["search"])
    return {**tree, "spec": spec}


def _space_in_todays_form(search: dict[str, Any]) -> dict[str, Any]:
    """Return a search whose ranges of factor, patience and delay may stand beside its budget."""
    older = [name for name in ("factor", "patience", "start_from_epoch") if name in search]
    if not older:
        return search
    space = {
        f"reduce_lr.{name}": {"range": search[name], "log": name == "factor"} for name in older
    }
    return {key: value for key, value in search.items() if key not in older} | {"space": space}
