"""How much an answer can bear, by rules from its numbers: solid, rough, or the figures cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

from helpers import words

#: A solid answer has ends at most this factor apart, a rough one this.
SOLID, ROUGH = 3.0, 10.0
NAMES = ("solid", "rough", "cannot tell")


@dataclass(frozen=True)
class Grade:
    """One of NAMES, and the rule that decided."""

    name: str
    why: str


def grade(headline: float, together: float, figures: int, doubtful: int, contradicted: bool) -> Grade:
    """Grade the answer about one rival.

    Parameters
    ----------
    headline, together : upper over lower end of the interval of the headline, and of all figures together until the
        last hour that one speaks of.
    figures : how many are on the curve; ``doubtful`` of them are more likely wrong than not.
    contradicted : the service and a panel contradict each other.
    """
    if contradicted:
        return Grade("cannot tell", "two who counted contradict each other, and one of them must be wrong")
    if headline > ROUGH:
        ends = (
            "one end is nobody" if headline == float("inf") else f"the ends are more than a factor of {ROUGH:.0f} apart"
        )
        return Grade("cannot tell", ends)
    if doubtful:
        many = "one is" if doubtful == 1 else f"{doubtful} are"
        return Grade("rough", f"of {figures} figures, {many} more likely wrong than not")
    if figures == 1:
        return Grade("rough", "one figure carries it, and nobody else counted")
    if together > SOLID:
        return Grade("rough", f"all {figures} figures together leave a factor of {words.significant(together):,.0f}")
    return Grade("solid", f"{figures} figures agree, and together leave a factor of {words.significant(together):.2g}")
