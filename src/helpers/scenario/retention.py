"""The share of those who came to a rival (or left a service) in an event that stays: draws for a new event.

The cases are the published pairs of :mod:`helpers.scenario.anchors` and one study. A new event's share is drawn from
a random-effects model on the log odds (Gelman and others, Bayesian Data Analysis, 3rd edition, 2013, section 5.4;
Higgins, Thompson and Spiegelhalter 2009 for the predictive interval): normal around the mean of its kind, the kinds'
means normal around a common one, summed over a grid of the two spreads; given these, everything is normal.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers import claims as cl
from helpers import words
from helpers.scenario.anchors import CAME, COLUMNS, LEFT
from helpers.scenario.anchors import anchors as anchors
from helpers.schemas import KINDS

Array = NDArray[np.float64]

#: Larcom, Rauch and Willems (2017), The Benefits of Forced Experimentation: Striking Evidence from the London
#: Underground Network, Quarterly Journal of Economics 132(4): 2019-2055: about 5% of the commuters kept the new way
#: that the two-day strike of February 2014 had made them find. Percent; the strike was over, so all could go back.
LITERATURE_PERCENT, LITERATURE_KIND = 5.0, "outage"
LITERATURE_NAME = "the commuters of a two-day strike of the London Underground (Larcom, Rauch and Willems 2017)"

#: Priors on the log odds. Common centre: 5% to 95% with probability 0.95, nearly flat as a share. Spread of the kinds
#: around it: half normal with this scale, kinds are assumed more alike than cases. Spread of the cases of a kind:
#: log-normal with this median and scatter, so that two cases that happen to agree do not make all cases equal (Chung
#: and others 2013); a median of 1 lets cases that are alike but for luck be 15% and 40%.
CENTRE, CENTRE_SD, KINDS_SD = 0.0, 1.5, 0.5
CASES_MEDIAN, CASES_SCATTER = 1.0, 0.5
#: Share of the variance between cases that is the event's, common to the rivals of one event. Assumed.
SAME_EVENT = 0.5
#: Shares nearer to nothing or all than this are not told apart.
EDGE = 0.01
BETWEEN_KINDS = np.geomspace(0.03, 2.0, 10)
BETWEEN_CASES = np.geomspace(0.2, 5.0, 16)


def share_kept(
    evidence_anchors: pd.DataFrame, kind: str, size: int, rng: np.random.Generator, who: str = CAME
) -> Array:
    """Draw the share that stays after a new event of a kind, for one rival (or for the failing service).

    Each service of an event counts once, with its latest pair; several platforms or firms widen its interval. Its
    error is that of the rounding and of the claimant's class (:data:`helpers.claims.CLAIMANT_SCALE`, taken as an error
    of the log odds). The London strike stands among the cases, as an outage. For "outage" only pairs of events that
    were over speak: short ones end before anybody is settled, and everyone can go back. What is assumed: cases are
    exchangeable within their kind; the time since the peak, the rival and the length of the event say nothing more;
    those for whom a later number was published are like the others.

    Parameters
    ----------
    evidence_anchors : what :func:`anchors` returns; it may be empty, then the London strike and the priors speak.
    kind : of the new event, of :data:`helpers.schemas.KINDS`.
    size : number of draws.
    rng : generator of the draws.
    who : "came" (to a rival) or "left" (the failing service).

    Returns
    -------
    Array
        Shares between 0 and 1, (size,).

    Raises
    ------
    ValueError
        For an unknown kind or ``who``, a size below 1, or a frame without the columns of :func:`anchors`.
    """
    if size < 1:
        raise ValueError(f"size: got {size}, expected 1 or more")
    cases = _cases(evidence_anchors, kind, who)
    weight, mean, sd = _predictive(cases, kind)
    cell = rng.choice(len(weight), size, p=weight)
    odds = mean[cell] + sd[cell] * rng.standard_normal(size)
    shares: Array = 1 / (1 + np.exp(-odds))
    return shares


def said(anchors: pd.DataFrame, kind: str, who: str = CAME) -> str:
    """Say which cases speak for a kind of event, and that the share is a range from few.

    Raises
    ------
    ValueError
        As :func:`share_kept`.
    """
    cases = _cases(anchors, kind, who)
    own = cases[cases["outage_id"] != ""]
    of_whom = "those who come to a rival" if who == CAME else "those who leave the failing service"
    still = "stay" if who == CAME else "stay away"
    title = kind.replace("_", " ")
    event = f"{'an' if title[0] in 'aeiou' else 'a'} {title}"
    lead = f"Which part of {of_whom} in {event} would {still} is a range from few cases"
    london = f"{LITERATURE_NAME}, of whom about {words.digits(LITERATURE_PERCENT)}% kept their new way"
    if own.empty:
        return f"{lead}: the evidence holds none that speaks, so it rests on {london}, and on broad assumptions."
    spoken = [f"{row.service} {_shown(row.low, row.high)}" for row in own.itertuples()]
    same = int((own["kind"] == kind).sum())
    remarks = [f"{same} from events of this kind" if same else "none from an event of this kind"]
    if kind == "outage":
        remarks.append("only events that were over count")
    without = int((own["kind"] == "policy_shock").sum())
    if without and kind != "policy_shock":
        remarks.append(f"{without} from shocks without any downtime")
    days = [words.digits(round(end)) for end in (own["days"].min(), own["days"].max())]
    remarks.append(f"seen {' to '.join(dict.fromkeys(days))} days later")
    speak = f"{len(own)} published cases speak" if len(own) > 1 else "1 published case speaks"
    return f"{lead}. {speak} ({words.listing(spoken)}; {', '.join(remarks)}), and {london}."


def _shown(low: float, high: float) -> str:
    ends = [words.percent(end) for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _cases(anchors: pd.DataFrame, kind: str, who: str) -> pd.DataFrame:
    """Cases that speak: outage_id, service, kind, low, high, scale, days; the London strike last, with an empty id."""
    if kind not in KINDS:
        raise ValueError(f"kind: got {kind!r}, expected one of {', '.join(KINDS)}")
    if who not in (CAME, LEFT):
        raise ValueError(f"who: got {who!r}, expected {CAME} or {LEFT}")
    missing = [name for name in COLUMNS if name not in anchors]
    if missing:
        raise ValueError(f"expected the table of anchors(), without {words.listing(missing)}")
    own = anchors[(anchors["who"] == who) & (anchors["over"] | (kind != "outage"))]
    last = own.groupby(["outage_id", "service_id", "quantity", "scope", "platform"], sort=False)["days"].transform(
        "max"
    )
    own = own[own["days"] == last]
    own = own.assign(scale=own["claimant"].map(cl.CLAIMANT_SCALE).astype("float64"))
    found = own.groupby(["outage_id", "service_id"], sort=False, as_index=False).agg(
        service=("service", "first"), kind=("kind", "first"), low=("low", "min"), high=("high", "max"),
        scale=("scale", "max"), days=("days", "max"),
    )  # fmt: skip
    low, high = (end / 100 for end in cl.rounding(LITERATURE_PERCENT, "about"))
    london = {
        "outage_id": "", "service_id": "", "service": LITERATURE_NAME, "kind": LITERATURE_KIND, "low": low,
        "high": high, "scale": cl.CLAIMANT_SCALE["paper"], "days": np.nan,
    }  # fmt: skip
    return pd.DataFrame([*found.to_dict("records"), london])


def _predictive(cases: pd.DataFrame, kind: str) -> tuple[Array, Array, Array]:
    """Weights of the grid of spreads, and mean and standard deviation of a new case's log odds on it: (g,) each."""
    low, high = (_odds(cases[name].to_numpy("float64")) for name in ("low", "high"))
    gap = (low + high) / 2 - CENTRE
    error = (high - low) ** 2 / 12 + cases["scale"].to_numpy("float64") ** 2
    kinds, events = cases["kind"].to_numpy(str), cases["outage_id"].to_numpy(str)
    omega, tau = (grid.ravel() for grid in np.meshgrid(BETWEEN_KINDS, BETWEEN_CASES, indexing="ij"))
    prior = np.outer(np.gradient(BETWEEN_KINDS), np.gradient(BETWEEN_CASES)).ravel()
    log = np.log(prior / tau) - 0.5 * (omega / KINDS_SD) ** 2
    log -= 0.5 * (np.log(tau / CASES_MEDIAN) / CASES_SCATTER) ** 2
    # Given the spreads all is normal: the cases' covariance, and that of a new case with them.
    alone = np.eye(len(cases))
    alike = SAME_EVENT * (events[:, None] == events) + (1 - SAME_EVENT) * alone
    cover = tau[:, None, None] ** 2 * alike + omega[:, None, None] ** 2 * (kinds[:, None] == kinds)
    cover += CENTRE_SD**2 + error * alone
    new = omega[:, None] ** 2 * (kinds == kind) + CENTRE_SD**2
    solved = np.linalg.solve(cover, np.stack([np.broadcast_to(gap, new.shape), new], axis=-1))
    log -= 0.5 * (solved[..., 0] @ gap + np.linalg.slogdet(cover)[1])
    mean = CENTRE + (new * solved[..., 0]).sum(axis=1)
    left = tau**2 + omega**2 + CENTRE_SD**2 - (new * solved[..., 1]).sum(axis=1)
    weight = np.exp(log - log.max())
    return weight / weight.sum(), mean, np.sqrt(np.maximum(left, 0.0))


def _odds(share: Array) -> Array:
    cut = np.clip(share, EDGE, 1 - EDGE)
    odds: Array = np.log(cut / (1 - cut))
    return odds
