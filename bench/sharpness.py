"""Is the model sharper than it was, and still honest? Before and after on the same simulated outages.

    python bench/sharpness.py [--outages 400] [--jobs 2]

Truths under two natures: gains as the wide prior has them, and as the rule across events (`data/derived`) predicts them
for an event of the evidence. Figures as `simulate.py` publishes them: a claimant's share a bias and a time zone.

*before*: the wide prior, every figure with an error and a zone of its own. *after*: one clock and one bias a claimant,
and the robust prior, half wide and half the rule's (of that event under the rule's nature, of another event under the
plain prior's: then the rule is wrong). Both are asked for what the reference counted: from the start to the last hour
that a figure speaks of, and within a week; *people* is the week less the reference's bias, known by its size only.
The score is the interval score (Gneiting and Raftery 2007) of the 95% interval on the log scale, of at least one user.

One figure more: the same outage without its last figure, where that one is true and at least one is left; the mean of
the log of upper over lower end, with it and without. Writes bench/sharpness.csv and bench/one_more.csv.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from simulate import Truth, gained, outage

from helpers import curve as curves
from helpers import evidence, sampling
from helpers.curve import Array, Curve
from helpers.likelihood import Model, counter
from helpers.pooled import events, kept
from helpers.pooled.design import OF_RIVAL
from helpers.pooled.informed import of_rule
from helpers.prior import USUAL, Prior

HERE = Path(__file__).parent
NATURES = ("plain prior", "rule")
LEVELS = (0.95, 0.8)
LEAST = 1.0


@dataclass(frozen=True)
class OnlyRule(Prior):
    """The rule and nothing else: what truths follow under its nature."""

    def gain(self, per_day: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the log gain."""
        assert self.rule is not None
        mean, slope, sd = self.rule
        return mean + slope * np.log(per_day / USUAL), np.full_like(per_day, sd)


@cache
def rules() -> list[tuple[float, float, float]]:
    """What the rule predicts of each event with a published gain."""
    known = events.all_events(evidence.load())
    rule = kept.load(evidence.ROOT / "data")
    ids = {gain.outage_id for gain in rule.gains}
    made = [of_rule(rule, event, np.zeros(len(OF_RIVAL))).rule for event in known if event.outage_id in ids]
    return [one for one in made if one is not None]


def before(model: Model) -> Model:
    """The model as it was: errors and zones of the figures are their own, the prior is wide."""
    claims = [replace(c, scale=c.error, claimant="", bias=0.0, clock=False) for c in model.claims]
    return replace(model, claims=tuple(claims), prior=Prior(), counts_as="")


def told(model: Model, made: Curve) -> Array:
    """Extra users of all shocks to the last hour that a figure speaks of."""
    last = max(c.end + (c.shift[0] + c.shift[1]) / 2 for c in model.claims if c.reading != "baseline")
    hours = np.array([max(24.0, last)])
    total: Array = np.sum([curves.extra(made, -1e5, hours, j)[:, 0] for j in range(made.shocks)], axis=0)
    return total


def scored(name: str, draws: Array, true: float) -> dict[str, float]:
    """Coverage, width and interval score of one question."""
    log, at = np.log(np.maximum(draws, LEAST)), np.log(max(true, LEAST))
    row = {}
    for level in LEVELS:
        low, high = np.quantile(log, [(1 - level) / 2, (1 + level) / 2])
        outside = max(low - at, at - high, 0.0)
        row |= {f"{name} covers_{level}": low <= at <= high, f"{name} width_{level}": high - low}
        row |= {f"{name} score_{level}": high - low + 2 / (1 - level) * outside}
    return row


def one(task: tuple[str, int]) -> list[dict[str, object]]:
    """Simulate, fit before and after, with and without the last figure."""
    nature, seed = task
    rng = np.random.default_rng([20140222, NATURES.index(nature), seed])
    figures = seed % 8 + 1
    other = rules()[int(rng.integers(len(rules())))]
    prior = OnlyRule(rule=other) if nature == "rule" else Prior()
    model, truth = outage(rng, figures, prior, Prior(rule=other))
    if not (figures := sum(claim.reading != "baseline" for claim in model.claims)):
        return []  # all too small to be told
    last = model.claims[-1]
    rest = replace(model, claims=model.claims[:-1])
    more = figures > 1 and last.figure_id not in truth.wrong
    made = []
    for when, asked in (("before", before(model)), ("after", model), *([("one fewer", rest)] if more else [])):
        row: dict[str, object] = {"nature": nature, "seed": seed, "figures": figures, "when": when}
        try:
            sample = sampling.sample(asked.log_likelihood, len(asked.names), seed)
        except sampling.ConvergenceError:
            made.append(row)
            continue
        made.append(row | answers(asked, asked.unpack(sample.draws), model, truth, rng))
    return made


def answers(asked: Model, made: Curve, model: Model, truth: Truth, rng: np.random.Generator) -> dict[str, float]:
    """Score all questions."""
    week, true = gained(made), gained(truth.curve)[0]
    sd = next((c.bias for c in model.claims if counter(c) == asked.reference), 0.0)
    people = week * np.exp(-sd * rng.standard_normal(len(week)))
    return {
        **scored("told hours", told(model, made), float(told(model, truth.curve)[0])),
        **scored("week", week, true),
        **scored("people", people, true * np.exp(-truth.bias)),
    }


def main() -> None:
    """Run and write the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outages", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    wanted = parser.parse_args()
    tasks = [(nature, seed) for nature in NATURES for seed in range(wanted.outages)]
    with ProcessPoolExecutor(wanted.jobs) as pool:
        rows = pd.DataFrame([row for part in pool.map(one, tasks, chunksize=4) for row in part])
    both = rows[rows["when"] != "one fewer"]
    # Only outages that both answer are compared.
    answered = both.groupby(["nature", "seed"])["week score_0.95"].transform(lambda scores: scores.notna().all())
    made = []
    for (nature, when), part in both.groupby(["nature", "when"], sort=False):
        mine = part[answered[part.index]]
        for size, group in (("1 to 8", mine), ("3 to 8", mine[mine["figures"] >= 3])):
            for question in ("told hours", "week", "people"):
                made.append(
                    {"nature": nature, "when": when, "figures": size, "question": question, "outages": len(group),
                     "refused": int(part["week score_0.95"].isna().sum()),
                     "cover_95": group[f"{question} covers_0.95"].mean(),
                     "cover_80": group[f"{question} covers_0.8"].mean(),
                     "score_95": group[f"{question} score_0.95"].mean(),
                     "score_80": group[f"{question} score_0.8"].mean(),
                     "median_factor_95": np.exp(group[f"{question} width_0.95"].median())}
                )  # fmt: skip
    table = pd.DataFrame(made)
    after = rows[rows["when"] != "before"]
    wide = after.pivot_table("week width_0.95", ["nature", "seed", "figures"], "when").dropna().reset_index()
    means = {"outages": ("seed", "size"), "with_it": ("after", "mean"), "without": ("one fewer", "mean")}
    more = wide.groupby("figures").agg(**means)
    table.to_csv(HERE / "sharpness.csv", index=False, float_format="%.3f", lineterminator="\n")
    more.to_csv(HERE / "one_more.csv", float_format="%.3f", lineterminator="\n")
    print(table.to_string(index=False), more.to_string(), sep="\n\n")


if __name__ == "__main__":
    main()
