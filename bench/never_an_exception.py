"""Does any valid series bring the measurement down? An answer or a named reason is wanted, always.

    python bench/never_an_exception.py [--examples 10000] [--jobs 2]

Draws series by hypothesis from `odd_series`, measures each, and writes bench/never_an_exception.csv: how many of each
kind of series were measured, how many refused for which reason, and how many failed. It ends with 1 if any failed, and
prints those. Warnings count as failures, and so do answers that are not finite, not in order, or contradict themselves.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, Phase, given, seed, settings
from joblib import Parallel, delayed, parallel_config
from odd_series import Odd, odd_series, outcome

HERE = Path(__file__).parent
SEED = 20260704
#: Examples a process draws in one go.
BATCH = 250


def batch(number: int, examples: int) -> tuple[Counter[tuple[str, str]], list[tuple[Odd, str]]]:
    """Measure a batch: counts by kind and outcome, and what failed."""
    seen: Counter[tuple[str, str]] = Counter()
    failed: list[tuple[Odd, str]] = []

    @seed(SEED + number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(odd_series())
    def look(odd: Odd) -> None:
        told = outcome(odd)
        good = told == "measured" or told.startswith("refused: ")
        seen[odd.kind, told if good else "failed"] += 1
        if not good:
            failed.append((odd, told))

    look()
    return seen, failed


def table(found: list[tuple[Counter[tuple[str, str]], list[tuple[Odd, str]]]]) -> pd.DataFrame:
    """Return how often each kind of series had each outcome, and all of them."""
    total = sum((seen for seen, _ in found), Counter())
    rows = pd.DataFrame([(kind, told, count) for (kind, told), count in total.items()], columns=["series", "told", "n"])
    counts = rows.pivot_table("n", "series", "told", aggfunc="sum", fill_value=0)
    for column in ("measured", "failed"):
        counts[column] = counts.get(column, 0)
    counts = counts[["measured", *sorted(counts.columns.drop(["measured", "failed"])), "failed"]].sort_index()
    counts.loc["all"] = counts.sum()
    return counts


def sizes(examples: int) -> list[int]:
    """Return the examples of each batch."""
    return [min(BATCH, examples - begin) for begin in range(0, examples, BATCH)]


def main() -> int:
    """Measure all and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    wanted = parser.parse_args()
    with parallel_config("loky", n_jobs=wanted.jobs, inner_max_num_threads=1):
        found = list(Parallel()(delayed(batch)(number, size) for number, size in enumerate(sizes(wanted.examples))))
    made = table(found)
    made.to_csv(HERE / "never_an_exception.csv", lineterminator="\n")
    print(made.to_string())
    for odd, told in [one for _, some in found for one in some]:
        print(f"{told}\n  {odd}")
    return int(made.loc["all", "failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
