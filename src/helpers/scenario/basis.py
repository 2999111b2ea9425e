"""What a scenario rests on in words: the event's row, what the reader gives instead, and the hours it is divided by."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd

from helpers import words
from helpers.ceilings import PEOPLE_HIT
from helpers.evidence import Evidence
from helpers.pooled.design import NAMES, PEOPLE
from helpers.pooled.events import LONGEST_HOURS
from helpers.prose import Prose
from helpers.scenario.asked import Asked
from helpers.scenario.named import latest, published
from helpers.scenario.outcome import Outcome, an_hour
from helpers.scenario.predict import Prediction
from helpers.scenario.question import Scenario, same
from helpers.scenario.titles import ends
from helpers.schemas import KINDS
from helpers.table import Sentence, Table

CALLED = dict(zip(KINDS, ("outage", "block", "shutdown", "event without downtime"), strict=True))
NO_HOURS = "Nothing is down in such an event: there is no hour of downtime to divide by."


def basis(found: Scenario, evidence: Evidence, names: pd.Series) -> Prose:
    """Say what is taken from the evidence, what the reader gave, and what nobody knows."""
    asked = found.asked
    said = [_row(found, evidence, names) if asked.row is not None else _to_come(found, names)]
    if asked.row is not None and (given := _instead(asked, asked.row)):
        said.append(f"Given instead: {words.listing(given)}.")
    if asked.row is not None and found.real is None:
        said.append("Set at another time, it is another outage like that one.")
    if asked.row is not None and asked.of_group:
        said.append(f"That row is about {names[asked.row['service_id']]} together, and so are its people hit.")
    if np.isnan(asked.users_affected):
        said.append(_unknown(found))
    return Prose((" ".join(said),))


def _instead(asked: Asked, row: pd.Series) -> list[str]:
    """What the reader gives that is not what the row says."""
    given, people = asked.given, row["affected_users"]
    said = [CALLED[given.kind]] if given.kind not in ("", row["kind"]) else []
    if given.start and asked.start != row["start_utc"]:
        said.append(f"begun {words.moment(asked.start)}")
    if given.duration_hours is not None and asked.down and given.duration_hours != row["duration_hours"]:
        said.append(f"{words.duration(given.duration_hours)} long")
    if given.users_affected is not None and (pd.isna(people) or float(people) != given.users_affected):
        said.append(f"{words.count(given.users_affected)} people hit")
    if given.region and given.region != str(row["scope"]).partition(" (")[0]:
        said.append(f"place: {given.region}")
    return said


def _to_come(found: Scenario, names: pd.Series) -> str:
    return (
        f"The evidence has no event of {names[found.asked.service]} within three days of {words.day(found.origin)}: "
        "this outage is described by the reader alone."
    )


def _row(found: Scenario, evidence: Evidence, names: pd.Series) -> str:
    """The event's row in a sentence."""
    asked = found.asked
    row = asked.row
    assert row is not None
    plain = row["time_precision"] in ("day", "month")
    began = words.day(row["start_utc"]) if plain else words.moment(row["start_utc"])
    own = evidence.outages[evidence.outages["service_id"].isin(same(evidence, asked.service))]
    last = latest([published(one) for one in own.to_dict("records")])
    newest = last is not None and last.outage_id == asked.given.outage_id
    which = f", the latest {CALLED[row['kind']]} of {names[asked.service]} there" if newest else ""
    said = [f"begun {began}", _lasted(found, row), _people(row), f"place: {row['scope']}"]
    return f"The event is {asked.given.outage_id} of the evidence{which}: {'; '.join(text for text in said if text)}."


def _lasted(found: Scenario, row: pd.Series) -> str:
    low, whole, high = (row[f"duration_{name}hours"] for name in ("low_", "", "high_"))
    if row["kind"] == "policy_shock":
        return "nothing was down"
    if low < high:
        return f"{words.duration_interval(low, high)} long"
    if whole > 0:
        return f"{words.duration(whole)} long"
    if found.asked.endless:
        return f"no end published, so it counts as {words.duration(LONGEST_HOURS)}, as every longer one does"
    return "its length not published" if row["kind"] == "outage" else "its length told by its days"


def _people(row: pd.Series) -> str:
    if pd.isna(row["affected_users"]):
        return ""
    number, of = words.count(float(row["affected_users"])), str(row["affected_users_basis"]).partition(";")[0].strip()
    of = of if of.count("(") == of.count(")") else of.rpartition(" (")[0]
    of = f" ({of})" if of else ""
    if row["affected_unit"] in PEOPLE_HIT:
        return f"{number} people hit{of}"
    return f"{number} reports of failures" if row["affected_unit"] == "reports" else f"{number} counted{of}"


def _unknown(found: Scenario) -> str:
    """Say that nobody knows how many people are hit, and what is assumed instead."""
    asked = found.asked
    mean, sd = found.known.people
    reach = NormalDist().inv_cdf((1 + asked.level) / 2) * sd
    low, high = (float(np.exp(mean + side * reach)) * PEOPLE for side in (-1, 1))
    counted = asked.row is not None and pd.notna(asked.row["affected_users"])
    why = "none was published" if asked.row is not None else "none is given"
    why = "what the evidence counts is not the people hit" if counted else why
    return (
        f"How many people it hits is not known: {why}. The rule assumes what it knows of other events, "
        f"{words.interval(low, high)} people ({words.percent(asked.level)}), and every interval here is wider for it, "
        "with no number of people hit to cap the gains; give -p users_affected N to narrow them."
    )


def an_hour_in_words(found: Scenario, cost: Outcome) -> str:
    """People who join the rivals, for each hour of downtime; empty where nothing was down."""
    each = an_hour(found, cost.extra)
    if each is None:
        return ""
    return f"For each hour of downtime that makes {_interval(each, found)} users lost to these rivals."


def per_hour(found: Scenario, made: Sequence[Prediction], cost: Outcome) -> Prose:
    """Users lost for each hour of downtime, and why that is no speed."""
    each, gone = an_hour(found, cost.extra), an_hour(found, cost.lost)
    if each is None or gone is None or not made:
        return Prose(())  # the table says why
    low, high = exponent_of_hours(found)
    return Prose(
        (
            f"Over {words.duration(found.asked.duration_hours)}, {_interval(each, found)} users are lost to these "
            f"rivals for each hour of downtime, {_interval(gone, found)} of them for good "
            f"({words.percent(found.asked.level)} intervals).",
            "Longer outages may not send more, so these numbers must not be multiplied by other lengths. In the rule "
            f"the gain goes with the hours to a power of {low:.2g} to {high:.2g}: at 0 the length does not matter, "
            "at 1 twice the hours send twice as many.".replace("-", "\N{MINUS SIGN}"),
        )
    )


def exponent_of_hours(found: Scenario) -> tuple[float, float]:
    """Ends of the interval of the rule's exponent of the hours down, without the events that it may not know."""
    return ends(found.kept.draws[:, NAMES.index("hours")], found.asked.level)


def hours_table(found: Scenario, made: Sequence[Prediction], cost: Outcome) -> Table | Sentence:
    """Users lost for each hour of downtime: to every rival, together, and for good."""
    if not made or not found.asked.down:
        return Sentence(NO_HOURS if made else "The evidence names no rival: give some as rivals.")
    rows = [(one.rival, one.total) for one in made]
    rows += [("all of them", cost.extra)] if len(made) > 1 else []
    rows += [("lost for good", cost.lost)]
    frame = pd.DataFrame([_line(name, an_hour(found, people), found) for name, people in rows])
    caption = f"Users lost for each hour of downtime, {words.percent(found.asked.level)} intervals"
    return Table(frame, caption, align=dict.fromkeys(list(frame.columns[1:]), "num"))


def _line(name: str, each: np.ndarray | None, found: Scenario) -> dict[str, str]:
    assert each is not None
    middle = words.count(words.significant(float(np.median(each))))
    return {"to": name, "users an hour": _interval(each, found), "middle": middle}


def _interval(people: np.ndarray, found: Scenario) -> str:
    return words.interval(*ends(people, found.asked.level))
