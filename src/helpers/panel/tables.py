"""The tables of a panel: who was called, what failed and why, what other rules would have called."""

from __future__ import annotations

import pandas as pd

from helpers import words
from helpers.models import WhoGained
from helpers.panel import gains, question, story, view
from helpers.panel.discoveries import Discoveries
from helpers.panel.measure_all import PanelResult
from helpers.table import Sentence, Table

#: Rows that a page shows, and series named in a cell.
MOST_ROWS, FEW = 30, 3


def called(result: PanelResult, found: Discoveries, asked: WhoGained) -> Table | Sentence:
    """Every called series with its range: the surest gains, then the surest losses."""
    rows = gains.surest(found, MOST_ROWS)
    if not len(rows):
        return Sentence("No series is called.")
    frame = pd.DataFrame({"series": rows["series"]})
    if story.several(asked):
        frame["outage"] = [view.outage(row, result) for _, row in rows.iterrows()]
    ends = [rows["called_low"], rows["called_high"]]
    extra, share = f"extra {story.noun(asked)}", "against the expected"
    frame[extra] = [words.interval(low, high) for low, high in zip(*ends, strict=True)]
    frame[share] = [_shares(row) for _, row in rows.iterrows()]
    frame["counted"] = [words.count(value) for value in rows["observed"]]
    frame["expected"] = [words.count(value) for value in rows["expected"]]
    frame["q"] = [_q(value) for value in rows["q"]]
    whole = int(found.table["called"].sum())
    more = f"; the {len(rows)} surest of {whole:,}" if whole > len(rows) else ""
    caption = (
        f"Called at {words.percent(found.level)} false discoveries{more}; about {words.percent(1 - found.level)} of "
        "these intervals hold what happened; q: share of false discoveries at which a series is just called"
    )
    return Table(frame, caption, align=dict.fromkeys([extra, share, "counted", "expected", "q"], "num"))


def _shares(row: pd.Series) -> str:
    """Write the interval of a called row as shares of what was expected."""
    counted = float(row["observed"])
    ends = [counted / max(counted - float(row[name]), 1e-9) - 1 for name in ("called_low", "called_high")]
    low, high = (f"{end:+,.0%}".replace("-", words.MINUS) for end in ends)
    return f"{low} to {high}"


def _q(value: float) -> str:
    return "under 0.001" if value < 0.001 else f"{value:.3f}"


def failures(result: PanelResult) -> Table | Sentence:
    """Series that could not be measured, each with its reason: all of them, or some of each reason."""
    failed = result.table[result.table["status"] == "failed"]
    if not len(failed):
        return Sentence("Every series was measured.")
    each = max(1, MOST_ROWS // failed["reason"].nunique())
    shown = failed if len(failed) <= MOST_ROWS else failed.groupby("reason", sort=False).head(each).head(MOST_ROWS)
    frame = pd.DataFrame({"series": shown["series"]})
    if len(result.settings.windows) > 1:
        frame["outage"] = [view.outage(row, result) for _, row in shown.iterrows()]
    frame["why"] = [story.reason(code) for code in shown["reason"]]
    frame["in full"] = shown["reason_text"]
    more = f", of {len(failed):,} in all; adoption panel lists every one" if len(failed) > len(shown) else ""
    return Table(frame, f"Not measured: {len(shown)}{more}")


def survives(result: PanelResult, found: Discoveries, asked: WhoGained) -> Table | Sentence:
    """What other rules would have called."""
    if not found.tested:
        return Sentence("Nothing was tested.")
    table, usual = found.table, found.table["called"].to_numpy(dtype=bool)
    rows = []
    plain = question.call(result, asked, correct=False) if found.placebos and found.placebos.corrected else None
    for rule in gains.rules(found, plain):
        up, down = (int((rule.called & (sign * table["z"] > 0)).sum()) for sign in (1, -1))
        added, gone = table[rule.called & ~usual], table[~rule.called & usual]
        rows.append(
            {
                "rule": _said(rule, found),
                "gained": up,
                "lost": down,
                "by chance": _chance(rule, found, up + down),
                "what changes": "; ".join(
                    [f"{word} {_named(part, result)}" for word, part in (("also", added), ("not", gone)) if len(part)]
                )
                or "nothing",
            }
        )
    return Table(pd.DataFrame(rows), f"Of {found.tested:,} tested, by the rule of calling")


def _said(rule: gains.Rule, found: Discoveries) -> str:
    level = words.percent(rule.level)
    if rule.name == "share":
        return f"{level} false discoveries{' (used here)' if rule.level == found.level else ''}"
    if rule.name == "any dependence":
        return f"{level}, however the series depend on each other"
    if rule.name == "uncorrected":
        return f"{level} false discoveries, not held against the placebo series"
    return f"not one wrong call, {level}" if rule.name == "not one" else "no correction, p below 0.05"


def _chance(rule: gains.Rule, found: Discoveries, called: int) -> str:
    if rule.name == "not one":
        return f"none, in {words.percent(1 - rule.level)} of cases"
    if not called and rule.name != "none":
        return "none"
    by_chance = found.tested * rule.level if rule.name == "none" else called * rule.level
    return f"{'about' if rule.name == 'none' else 'at most'} {words.digits(words.significant(by_chance))}"


def _named(rows: pd.DataFrame, result: PanelResult) -> str:
    names = [view.label(row, result) for _, row in rows.sort_values("p").head(FEW).iterrows()]
    return words.listing([*names, *([f"{len(rows) - FEW:,} more"] if len(rows) > FEW else [])])
