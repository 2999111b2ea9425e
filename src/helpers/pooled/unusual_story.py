"""Is this outage unusual? The comparison with the rule in words and ranges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from helpers import words
from helpers.case import Case
from helpers.charts.range_axes import Range
from helpers.evidence import Evidence
from helpers.fit import Fit
from helpers.pooled.unusual import Compared, compare
from helpers.prose import Prose

#: Rivals that are compared.
MOST = 3
#: Share of predicted gains that are smaller: from which on a gain is more than expected, and far more.
MORE, FAR_MORE = 0.9, 0.975


def judge(evidence: Evidence, folder: Path, found: Case, fits: Sequence[Fit], level: float) -> list[Compared | str]:
    """Compare the first rivals of an outage with the rule made of all other events."""
    outage = str(found.outage["outage_id"])
    return [compare(evidence, folder, outage, fitted, level) for fitted in fits[:MOST]]


def said(judged: Sequence[Compared | str], level: float) -> Prose:
    """Whether each gain is what all other events lead to expect."""
    told = [one for one in judged if isinstance(one, Compared)]
    if not told:
        return Prose(
            (judged[0] if judged and isinstance(judged[0], str) else "No gain was fitted: nothing to compare.",)
        )
    lines = [verdict(one, level) for one in told]
    lines.append(
        f"The rule is made of the {told[0].events} other events with a published gain; it knows people hit, hours, "
        f"kind, earlier failures and the rival's usual level, and nothing of this event's own figures."
    )
    return Prose(tuple(lines))


def verdict(one: Compared, level: float) -> str:
    """Say how a gain stands to what was predicted of it."""
    if one.rank > FAR_MORE:
        verdict = "far more than all other events lead to expect"
    elif one.rank > MORE:
        verdict = "more than all other events lead to expect"
    elif one.rank < 1 - FAR_MORE:
        verdict = "far less than all other events lead to expect"
    elif one.rank < 1 - MORE:
        verdict = "less than all other events lead to expect"
    else:
        verdict = "not unusual"
    return (
        f"{one.rival}: {verdict}. The rule predicts {words.interval(one.predicted[0], one.predicted[4])} extra people "
        f"in all ({words.percent(level)}), its own figures say {words.interval(one.own[0], one.own[4])}: larger than "
        f"{words.percent(one.rank)} of the gains that would be predicted here. Both "
        f"together, as above, say {words.interval(one.together[0], one.together[4])}."
    )


def title(one: Compared) -> str:
    """The finding of the figure."""
    usual = 1 - MORE <= one.rank <= MORE
    return f"{one.rival}'s gain is {'what' if usual else 'not what'} the rule across outages leads to expect"


def ranges(one: Compared) -> list[Range]:
    """Return prediction, own figures, and both together."""
    return [
        Range("predicted from all other events", one.predicted),
        Range("its own figures alone", one.own),
        Range("its own figures and the rule", one.together),
    ]
