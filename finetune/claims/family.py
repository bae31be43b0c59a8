"""All claims of a study as one family, and which verdicts a correction for their number ends."""

from collections.abc import Sequence

from finetune.claims.verdict import Verdict
from finetune.stats.multiple_testing import holm


def holm_p_values(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Return the p-value of each decision, by the claim's name, corrected over all claims.

    Claims that are supported are corrected among all that might have been, and so are those that
    are refuted; claims without a decision have no p-value, those not tested are in no family.

    Source: Holm (1979).
    """
    tested = [one for one in verdicts if one.verdict != "not tested"]
    supported = dict(zip(tested, holm([one.p_supported for one in tested]), strict=True))
    refuted = dict(zip(tested, holm([one.p_refuted for one in tested]), strict=True))
    decided = {"supported": supported, "refuted": refuted}
    return {one.name: float(decided[one.verdict][one]) for one in tested if one.verdict in decided}


def decided_by_chance(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the claims, by name, that are no longer decided once their number is corrected for."""
    corrected = holm_p_values(verdicts)
    return [
        one.name for one in verdicts if one.name in corrected and corrected[one.name] >= one.alpha
    ]
