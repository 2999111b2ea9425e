"""Events that nobody marked: single outliers, surges that fade, steps that stay; and a surge before its stated start.

Each kind leaves its own trace in the innovations of the fitted drift (Chen and Liu 1993: additive outlier, temporary
change, level shift). The largest trace beyond what chance gives is taken out, the fit repeated, until none is left.
A surge or an outlier is left out of the training; a step becomes a column of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from helpers.measured import drift
from helpers.measured.design import FEWEST_STEPS, Design
from helpers.measured.window import CannotTell

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Kind = Literal["outlier", "surge", "step"]
#: Half-lives of surges that are looked for, in steps.
HALF_LIVES = (1.0, 3.0, 9.0, 27.0)
#: Scores that a step must reach above the largest that chance gives, and any event just before the stated start.
ABOVE_CHANCE, AT_THE_EDGE = 1.5, 4.0
#: Steps before the start in which a weaker trace counts.
EDGE = 3
#: Events of so many steps are asked whether they stay or fade; a surge is over after so many half-lives.
SLOW, _FADED = 9, 5.0
#: Standard errors by which a trend must bend before it is let bend.
CLEAR_BEND = 4.0


class Rules(NamedTuple):
    """What counts as an event.

    Real series hold many days of five standard errors; they are what such a series is like, and a baseline keeps them.

    Attributes
    ----------
    clear : score that outliers and surges must reach.
    outliers : most outliers, as a share of the steps.
    surges : most surges, and most steps.
    passes : most times that the fit is repeated.
    """

    clear: float = 8.0
    outliers: float = 0.01
    surges: int = 4
    passes: int = 8


BASELINE = Rules()


class Event(NamedTuple):
    """An event nobody marked.

    Attributes
    ----------
    kind : outlier, surge or step.
    first, last : first and last step that it touches, as positions; a step lasts to the end.
    size : effect on the log scale at its beginning; 0.7 is twice the usual.
    score : size in standard errors.
    """

    kind: Kind
    first: int
    last: int
    size: float
    score: float


class Trace(NamedTuple):
    """Standardised trace of one kind of event at each step: scores (n,) and sizes (n,)."""

    kind: Kind
    half_life: float
    score: Array
    size: Array


@dataclass(frozen=True)
class Cleaned:
    """A fit after unmarked events were taken out.

    Attributes
    ----------
    fit : drift.Fit of the steps before the outage.
    design : Design with a column for each step found.
    used : (n,) steps the baseline has learnt from.
    events : in order of time.
    early : position of the first step at which the surge seems to have begun before its stated start, if it has.
    """

    fit: drift.Fit
    design: Design
    used: Mask
    events: tuple[Event, ...]
    early: int | None


def clean(counts: Array, used: Mask, design: Design, prior: drift.Prior, rules: Rules = BASELINE) -> Cleaned:
    """Fit the steps before the outage, taking out what nobody marked.

    Parameters
    ----------
    counts : (n,) counts up to the outage.
    used : (n,) steps that may train the baseline.
    design : columns for all steps, those after the outage too.
    prior : see `drift.Prior`.

    Raises
    ------
    CannotTell
        If the events leave too little to learn from.
    """
    n = len(counts)
    used = used.copy()
    allowed: dict[Kind, int] = {
        "outlier": int(max(rules.outliers * used.sum(), 2)),
        "surge": rules.surges,
        "step": rules.surges,
    }
    fitted = drift.fit(counts, used, design.matrix[:n], design.spread, prior)
    events: list[Event] = []
    for _ in range(rules.passes):
        known = {(event.kind, event.first) for event in events}
        found = [event for event in _largest(fitted, counts, used, allowed, rules.clear) if event[:2] not in known]
        if not found:
            break
        for candidate in found:
            event = _settled(candidate, counts, used, design, fitted)
            events.append(event)
            allowed[event.kind] -= 1
            if event.kind == "step":
                design = design.with_column(_lasting(len(design.matrix), event.first, 1.0), f"step at {event.first}")
            else:
                used[event.first : event.last + 1] = False
        if used.sum() < FEWEST_STEPS:
            raise CannotTell(
                "failed", f"events that nobody marked leave {used.sum()} of {n} steps before the outage to learn from"
            )
        fitted = drift.fit(counts, used, design.matrix[:n], design.spread, prior, fitted.theta, rounds=1)
    if not any(event.kind == "step" for event in events):
        design, fitted = _bent(counts, used, design, fitted)
    early = _early(events, used, n)
    events = [event for event in events if early is None or event.first < early]
    return Cleaned(fitted, design, used, tuple(sorted(events, key=lambda e: e.first)), early)


def _largest(fitted: drift.Fit, counts: Array, used: Mask, allowed: dict[Kind, int], clear: float) -> list[Event]:
    """Return the clearest events of one pass, none of them near another."""
    n, solved = len(counts), fitted.at()
    left, phi, theta = innovations(fitted, solved, counts, used)
    scale = 1.4826 * float(np.median(np.abs(left[used]))) or 1.0
    tests = len(HALF_LIVES) + 2
    chance = np.sqrt(2 * np.log(n * tests)) + ABOVE_CHANCE
    last = int(np.flatnonzero(used)[-1])
    limits = {"outlier": np.full(n, clear), "surge": np.full(n, clear), "step": np.full(n, chance)}
    limits["step"][: n // 20] = limits["step"][n - n // 20 :] = clear
    for limit in limits.values():
        limit[max(last - EDGE + 1, 0) :] = AT_THE_EDGE
    traces = [
        _trace("outlier", 0.0, left, phi, theta, scale),
        *(_trace("surge", half, left, phi, theta, scale) for half in HALF_LIVES if half < n / 8),
        _trace("step", np.inf, left, phi, theta, scale),
    ]
    noise = np.sqrt(np.median(1 / solved.weight[solved.weight > 0]) + solved.sigma**2)
    found: list[Event] = []
    taken, strongest = np.zeros(n, dtype=bool), 0.0
    for _ in range(6):
        over = [np.where(used & ~taken, np.abs(trace.score) / limits[trace.kind], 0.0) for trace in traces]
        best = max(range(len(traces)), key=lambda i: float(over[i].max()))
        at = int(over[best].argmax())
        strongest = max(strongest, float(over[best][at]))
        # A large event blurs the fit: what is far weaker waits for the next pass.
        if over[best][at] <= max(1.0, strongest / 2):
            break
        event = _event(traces[best], at, float(noise), n)
        if allowed[event.kind] <= sum(other.kind == event.kind for other in found) and event.last < last:
            limits[traces[best].kind][:] = np.inf
            continue
        found.append(event)
        reach = 2 * max(event.last - event.first, 5) if event.kind != "step" else n
        taken[max(event.first - reach, 0) : event.last + reach + 1] = True
    return found


def _event(trace: Trace, at: int, noise: float, n: int) -> Event:
    size, score = float(trace.size[at]), float(trace.score[at])
    if trace.kind == "step" and n - at <= max(EDGE, n // 20):
        return Event("surge", at, n - 1, size, score)  # too near the end to tell whether it stays
    if trace.kind == "outlier":
        return Event("outlier", at, at, size, score)
    if trace.kind == "step":
        return Event("step", at, n - 1, size, score)
    # Until what is left of it is lost in the noise of single steps.
    steps = trace.half_life * np.log2(max(abs(size) / (0.25 * noise), 2.0))
    last = min(at + int(np.ceil(steps)), n - 1)
    return Event("surge", at, n - 1 if n - 1 - last <= EDGE else last, size, score)


def _lasting(n: int, first: int, fading: float) -> Array:
    """Return a column that is one at a step and fades by a factor a step from there on."""
    after = np.arange(n) - first
    return np.asarray(np.where(after >= 0, fading ** np.maximum(after, 0), 0.0))


def _settled(event: Event, counts: Array, used: Mask, design: Design, fitted: drift.Fit) -> Event:
    """Say whether what looks like a step or a slow surge stays or fades: whichever fits better."""
    n = len(counts)
    if event.last - event.first < SLOW or n - event.first <= 2 * SLOW:
        return event
    losses = {}
    for half_life in (np.inf, *HALF_LIVES[1:]):
        longer = design.with_column(_lasting(len(design.matrix), event.first, 0.5 ** (1 / half_life)), "tried")
        tried = drift.fit(counts, used, longer.matrix[:n], longer.spread, fitted.prior, fitted.theta, rounds=1)
        losses[half_life] = drift.penalised(tried)
    best = min(losses, key=lambda half_life: losses[half_life])
    if np.isinf(best):
        return event._replace(kind="step", last=n - 1)
    last = min(event.first + int(np.ceil(best * _FADED)), n - 1)
    return event._replace(kind="surge", last=max(last, event.last) if event.kind == "surge" else last)


def _bent(counts: Array, used: Mask, design: Design, fitted: drift.Fit) -> tuple[Design, drift.Fit]:
    """Let the trend bend where it clearly does."""
    n = len(counts)
    trend = design.matrix[:, 1]
    bend = trend**2 - np.mean(trend[:n] ** 2)
    longer = design.with_column(bend, "bend")
    tried = drift.fit(counts, used, longer.matrix[:n], longer.spread, fitted.prior, fitted.theta, rounds=1)
    solved = tried.at()
    clear = abs(solved.coefficients[-1]) > CLEAR_BEND * np.sqrt(solved.covariance[-1, -1])
    return (longer, tried) if clear else (design, fitted)


def _early(events: Sequence[Event], used: Mask, n: int) -> int | None:
    """Return where an upward event begins that runs into the stated start."""
    at_end = [event for event in events if event.kind != "step" and event.size > 0 and not used[event.last :].any()]
    return min((event.first for event in at_end), default=None)


def innovations(fitted: drift.Fit, solved: drift.Solved, counts: Array, used: Mask) -> tuple[Array, float, float]:
    """Return one-step innovations of the residuals in the steady state, and the filter's two coefficients."""
    level = fitted.matrix @ solved.coefficients
    mean = np.exp(np.clip(level + solved.state(), -20, 30))
    usual = np.exp(np.clip(level, -20, 30))
    count = np.where(used, counts, mean)
    with np.errstate(divide="ignore"):
        log = np.log(np.where(count > 0, count, 1.0) / usual)
    # Of few people, Anscombe's residual (1953) is nearly normal where a logarithm is not.
    few = 1.5 * (count ** (2 / 3) - usual ** (2 / 3)) / usual ** (2 / 3)
    residual = np.where(used, np.where((usual > 30) & (count > 0), log, few), solved.state())
    noise = float(np.median(1 / solved.weight[solved.weight > 0]))
    phi = solved.phi
    zero, one = solved.sigma**2 + noise * (1 + phi**2), phi * noise
    theta = (zero - np.sqrt(max(zero**2 - 4 * one**2, 0.0))) / (2 * one)
    left = lfilter([1, -phi], [1, -theta], residual)
    return np.where(used, left, 0.0), phi, float(theta)


def _trace(kind: Kind, half_life: float, innovations: Array, phi: float, theta: float, scale: float) -> Trace:
    n = len(innovations)
    fading = 0.0 if half_life == 0 else 0.5 ** (1 / half_life)
    below = np.convolve([1, -theta], [1, -fading])
    impulse = np.zeros(n)
    impulse[0] = 1
    weight = np.cumsum(lfilter([1, -phi], below, impulse) ** 2)[::-1]
    matched = lfilter([1, -phi], below, innovations[::-1])[::-1]
    return Trace(kind, half_life, matched / (np.sqrt(weight) * scale), matched / weight)
