"""Confirm what a search found: its winners trained on seeds that no trial used."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from finetune.analysis.comparisons import alpha_of, margins_of
from finetune.analysis.curves import curve_table, mostly_trained
from finetune.analysis.runs import tidy_epochs, tidy_runs
from finetune.analysis.tuned import MeanEstimate, Tuned, TunedArm, judged_study
from finetune.analysis.tuned_tables import TunedTables
from finetune.claims.registry import judge_claim
from finetune.claims.words import sentence
from finetune.errors import EngineError
from finetune.execution.training import Options, train_blocks
from finetune.planning.block import Block
from finetune.planning.search import confirmation_block, longest_training
from finetune.search.random_search import repeated_trials, repeated_winners, stored_repeats
from finetune.search.sampler import describe_sampler
from finetune.search.trials import Trial
from finetune.search.tuning import Searched, objective_values, trial_rows, winner
from finetune.spec.claims import ClaimSpec
from finetune.spec.recipes import digest
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec
from finetune.stats import t_test
from finetune.stats.comparison import compare
from finetune.store.base import Store

# Draws the signs of the sign-flip tests, as everywhere in a report.
_SIGNS_SEED = 0


def confirm(
    spec: StudySpec,
    searched: tuple[Searched, Searched],
    store: Store,
    *,
    dashboard: str,
    options: Options,
) -> tuple[Tuned, TunedTables]:
    """Train both winners and the study's own settings on the study's seeds, and compare them.

    Raises:
        EngineError: In every trial of an arm a run failed.
    """
    winners = [_winner(one) for one in searched]
    tuned = [one.arm.variant(best.setting) for one, best in zip(searched, winners, strict=True)]
    untuned = [one.arm.untuned for one in searched]
    block = confirmation_block(spec, (*tuned, *untuned))
    train_blocks([block], store, options).raise_failures()
    comparison = _compare_winners(spec, searched, winners, store=store, block=block)
    repeats, importances = stored_repeats(spec, store), _importances(searched)
    result = Tuned(
        **_budget(spec, searched),
        **comparison,
        importances=tuple(importances.to_dict("records")),
        dashboard=dashboard,
        baseline=tuple(repeated_winners(spec, store, repeats)),
    )
    tables = TunedTables(
        trials=pd.concat([trial_rows(one.arm, one.trials) for one in searched]),
        importances=importances,
        curves=_curves(spec, block, store),
        baseline=repeated_trials(repeats),
    )
    return result, tables


def _budget(spec: StudySpec, searched: tuple[Searched, Searched]) -> dict[str, Any]:
    """Return what the search was, before anything was found: its budget and objective."""
    search = spec.search
    return {
        "study": judged_study(spec),
        "problem": spec.problem,
        "search": digest({"searches": [one.search.digest for one in searched]}),
        "objective": search.objective,
        "sampler": describe_sampler("TPE"),
        "trials": search.trials,
        "seeds": search.seeds,
        "epochs": max(longest_training(spec, arm).training.epochs for arm in spec.arms),
        "batch": search.batch,
        "confirmation_seeds": spec.n_seeds,
        "vary": spec.vary,
    }


def _compare_winners(
    spec: StudySpec,
    searched: Sequence[Searched],
    winners: Sequence[Trial],
    *,
    store: Store,
    block: Block,
) -> dict[str, Any]:
    """Compare the winners on the confirmation seeds; they are the first variants of the block."""
    runs = store.runs(block.recipes, block.seeds)
    tuned = block.variants[:2]
    arms = _tuned_arms(searched, winners, fresh=objective_values(spec, store, block))
    claim = _claim(spec, tuned)
    return {
        "arms": arms,
        "contrasts": tuple(_contrasts(runs, arms, spec)),
        "conclusion": _conclusion(runs, spec, tuned, claim),
    }


def _winner(searched: Searched) -> Trial:
    best = winner(searched.trials)
    if best is None:
        raise EngineError(
            f"search: a run failed in each of the {len(searched.trials)} trials of "
            f"{searched.arm.name!r}, so none can win; lower the learning rate, or narrow the space"
        )
    return best


def _tuned_arms(
    searched: Sequence[Searched], winners: Sequence[Trial], *, fresh: pd.DataFrame
) -> tuple[TunedArm, TunedArm]:
    def arm(one: Searched, best: Trial) -> TunedArm:
        untuned = one.arm.untuned.name
        return TunedArm(
            name=one.arm.name,
            untuned=untuned,
            trials=len(one.trials),
            failed=sum(np.isnan(trial.value) for trial in one.trials if trial.value is not None),
            winner=best.number,
            setting=best.setting,
            space=dict(one.arm.space),
            searched=best.value or 0.0,
            fresh=_estimate(fresh, one.arm.name),
            untuned_fresh=_estimate(fresh, untuned),
        )

    first, second = (arm(*both) for both in zip(searched, winners, strict=True))
    return first, second


def _estimate(fresh: pd.DataFrame, variant: str) -> MeanEstimate:
    """Return the mean of a variant's finite values with its 95 % interval."""
    values = fresh.loc[fresh["variant"] == variant, "value"].dropna().to_numpy()
    sample = t_test.Sample.of(values)
    low, high = t_test.confidence_bounds(sample, alpha=0.025)
    return MeanEstimate(n=sample.n, mean=sample.mean, low=low, high=high)


def _claim(spec: StudySpec, tuned: Sequence[VariantSpec]) -> ClaimSpec:
    """Return the study's first claim, about the tuned arms."""
    treatment, control = tuned[0].name, tuned[1].name
    claim = spec.claim
    assert claim is not None
    return claim.model_copy(update={"treatment": treatment, "control": control})


def _contrasts(
    runs: pd.DataFrame, arms: Sequence[TunedArm], spec: StudySpec
) -> list[dict[str, Any]]:
    """Compare the tuned arms with each other, and each with the study's own setting."""
    own = [(arm.name, arm.untuned) for arm in arms if arm.untuned]
    family = [(arms[0].name, arms[1].name), *own]
    margins = margins_of(spec).by_metric
    rows = compare(runs, family, margins=margins, alpha=alpha_of(spec), seed=_SIGNS_SEED)
    return rows.to_dict("records")  # pyright: ignore[reportReturnType]


def _conclusion(
    runs: pd.DataFrame, spec: StudySpec, tuned: Sequence[VariantSpec], claim: ClaimSpec
) -> str:
    pair = spec.model_copy(update={"variants": tuple(tuned), "claims": (claim,)})
    return sentence(judge_claim(runs, claim, pair, seeds=range(spec.n_seeds)))


def _importances(searched: Iterable[Searched]) -> pd.DataFrame:
    rows = [
        (one.arm.name, parameter, share)
        for one in searched
        for parameter, share in one.search.importances(len(one.trials)).items()
    ]
    return pd.DataFrame(rows, columns=["arm", "parameter", "importance"])


def _curves(spec: StudySpec, block: Block, store: Store) -> pd.DataFrame:
    compared = spec.model_copy(update={"variants": block.variants})
    runs = tidy_runs(store.runs(block.recipes, block.seeds), compared)
    epochs = tidy_epochs(store.epochs(block.recipes, block.seeds), runs)
    return mostly_trained(curve_table(epochs, runs))
