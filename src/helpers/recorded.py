"""The results of one report about who gained, as the index and other programs read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import claimed
from helpers.case import Case, Series
from helpers.claimed import Firm
from helpers.fit import Fit, estimates, prior_left
from helpers.results import Record
from helpers.story import headline, title


def record(
    case: Case,
    fits: list[Fit],
    more: list[Fit],
    names: pd.Series,
    parameters: Mapping[str, Any],
    level: float,
    data_hash: str,
    firm: Sequence[Firm] = (),
) -> Record:
    """Return what the report leaves behind.

    Parameters
    ----------
    parameters : all parameters of the notebook, as checked.
    """
    horizon = float(parameters["horizon_hours"])
    used = [claim.figure_id for fitted in fits + more for claim in fitted.series.statements]
    used += [bite.ceiling.row for fitted in fits + more for bite in fitted.bites if bite.ceiling.row]
    graded = {
        id(fitted): {"grade": one.grade.name, "why": one.grade.why} for fitted, one in zip(fits, firm, strict=False)
    }
    return Record(
        notebook="03_adoption_after_outage",
        title=title(case, names),
        headline=headline(case, fits, names, horizon, level, firm),
        outage_id=str(case.outage["outage_id"]),
        parameters=dict(parameters),
        evidence_ids=[str(case.outage["outage_id"]), *case.confounders["outage_id"], *dict.fromkeys(used)],
        estimates=[
            *(
                number
                for fitted, one in zip(fits, firm, strict=False)
                for number in claimed.estimates(fitted, one, level)
            ),
            *(
                number
                for fitted in fits + more
                for number in estimates(fitted, horizon, level, case.affected(fitted.series))
            ),
        ],
        diagnostics={
            " ".join(filter(None, _curve_key(fitted.series))): {
                "effective_draws": fitted.sample.effective,
                "pareto_tail": fitted.sample.tail,
                "response": fitted.model.response,
                "prior_left": prior_left(fitted),
                "ceilings": [{"kind": b.ceiling.kind, "most": b.ceiling.most, "cuts": b.above} for b in fitted.bites],
            }
            | graded.get(id(fitted), {})
            for fitted in fits + more
        },
        data_hash=data_hash,
    )


def _curve_key(series: Series) -> tuple[str, ...]:
    return (series.service_id, series.quantity, series.place.strip(), series.platform, series.panel)
