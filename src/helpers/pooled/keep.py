"""Make the rule across events that is kept (:mod:`helpers.pooled.kept`), from the whole evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from helpers import case, fit
from helpers import evidence as ev
from helpers.evidence import Evidence
from helpers.excess import share_of_usual
from helpers.pooled import events, gains, half_lives, informed, rule, selection
from helpers.pooled.design import NAMES, lay_out
from helpers.pooled.events import Event
from helpers.pooled.gains import PLACES, Gain
from helpers.pooled.kept import DIGITS, DRAWS, FOLDER, HALVES, LEVEL, OF_GAIN, OF_PEOPLE, SEED, SLICE, Kept, read
from helpers.results import versions
from helpers.schemas import ALL_KINDS


def make(evidence: Evidence, data_hash: str, seed: int = SEED) -> dict[str, str]:
    """Fit the rule to all the evidence, whose tables have that hash: the files' contents by name."""
    found = events.all_events(evidence)
    collected, aside = gains.collect(evidence, found, seed)
    table = lay_out(found, collected)
    plain, told, halves = rule.fit(table, seed), selection.fit(table, seed), half_lives.fit(table, seed)
    some = np.linspace(0, len(plain.draws) - 1, DRAWS).astype(int)
    times = {name: half_lives.typical(halves, kind)[some] for name, kind in zip(HALVES, ALL_KINDS, strict=True)}
    scatter = np.sqrt(halves.of("between") ** 2 + halves.of("within") ** 2)[some]
    frames = []
    for model, draws in (("plain", plain.draws), ("published", told.draws)):
        frame = pd.DataFrame(draws[some][:, : len(NAMES)], columns=list(NAMES))
        frame.insert(0, "model", model)
        frames.append(frame.assign(**times, half_life_scatter=scatter))
    meta = {
        "evidence": data_hash,
        "seed": seed,
        "events": len(table.events),
        "people": table.known.people,
        "hours": table.known.hours,
        "shares": _shares(evidence, found, seed),
        "aside": [(one.outage_id, one.rival, one.why) for one in aside],
        "versions": versions(),
    }
    files = {
        "rule.csv": _csv(pd.concat(frames)),
        "gains.csv": _csv(pd.DataFrame([row for gain in collected for row in _rows(gain)])),
        "people.csv": _people(collected),
        "rule.json": json.dumps(meta, indent=1) + "\n",
    }
    with TemporaryDirectory() as place:
        for name, text in files.items():
            (Path(place) / name).write_text(text, encoding="utf-8")
        reports = [_as_reported(gain, evidence, read(Path(place), data_hash), seed) for gain in collected]
    return files | {"people.csv": _people(reports)}


def _as_reported(gain: Gain, evidence: Evidence, rule: Kept, seed: int) -> Gain:
    """The same, its people as the report of that event prints them: with the prior that the rule makes for it."""
    found = case.build(evidence, gain.outage_id, [gain.rival_id])
    (series,) = [s for s in case.primary(found) if (s.service_id, s.quantity) == (gain.rival_id, gain.quantity)]
    (prior,) = informed.priors(evidence, rule, found, [series])
    return gains.with_people(gain, fit.fit(series, seed, prior))


def _shares(evidence: Evidence, found: list[Event], seed: int) -> list[tuple[str, str, bool, float]]:
    """Share of the usual in the firmest claim of every curve that has one."""
    made = []
    for event in found:
        for series in case.primary(case.build(evidence, event.outage_id)):
            share = share_of_usual(series, seed, LEVEL)
            if share is not None:
                made.append((event.outage_id, series.quantity, event.failed, float(f"{share:.{DIGITS}g}")))
    return made


def _rows(gain: Gain) -> list[dict[str, object]]:
    shared = {name: getattr(gain, name) for name in OF_GAIN}
    spread = gain.spread
    columns = (
        gain.weight, gain.middle[:, 0], gain.middle[:, 1], spread[:, 0, 0], spread[:, 0, 1], spread[:, 1, 1],
        gain.half_life[:, 0], gain.half_life[:, 1],
    )  # fmt: skip
    return [shared | dict(zip(SLICE, values, strict=True)) for values in zip(*columns, strict=True)]


def _quantiles(gain: Gain) -> list[dict[str, object]]:
    """Two rows of quantiles at PLACES: of the log of all extra people, and of those within a week."""
    of = {"outage_id": gain.outage_id, "rival_id": gain.rival_id}
    return [
        {**of, "of": name, **{f"{place:g}": value for place, value in zip(PLACES, getattr(gain, name), strict=True)}}
        for name in OF_PEOPLE
    ]


def _people(collected: Sequence[Gain]) -> str:
    return _csv(pd.DataFrame([row for gain in collected for row in _quantiles(gain)]))


def _csv(frame: pd.DataFrame) -> str:
    text: str = frame.to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    return text


def main() -> None:
    """Fit the rule to the evidence and write it beside its tables."""
    folder = ev.ROOT / "data"
    for name, text in make(ev.load(folder), ev.data_hash(folder)).items():
        part = folder / FOLDER / f".{name}.part"
        part.parent.mkdir(exist_ok=True)
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(folder / FOLDER / name)


if __name__ == "__main__":
    main()
