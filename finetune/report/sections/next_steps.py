"""What a reader may do next: what would settle the claims that are open, as commands to paste."""

import math
import shlex
from collections.abc import Sequence

from finetune.analysis.analysis import Analysis
from finetune.claims.fit_verdict import FitVerdict
from finetune.claims.verdict import Verdict
from finetune.report.markdown import bullets, code, paragraphs, quoted
from finetune.report.sections.base import ReportContext
from finetune.store.manifest import Manifest

# Options that another command does not take over, and whether a value follows them: those that say
# how many seeds, and those of a search.
_OPTIONS_LEFT_OUT = {
    **dict.fromkeys(("--seeds", "--from", "--to", "--trials", "--storage"), True),
    **dict.fromkeys(("--until-decided", "--baseline"), False),
}

_USUAL_LIMIT = 300
# Beyond so many seeds nobody would train them: the difference is as good as at its margin.
_MOST_SEEDS = 5000


def next_steps(context: ReportContext) -> str:
    """List what to do about each claim that is open; without one, how far the answers reach."""
    analysis = context.analysis
    if not analysis.verdicts:
        return ""
    open_ = [one for one in analysis.verdicts if one.verdict == "inconclusive" or one.exploratory]
    steps = [step for step in (_more_seeds(open_, context.manifest), *map(_margin, open_)) if step]
    steps += [
        _not_tested(one, analysis) for one in analysis.verdicts if one.verdict == "not tested"
    ]
    return paragraphs("**What to do next**", bullets(*(steps or [_beyond(analysis, context)])))


def _more_seeds(open_: Sequence[Verdict], manifest: Manifest) -> str:
    """Return the command that trains what the open claims need, if that can be trained."""
    worth = [one for one in open_ if (one.seeds_needed or 0) <= _MOST_SEEDS and _settled_by(one)]
    if not worth:
        return ""
    needed = max(one.seeds_needed or 0 for one in worth)
    # Looks cost power, and the differences may be smaller than they look by now.
    limit = max(_USUAL_LIMIT, 100 * math.ceil(1.5 * needed / 100))
    names = " and ".join(quoted(one.name) for one in worth)
    return (
        f"More seeds may settle {names}, judged at looks that are fixed beforehand: "
        f"{code(_until_decided(manifest, to=limit))}"
    )


def _settled_by(verdict: Verdict) -> bool:
    return verdict.seeds_needed is not None or verdict.n < 2


def _margin(verdict: Verdict) -> str:
    if verdict.verdict != "inconclusive" or verdict.n < 2:
        return ""
    if verdict.seeds_needed is not None and verdict.seeds_needed <= _MOST_SEEDS:
        return ""
    return (
        f"No practical number of seeds settles {quoted(verdict.name)}: the mean lies close to the "
        "end of its margin. If a difference of that size does not matter to you, make the margin "
        "wider in the study file, and judge it on new data, since these have been seen."
    )


def _not_tested(verdict: Verdict, analysis: Analysis) -> str:
    if not verdict.n:
        return (
            f"No seed finished both variants of {quoted(verdict.name)}: see the failed runs below."
        )
    if not (isinstance(verdict, FitVerdict) and verdict.lr_alone):
        return (
            f"{quoted(verdict.treatment)} and {quoted(verdict.control)} are the same runs: what "
            "differs between them never acted. See below which callbacks fired."
        )
    names = [variant.name for variant in analysis.spec.variants]
    key = f"variants.{names.index(verdict.treatment)}.reduce_lr.patience"
    return (
        f"{quoted(verdict.treatment)} hardly ever cut the LR before {quoted(verdict.control)} did. "
        f"A shorter patience makes it act, as {code(f'--set {key}=1')}."
    )


def _beyond(analysis: Analysis, context: ReportContext) -> str:
    """Say how to learn where else the answers hold; every claim is settled."""
    others = "Every claim is settled, for these data and this network. "
    if analysis.spec.underfits:
        study = _study(context.manifest)
        return (
            f"{others}{code(f'finetune map {study}')} judges the first one over factors, patience "
            f"and delays, and {code(f'finetune search {study}')} gives both variants their best "
            "setting."
        )
    wider = code('vary = ["init", "order", "split"]')
    return (
        f"{others}With {wider} in the study file they would be about other splits of the rows too."
    )


def _until_decided(manifest: Manifest, *, to: int) -> str:
    """Return the command that made the report, for as many seeds as it takes."""
    return shlex.join([*_command(manifest), "--until-decided", "--to", str(to)])


def _study(manifest: Manifest) -> str:
    words = _command(manifest)[2:]
    return shlex.quote(words[0]) if words and not words[0].startswith("-") else "founding"


def _command(manifest: Manifest) -> list[str]:
    """Return `finetune run` with the options of the command that made the report, as words.

    Of a report that Python made, with the study's file.
    """
    try:
        words = shlex.split(manifest.command or "")
    except ValueError:
        words = []
    if words[:2] not in (["finetune", "run"], ["finetune", "search"]):
        return ["finetune", "run", f"{manifest.name}.toml"]
    kept, skip = ["finetune", "run"], False
    for word in words[2:]:
        name = word.split("=")[0]
        if skip or name in _OPTIONS_LEFT_OUT:
            skip = not skip and "=" not in word and _OPTIONS_LEFT_OUT.get(name, False)
            continue
        kept.append(word)
    return kept
