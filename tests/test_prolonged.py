"""An event that goes on pushing people: a plateau that no single half-life can follow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers import fit, robustness
from helpers.case import Series
from helpers.claims import Claim
from helpers.curve import DAY
from helpers.likelihood import AFTER_SD, AFTER_SHARE, AFTERMATH, Shock
from helpers.pooled import gains
from helpers.reweighed import chosen, log_prior

SHOCKS = (Shock("e", "e", (0.0, 0.0), (24.0, 24.0)),)
LEVEL = Claim("level", "baseline", 0.99e4 / DAY, 1.01e4 / DAY, "none", 0, 0, (0.0, 0.0), 0.1)


def days(values: dict[int, float]) -> Series:
    claims = tuple(
        Claim(f"day {d}", "increment", 0.97 * v, 1.03 * v, "none", d * DAY, (d + 1) * DAY, (0.0, 0.0), 0.05)
        for d, v in values.items()
    )
    figures = pd.DataFrame({"figure_id": [claim.figure_id for claim in claims], "used": True})
    return Series("x", "X", "signups", "world", "", SHOCKS, claims, (LEVEL,), figures, "")


@pytest.fixture(scope="module")
def plateau():
    """600,000 on the first day, then 200,000 on every day of three weeks."""
    return fit.fit(days({0: 6e5, **dict.fromkeys((2, 4, 7, 11, 15, 20), 2e5)}), 1)


def test_a_plateau_is_followed_and_a_single_half_life_could_not(plateau):
    assert plateau.model.response == "prolonged"
    assert not fit.doubtful(plateau)
    low, high = np.quantile(fit.extra(plateau, 21 * DAY, plateau.model.own), [0.025, 0.975])
    assert low < 6e5 + 20 * 2e5 - 21 * 1e4 < high
    assert high < 3 * low
    plain = fit.draw(plateau.series, fit.Model(plateau.series.shocks, plateau.series.statements), 1)
    assert fit.doubtful(plain)
    assert plateau.sample.log_evidence > plain.sample.log_evidence + np.log(fit.BETTER)


def test_a_surge_that_fades_stays_plain():
    fading = {d: 1e4 + 6e5 * 0.5 ** (d / 2) for d in (0, 2, 5, 9)}
    assert fit.fit(days(fading), 1).model.response == "plain"


def test_two_figures_are_too_few_to_ask_for_it():
    assert fit.fit(days({0: 6e5, 20: 3e5}), 1).model.response != "prolonged"


def test_it_is_over_after_the_push_and_its_fading(plateau):
    hours = fit.back_to_usual(plateau)
    assert np.quantile(hours, 0.025) > 20 * DAY


def test_its_prior_is_that_of_the_sum_of_both(plateau):
    """By simulation of the gain and of its share, not from the fit."""
    rng = np.random.default_rng(3)
    gain = np.log(10.0) + 2.0 * rng.standard_normal(200_000)
    total = gain + np.log1p(AFTER_SHARE * np.exp(AFTER_SD * rng.standard_normal(200_000)))
    assert gains.prior_of_gain(plateau) == pytest.approx((total.mean(), total.std()), abs=0.02)


def test_under_its_own_prior_nothing_is_reweighed(plateau):
    prior = plateau.model.prior
    assert np.ptp(log_prior(plateau, prior) + 0.5 * np.sum(_standard(plateau) ** 2, axis=1)) < 1e-9
    places = chosen(log_prior(plateau, prior.times(gain=1.1)) - log_prior(plateau, prior), 1)
    assert places is not None
    assert any(shock.event_id == AFTERMATH for shock in plateau.model.shocks)
    tried = robustness.variants(plateau, 168.0, 1, 0)
    assert {"gain expected three times larger", "delayed response"} <= {one.label for one in tried}


def _standard(fitted):
    names = fitted.model.names
    return fitted.sample.draws[:, [names.index("half_life"), names.index("gain_0")]]
