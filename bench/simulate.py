"""Outages with a known truth: parameters from a prior, figures published from the curve as people publish.

The figures of one claimant share a bias, and one time zone where they name none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers import claims as cl
from helpers import curve as curves
from helpers.claims import Claim
from helpers.coarsened import SHARED, own_scale
from helpers.curve import Curve
from helpers.likelihood import OWN_COUNT, Model, Shock, observed
from helpers.prior import Prior

HORIZON = 168.0
CLASSES = ("company", "panel", "press", "api_count")
#: Standard deviation of the error that a claimant's figures share (log), about as the evidence has it.
BIASES = {"company": 0.32, "panel": 0.0, "press": 0.33, "api_count": 0.32}
#: A day whose time zone nobody names, hours.
SOME_ZONE = (-12.0, 12.0)


@dataclass(frozen=True)
class Truth:
    """What is behind the figures: ``z`` (1, d) are the parameters of the ``curve``, that is as its reference counts.

    ``bias`` is the log error of the reference, ``wrong`` the ids of the figures that are simply wrong.
    """

    z: np.ndarray
    curve: Curve
    bias: float
    wrong: tuple[str, ...]


def design(rng: np.random.Generator) -> tuple[Shock, ...]:
    """Draw an outage, with or without a known length and start, and with or without a confounder before it."""
    hours = float(np.exp(rng.uniform(np.log(0.5), np.log(24))))
    length = (hours, hours) if rng.random() < 0.5 else (hours, min(2.5 * hours, 30.0))
    start = (0.0, 24.0) if rng.random() < 0.25 else (0.0, 0.0)
    shocks = [Shock("outage", "the outage", start, length)]
    if rng.random() < 0.4:
        before = -float(rng.uniform(24, 120))
        shocks.append(Shock("other", "the other shock", (before, before), (24.0, 24.0)))
    return tuple(shocks)


def windows(rng: np.random.Generator, shocks: tuple[Shock, ...]) -> tuple[str, float, float, tuple[float, float]]:
    """Draw what one figure speaks of: reading, window in hours, by how much the window may be shifted."""
    zone = [(0.0, 0.0), (-0.5, 0.5), SOME_ZONE, (-9.0, -9.0)][rng.choice(4, p=[0.2, 0.2, 0.45, 0.15])]
    kind = rng.choice(["day", "days", "instant", "peak", "mean", "ratio", "excess", "before"])
    day = 24.0 * rng.integers(0, 3)
    if kind == "instant":
        return "rate_instant", 0.0, shocks[0].hours[1], (0.0, 0.0)
    if kind == "days":
        return "increment", 0.0, 24.0 * rng.integers(2, 8), zone
    if kind == "before" and len(shocks) > 1:
        at = shocks[1].start[0]
        return "increment", at, at + 24, zone
    reading = {"peak": "rate_peak", "mean": "rate_mean", "ratio": "ratio_mean", "excess": "excess"}
    return reading.get(kind, "increment"), day, day + 24, zone


def digits(value: float, count: int, how: str) -> float:
    """Round to so many significant digits, to the nearest, down or up."""
    step = 10.0 ** (np.floor(np.log10(value)) - count + 1)
    value = {"nearest": np.round, "down": np.floor, "up": np.ceil}[how](value / step) * step
    return float(f"{value:.12g}")


def publish(value: float, rng: np.random.Generator) -> tuple[float, str] | None:
    """Turn a number into (value, qualifier) as people do; None when it is too small to be told."""
    count = int(rng.integers(1, 4))
    how = rng.choice(["about", "exact", "more_than", "up_to"], p=[0.55, 0.1, 0.28, 0.07])
    if how in ("more_than", "up_to"):
        lag = rng.exponential(cl.PASSED) if rng.random() > cl.FRESH else 0.0
        value = value * np.exp(-lag if how == "more_than" else lag)
    if not 1 <= value < 1e15:
        return None
    if how == "exact":
        return float(np.round(value)), "exact"
    return digits(value, count, {"about": "nearest", "more_than": "down", "up_to": "up"}[how]), str(how)


def outage(
    rng: np.random.Generator, figures: int, prior: Prior, fitted_with: Prior | None = None
) -> tuple[Model, Truth]:
    """Simulate one outage: the model with its claims as it would be fitted, with the prior of the truth or another."""
    shocks = design(rng)
    bare = Model(shocks, (), prior)
    z = rng.standard_normal((1, len(bare.names)))
    truth = bare.unpack(z)
    known = int(rng.choice([0, 1, 2], p=[0.1, 0.6, 0.3]))
    wanted = [("baseline", 0.0, 0.0, (0.0, 0.0))] * known
    made: list[Claim] = []
    classes = [str(rng.choice(CLASSES)) for _ in range(figures)]
    reference = "company" if set(OWN_COUNT) & set(classes) else max(sorted(classes), key=classes.count)
    bias = {name: sd * rng.standard_normal() for name, sd in BIASES.items()}
    bias["api_count"] = bias["company"]  # a service's public counter counts as it does
    clock = {name: rng.uniform(*SOME_ZONE) for name in CLASSES}
    shared: float | None = rng.standard_normal() if classes.count("company") >= 2 and rng.random() < 0.4 else None
    wrongs: list[str] = []
    in_group, told, tries = 0, 0, 0
    while told < figures and tries < 40 * figures:
        tries += 1
        base = len(made) < known and told == 0
        reading, start, end, zone = wanted[len(made)] if base else windows(rng, shocks)
        if reading.startswith("ratio") and not known:
            continue
        who = "" if base else classes[told]
        grouped = who == "company" and shared is not None and in_group < 2 and reading == "increment"
        claim = Claim(
            f"{len(made)}", reading, 0, 0, "none", start, end, zone,
            scale=cl.CLAIMANT_SCALE[who] if who else float(rng.uniform(0.1, 0.6)),
            group="running" if grouped else "", claimant=who, bias=BIASES.get(who, 0.0), clock=zone == SOME_ZONE,
        )  # fmt: skip
        moved = clock[who] if claim.clock else float(rng.uniform(*zone)) if zone[1] > zone[0] else zone[0]
        seen = replace(claim, start=start + moved, end=end + moved, shift=(0.0, 0.0))
        if reading == "rate_instant":
            moment = float(rng.uniform(start, end))
            seen = replace(seen, start=moment, end=moment)
        value = float(observed(seen, truth)[0, 0])
        wrong = rng.random() < prior.false
        error = prior.wrong * rng.standard_normal()
        if not wrong:
            error = own_scale(claim) * rng.standard_normal()
            error += np.sqrt(SHARED) * claim.scale * shared if grouped else 0.0
            error += bias[who] - bias[reference] if who else 0.0
        # Ratios are told as times the usual; rates per hour; both need a few digits before the point.
        unit = "ratio" if reading.startswith("ratio") else "users"
        size = 1.0 if unit == "users" else 100.0
        if value <= 0 or (out := publish(value * np.exp(error) * size, rng)) is None:
            continue
        told_in = "users/hour" if reading.startswith("rate") else "users"
        # A ratio was told in hundredths: read as a count and divided again.
        counted = reading.replace("ratio", "count")
        low, high = (edge / size for edge in cl.interval(out[0], told_in, out[1], counted))
        made.append(replace(claim, low=low, high=high, bound=cl.bound_of(out[1])))
        wrongs += [claim.figure_id] * wrong
        told += not base
        in_group += grouped
    model = Model(shocks, tuple(made), fitted_with or prior, counts_as=reference)
    return model, Truth(z, truth, bias[reference], tuple(wrongs))


def gained(made: Curve) -> np.ndarray:
    """Extra users because of the outage within HORIZON hours: (n,)."""
    result: np.ndarray = curves.extra(made, 0.0, HORIZON, 0)[:, 0]
    return result
