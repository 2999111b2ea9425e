"""The tables of notebook 07."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers import words
from helpers.evidence import Evidence
from helpers.fit import compared
from helpers.scenario.outcome import Outcome, Year
from helpers.scenario.predict import Prediction
from helpers.scenario.question import Scenario
from helpers.scenario.story import PROVIDE
from helpers.scenario.year import YearLoss
from helpers.table import Sentence, Table
from helpers.tables import said, source


def rivals(found: Scenario, made: Sequence[Prediction]) -> Table | Sentence:
    """Every rival in numbers."""
    if not made:
        return Sentence("The evidence names no rival; give some as rivals.")
    level = found.asked.level
    ends = [(1 - level) / 2, (1 + level) / 2]
    rows = []
    for one in made:
        usual = np.quantile(one.fitted.made.baseline * 24, ends)
        rows.append(
            {
                "rival": one.rival,
                "usually a day": words.interval(*usual) if one.usual_known else "not published",
                "extra people": words.interval(*np.quantile(one.extra, ends)),
                "middle": words.count(words.significant(float(np.median(one.extra)))),
                "at the peak": words.rate_interval(*np.quantile(one.peak, ends)),
                "provide for": words.rate(float(np.quantile(one.peak, PROVIDE))),
            }
        )
    frame = pd.DataFrame(rows)
    caption = (
        f"{words.percent(level)} intervals within {words.duration(found.asked.horizon_hours)}; provide for: enough "
        f"in 19 of "
        "20 cases"
    )
    return Table(frame, caption, align=dict.fromkeys(list(frame.columns[1:]), "num"))


def later(found: Scenario, made: Sequence[Prediction], evidence: Evidence) -> Table | Sentence:
    """Figures published later beside what was predicted of the same thing."""
    rows = []
    for one in made:
        figures = one.fitted.series.figures.set_index("figure_id")
        for seen in compared(one.fitted, found.asked.level, found.asked.seed).itertuples(index=False):
            figure = figures.loc[seen.figure_id]
            rows.append(
                {
                    "rival": one.rival,
                    "published later": words.published(figure["value"], figure["unit"], figure["qualifier"]),
                    "of": f"{figure['window_start_utc']:%Y-%m-%d} on",
                    "predicted": said(seen.low, seen.high, figure["unit"]),
                    "holds": "yes" if seen.low <= figure["value"] <= seen.high else "no",
                    **source(evidence, figure),
                }
            )
    if not rows:
        return Sentence("No figure was published later that counts people who came to these rivals.")
    caption = (
        f"The {words.percent(found.asked.level)} interval of what was predicted, for the same count and days; a "
        "running total is counted from the one told before it"
    )
    frame = pd.DataFrame(rows)
    return Table(frame, caption, align={"published later": "num", "predicted": "num"}, links={"source": "address"})


def kept(cost: Outcome, evidence: Evidence) -> Table | Sentence:
    """Published pairs of levels that tell which part stayed."""
    if cost.anchors.empty:
        return Sentence("No published pair of levels tells which part stayed.")
    rows = cost.anchors
    told = pd.concat(
        [evidence.growth_figures.set_index("figure_id"), evidence.baselines.set_index("baseline_id")], join="inner"
    )
    pages = [source(evidence, told.loc[ids.split(";")[0]]) for ids in rows["later_id"]]
    frame = pd.DataFrame(
        {
            "service": rows["service"],
            "event": rows["outage_id"],
            "who": ["came to it" if who == "came" else "left it" for who in rows["who"]],
            "days later": [words.digits(round(days)) for days in rows["days"]],
            "stays": [
                f"{words.percent(low)} to {words.percent(high)}"
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            "event over": ["yes" if over else "no" for over in rows["over"]],
            "source": [page["source"] for page in pages],
            "address": [page["address"] for page in pages],
        }
    )
    caption = "Which part stayed, from published levels, by the rounding"
    return Table(frame, caption, align={"stays": "num"}, links={"source": "address"})


def years(rows: Sequence[Year]) -> Table:
    """A year of outages, by service."""
    made = []
    for row in rows:
        line = {
            "service": row.service,
            "people hit each time": "",
            "outages": "",
            "mean": "",
            "middle year": "",
            "1 in 20": "",
        }
        if isinstance(row.loss, YearLoss):
            loss = row.loss
            line |= {
                "people hit each time": words.count(row.affected),
                "outages": f"{loss.incidents:.1f}",
                "mean": words.count(words.significant(loss.mean)) + ("*" if loss.dominated else ""),
                "middle year": words.count(words.significant(loss.median)),
                "1 in 20": words.count(words.significant(loss.worst)),
            }
        else:
            line["people hit each time"] = row.loss.why
        made.append(line)
    frame = pd.DataFrame(made)
    star = "; *: a few of the simulated years make the mean" if any("*" in text for text in frame["mean"]) else ""
    caption = (
        f"Users lost for good to published outages within twelve months; 1 in 20: one year of twenty loses more{star}"
    )
    return Table(frame, caption, align=dict.fromkeys(list(frame.columns[1:]), "num"))
