"""Published pairs of levels that tell which part of those who came to a rival (or left a service) stayed.

The share that stays is ``(later - usual) / (peak - usual)``, from levels: users of a day, a week or a month, visits,
time of use. Levels measure who is active, which is what staying means; rates of sign-ups and installs fall because
the news is over, whoever stays. A rival that goes on growing has no peak and makes no pair, so the pairs lean to
those who lost again.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers.evidence import Evidence

#: Low, middle and high of a level.
Level = tuple[float, float, float]

LEVELS = ("daily_active", "weekly_active", "monthly_active", "visits", "usage")
CAME, LEFT = "came", "left"
ROLES = {"gainer": CAME, "circumvention": CAME, "failing_service": LEFT}
#: The peak lies in the event, or this many days before it (announced) or after its end or start (it still spreads).
DAYS_BEFORE, DAYS_AFTER = 7, 31
#: The later level begins at most so many days after the peak; the usual one is at most as old at the event.
LATEST_DAYS = 200
#: A later level beyond this share is a gain (or loss) that goes on, not one that was kept.
SIMILAR = 1.1
#: An unpublished usual level is taken as anything from nothing to this part of the later one. Assumed: rivals in the
#: news multiplied, so most of the later level is new.
USUAL_SHARE = 0.5
REGISTERED = re.compile(r"of (\d+(?:\.\d+)?) (million|billion) registered")
SCALES = {"million": 1e6, "billion": 1e9}

#: What levels of one series have in common.
SERIES = ["service_id", "quantity", "scope", "platform"]

COLUMNS = [
    "outage_id", "service_id", "service", "kind", "who", "quantity", "scope", "platform", "peak", "peak_id", "usual",
    "usual_id", "later", "later_id", "days", "share", "low", "high", "clipped", "over", "claimant", "remark",
]  # fmt: skip
NO_USUAL = "usual level not published: the share of the peak's level; the low end lets it be up to half of the later"
ALL_REGISTERED = "of all ever registered, those before the event included"


def anchors(evidence: Evidence) -> pd.DataFrame:
    """Find the published pairs from which a share that stays can be computed.

    For each event, service, quantity, place and platform with figures of a level (LEVELS): the peak is the highest
    level (the lowest, for the failing service) in the event or just around it, told with the event or as a baseline
    ``during_event`` or ``record``. Each level that follows within LATEST_DAYS makes a row, from figures of the same
    event and from all baselines. Of later levels of the same days those on a page that told the peak as well count
    alone: two firms are not one series. The usual level is the nearest ``baseline`` before the event. A change in
    percent counts where the page names the peak as what it is relative to, a change in users where the usual level is
    of the day before, a ratio to the usual where that is known or the peak is such a ratio as well, and a remark on
    who stayed where it tells how many of how many registered. Repeated figures, and a peak that rounding cannot tell
    from the usual level, are left out.

    Returns
    -------
    DataFrame
        One row a pair: outage_id; service_id and service (name); kind (of event); who ("came" or "left"); quantity;
        scope; platform; peak, usual and later (users, or times the usual where nothing else is known; usual missing
        where it is not published) with peak_id, usual_id and later_id (figure or baseline ids, ";" between); days
        from the middle of the peak's window to that of the later one (from the start of the event where the peak
        has none); share, within low and high by the rounding of the figures (0 to 1); clipped, whether share had to
        be cut to that range; over, whether the event had ended before the later window; claimant (class, of the later
        figure); remark.
    """
    levels = _levels(evidence)
    names = dict(zip(evidence.services["service_id"], evidence.services["name"], strict=True))
    of_event = levels["outage_id"] != ""
    bases = dict(iter(levels[~of_event].groupby(SERIES)))
    told = dict(iter(levels[of_event].groupby("outage_id")))
    made = []
    for _, event in evidence.outages[evidence.outages["outage_id"].isin(told)].iterrows():
        for series, own in told[event["outage_id"]].groupby(SERIES, sort=False):
            rows = _pairs(event, own, bases.get(series, levels[:0])) + _remarks(event, own)
            made += [{"service": names[row["service_id"]]} | row for row in rows]
    frame = pd.DataFrame(made, columns=COLUMNS)
    numbers = ["peak", "usual", "later", "days", "share", "low", "high"]
    return frame.astype(dict.fromkeys(numbers, "float64") | {"clipped": "bool", "over": "bool"})


def _levels(evidence: Evidence) -> pd.DataFrame:
    """Figures and baselines of levels as one table; baselines have no outage_id."""
    figures = evidence.growth_figures[evidence.growth_figures["repeats"] == ""].rename(columns={"figure_id": "id"})
    usual = evidence.baselines.rename(columns={"baseline_id": "id"}).assign(
        outage_id="", qualifier="about", value_kind="absolute", compared_with="", part_of="", claimant_class=""
    )
    columns = [
        "id", "outage_id", "service_id", "quantity", "scope", "platform", "value", "unit", "unit_as_published",
        "value_kind", "compared_with", "reading", "qualifier", "window_start_utc", "window_end_utc", "role", "part_of",
        "claimant_class", "source_ids",
    ]  # fmt: skip
    both = pd.concat([figures.reindex(columns=columns), usual.reindex(columns=columns)], ignore_index=True)
    both = both[both["quantity"].isin(LEVELS) & both["value"].notna()]
    middle = both["window_start_utc"] + (both["window_end_utc"] - both["window_start_utc"]) / 2
    return both.assign(middle=middle)


def _pairs(event: pd.Series, own: pd.DataFrame, base: pd.DataFrame) -> list[dict[str, Any]]:
    """Pairs of one series in one event: its figures of the event and its baselines."""
    who = next((ROLES[role] for role in own["role"] if role in ROLES), "")
    if not who:
        return []
    usual, usual_ids = _usual(event, base)
    points = [(row, level) for _, row in own.iterrows() if (level := _level(row, usual, base)) is not None]
    points += [(row, level) for _, row in base.iterrows() if (level := _level(row, usual, base)) is not None]
    ratios = usual is None and all(_is_ratio(row) for row, _ in points)
    if ratios:
        usual = (1.0, 1.0, 1.0)
    elif usual is None:
        points = [(row, level) for row, level in points if not _is_ratio(row)]
    end = _end(event)
    around = event["start_utc"] - pd.Timedelta(days=DAYS_BEFORE), end + pd.Timedelta(days=DAYS_AFTER)
    tops = [
        (row, level)
        for row, level in points
        if (row["role"] in ROLES or row["role"] in ("during_event", "record"))
        and around[0] <= row["middle"] < around[1]
    ]
    sign = 1 if who == CAME else -1
    if not tops or (who == LEFT and usual is None):
        return []
    peak, top = max(tops, key=lambda point: sign * point[1][1])
    if usual is not None and sign * ((top[0] if sign > 0 else top[2]) - (usual[2] if sign > 0 else usual[0])) <= 0:
        return []
    after = [(row, level) for row, level in points if _follows(row, peak)]
    after += [(row, level) for _, row in own.iterrows() if (level := _from_peak(row, peak, top)) is not None]
    made = []
    for row, level in after:
        share, low, high = _share(top, usual, level)
        if share > SIMILAR or _other_page(row, peak, [other for other, _ in after]):
            continue
        made.append(
            _row(event, row, who)
            | {"peak": top[1], "peak_id": peak["id"], "usual": usual[1] if usual else np.nan, "usual_id": usual_ids}
            | {"later": level[1], "days": (row["middle"] - peak["middle"]) / pd.Timedelta(days=1)}
            | _within(share, low, high)
            | {"remark": "" if usual else NO_USUAL}
        )
    return made


def _remarks(event: pd.Series, own: pd.DataFrame) -> list[dict[str, Any]]:
    """Remarks on who stayed that tell how many are active of how many ever registered."""
    made = []
    for _, row in own[own["value_kind"] == "retention_remark"].iterrows():
        found = REGISTERED.search(str(row["unit_as_published"]))
        if found is None or row["role"] not in ROLES:
            continue
        number, scale = float(found[1]), SCALES[found[2]]
        bounds = cl.rounding(number, "about")
        top = (bounds[0] * scale, number * scale, bounds[1] * scale)
        level = _triple(row)
        made.append(
            _row(event, row, ROLES[row["role"]])
            | {"peak": top[1], "peak_id": row["id"], "usual": np.nan, "usual_id": "", "later": level[1]}
            | {"days": (row["middle"] - event["start_utc"]) / pd.Timedelta(days=1)}
            | _within(*_share(top, None, level))
            | {"remark": ALL_REGISTERED}
        )
    return made


def _row(event: pd.Series, later: pd.Series, who: str) -> dict[str, Any]:
    keys = ("outage_id", "kind")
    over = pd.notna(event["end_utc"]) or pd.notna(event["duration_hours"])
    return (
        {key: event[key] for key in keys}
        | {key: later[key] for key in SERIES}
        | {"who": who, "later_id": later["id"], "over": bool(over and _end(event) <= later["window_start_utc"])}
        # A baseline names no claimant: it is taken as the press tells it.
        | {"claimant": later["claimant_class"] or "press"}
    )


def _end(event: pd.Series) -> pd.Timestamp:
    """Return the end of an event; its start where neither an end nor a length is published."""
    if pd.notna(event["end_utc"]):
        return pd.Timestamp(event["end_utc"])
    hours = event["duration_hours"] if pd.notna(event["duration_hours"]) else 0.0
    return pd.Timestamp(event["start_utc"]) + pd.Timedelta(hours=float(hours))


def _usual(event: pd.Series, base: pd.DataFrame) -> tuple[Level | None, str]:
    """Low, middle and high of the usual level nearest before the event, and its ids: all that tell of the same days."""
    days = (event["start_utc"] - base["middle"]) / pd.Timedelta(days=1)
    # A plain date may be the day of the event in another time zone.
    fit = base[(base["role"] == "baseline") & days.between(-1, LATEST_DAYS) & ~base["unit"].isin(["percent", "ratio"])]
    if fit.empty:
        return None, ""
    near = fit[fit["middle"] == fit["middle"].max()]
    bounds = [_triple(row) for _, row in near.iterrows()]
    low, high = min(b[0] for b in bounds), max(b[2] for b in bounds)
    middle = bounds[0][1] if len(bounds) == 1 else (min(b[1] for b in bounds) + max(b[1] for b in bounds)) / 2
    return (low, middle, high), ";".join(near["id"])


def _is_ratio(row: pd.Series) -> bool:
    return str(row["reading"]).startswith("ratio")


def _triple(row: pd.Series) -> Level:
    value = float(row["value"])
    low, high = cl.rounding(value, str(row["qualifier"]))
    return low, value, high


def _level(row: pd.Series, usual: Level | None, base: pd.DataFrame) -> Level | None:
    """Low, middle and high of the level a row tells of; None where it tells of none."""
    low, value, high = _triple(row)
    if row["value_kind"] == "absolute" and row["unit"] not in ("percent", "ratio"):
        return (low, value, high) if value > 0 else None
    if _is_ratio(row) and row["compared_with"] == "usual":
        unit = usual[1] if usual else 1.0
        low, value, high = (cl.times_usual(number, str(row["unit"])) * unit for number in (low, value, high))
        return low, value, high
    day_before = base[(base["role"] == "baseline") & (base["window_end_utc"] == row["window_start_utc"])]
    if row["value_kind"] == "change" and row["compared_with"] == "previous_day" and usual and not day_before.empty:
        return usual[1] + low, usual[1] + value, usual[1] + high
    return None


def _from_peak(row: pd.Series, peak: pd.Series, top: Level) -> Level | None:
    """Level that a change in percent says, where the page itself sets it against the peak."""
    if row["unit"] != "percent" or "from the peak" not in row["unit_as_published"] or not _follows(row, peak):
        return None
    low, value, high = ((1 + number / 100) * top[1] for number in _triple(row))
    return low, value, high


def _follows(row: pd.Series, peak: pd.Series) -> bool:
    """Whether a figure speaks of a time after the peak, and not too long after."""
    later = row["window_start_utc"] >= peak["window_end_utc"]
    # A peak somewhere in a bracket may lie before a figure in the same bracket: the table says so in part_of.
    inside = peak["id"] in row["part_of"].split(";") and row["middle"] > peak["middle"]
    near = row["window_start_utc"] - peak["window_end_utc"] <= pd.Timedelta(days=LATEST_DAYS)
    return bool(row["id"] != peak["id"] and (later or inside) and near)


def _other_page(row: pd.Series, peak: pd.Series, after: list[pd.Series]) -> bool:
    """Whether a later level of the same days is told by a page of the peak, and this one is not."""
    pages = set(peak["source_ids"].split(";"))

    def shares(other: pd.Series) -> bool:
        return bool(pages & set(other["source_ids"].split(";")))

    rivals = (other for other in after if other["id"] != row["id"] and _same_days(other, row))
    return not shares(row) and any(shares(other) for other in rivals)


def _same_days(one: pd.Series, two: pd.Series) -> bool:
    return bool(one["window_start_utc"] < two["window_end_utc"] and two["window_start_utc"] < one["window_end_utc"])


def _share(top: Level, usual: Level | None, level: Level) -> Level:
    """Share kept, and the least and most that rounding allows; not yet cut to 0 and 1."""
    most = USUAL_SHARE * level[1]
    before = (0.0, 0.0, most) if usual is None else usual
    corners = [
        (later - u) / (peak - u)
        for peak, u, later in product((top[0], top[2]), (before[0], before[2]), (level[0], level[2]))
        if peak != u
    ]
    share = (level[1] - before[1]) / (top[1] - before[1])
    return share, min([share, *corners]), max([share, *corners])


def _within(share: float, low: float, high: float) -> dict[str, Any]:
    cut = np.clip([share, low, high], 0.0, 1.0) + 0.0  # no minus zero
    return {"share": cut[0], "low": cut[1], "high": cut[2], "clipped": bool(cut[0] != share)}
