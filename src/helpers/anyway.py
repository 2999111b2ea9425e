"""Which share of a claim would have come anyway, where no usual level was published: learnt from other events' claims.

The logit of that share is a linear regression on whether sign-ups are counted, or something that panels and offices
publish in any case (installs, moved numbers), and on whether something failed at all: after news, a count is more often
told that is mostly the usual one. A new claim is predicted by Student's t; a figure told as a gain is assumed to be
more than the usual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.special import expit, logit

from helpers.case import PEOPLE
from helpers.curve import Array

#: Claims from which such a regression can be made.
ENOUGH = 8


@dataclass(frozen=True)
class Anyway:
    """Logit of the share that would have come anyway: Student's t."""

    middle: float
    scale: float
    freedom: float

    def draws(self, rng: np.random.Generator, size: int) -> Array:
        """Shares between 0 and 1: (size,)."""
        share: Array = expit(self.middle + self.scale * rng.standard_t(self.freedom, size))
        return share


def predict(shares: pd.DataFrame, quantity: str, failed: bool) -> Anyway | None:
    """Predict the share of a claim; None where there are too few claims to learn from.

    Parameters
    ----------
    shares : share of the usual in claims of other events, with their quantity, and whether something failed; those of
        one and more are no help.
    """
    some = shares[(shares["share"] > 0) & (shares["share"] < 1)]
    if quantity in PEOPLE:
        some = some[some["quantity"].isin(PEOPLE)]  # visits and searches are mostly the usual ones, whatever happened
    if len(some) < ENOUGH:
        return None
    columns = _terms(some["quantity"], some["failed"])
    told = np.ptp(columns, axis=0) > 0  # nothing is learnt of a term that no claim has, or all have
    told[0] = True
    fitted = sm.OLS(logit(some["share"].to_numpy(dtype=float)), columns[:, told]).fit()
    new = fitted.get_prediction(_terms(pd.Series([quantity]), pd.Series([failed]))[:, told])
    return Anyway(float(new.predicted_mean[0]), float(new.se_obs[0]), float(fitted.df_resid))


def _terms(quantity: pd.Series, failed: pd.Series) -> Array:
    return np.column_stack([np.ones(len(quantity)), quantity != "signups", failed]).astype(float)
