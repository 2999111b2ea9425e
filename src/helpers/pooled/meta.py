"""Random-effects meta-analysis and meta-regression over outages.

The model is effect = design @ coefficients + between + within, where within has the known variance of each study's
estimate and between the variance tau2, the same for all.

- tau2 is estimated by restricted maximum likelihood. The likelihood is written in contrasts of the effects that the
  design cannot explain, turned so that they are independent: their variances are then tau2 plus fixed numbers (Kang et
  al. 2008, Genetics 178, 1709-1723), and its slope is a sum of a few fractions that can be followed from 0 up.
- Standard errors are those of Hartung and Knapp (2001, Statistics in Medicine 20, 3875-3889; for regression Knapp and
  Hartung 2003, Statistics in Medicine 22, 2693-2710), with Student's t: with as few as ten studies the normal interval
  that takes tau2 as known holds too seldom (IntHout, Ioannidis and Borm 2014, BMC Medical Research Methodology 14:25).
  They are taken as published, not kept from falling below the plain ones: where the effects happen to agree better
  than their variances allow, the interval is shorter than that of the model with fixed effects. The plain errors are
  given too, to compare.
- The prediction interval is that of Higgins, Thompson and Spiegelhalter (2009, Journal of the Royal Statistical Society
  A 172, 137-159), with one degree of freedom less for each further coefficient.

Simpler estimators of tau2 without covariates are in `statsmodels.stats.meta_analysis`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, optimize, stats

Array = NDArray[np.float64]

#: Points at which the slope of the likelihood is looked at: enough that two of its turns never fall between.
SCAN_POINTS = 200


@dataclass(frozen=True)
class MetaRegression:
    """What the studies say together.

    Attributes
    ----------
    coefficients : (p,) of the columns of the design; without a design the mean effect.
    covariance : (p, p) of the coefficients, after Hartung and Knapp.
    plain_covariance : (p, p) the same with tau2 taken as known: what most published numbers use.
    tau2 : variance of the true effects between studies, beyond what the design explains.
    q : Cochran's Q: weighted squares around the model without tau2; with a design, what the design leaves.
    i2 : share (0 to 1) of q beyond its degrees of freedom, the I2 of Higgins and Thompson (2002).
    low, high : (p,) interval of each coefficient, by `covariance` and Student's t.
    k : number of studies.
    level : probability that each interval holds.
    """

    coefficients: Array
    covariance: Array
    plain_covariance: Array
    tau2: float
    q: float
    i2: float
    low: Array
    high: Array
    k: int
    level: float

    @property
    def freedom(self) -> int:
        """Degrees of freedom: studies less coefficients."""
        return self.k - len(self.coefficients)

    @property
    def error(self) -> Array:
        """Standard errors after Hartung and Knapp: (p,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def plain_error(self) -> Array:
        """Standard errors with tau2 taken as known: (p,)."""
        return np.sqrt(np.diag(self.plain_covariance))

    def predict(self, row: ArrayLike) -> tuple[float, float, float]:
        """Return the mean effect at one row of a design, and the interval for the true effect of a new study there.

        The interval is mean +- t(k - p - 1) sqrt(tau2 + variance of the mean), the variance being the plain one, as
        published: where tau2 is 0 and a few studies weigh most, it can be shorter than the Hartung-Knapp interval of
        the mean, and hold too seldom. A new study's estimate scatters wider still, by its own variance.

        Parameters
        ----------
        row : (p,)
            Values of the design's columns; [1] without a design.

        Returns
        -------
        mean, low, high : float
            The ends are NaN with fewer than two studies more than coefficients: then there is no t to take.

        Raises
        ------
        ValueError
            If the row is not as long as the design is wide, or not finite.
        """
        at = np.asarray(row, dtype=float)
        if at.shape != self.coefficients.shape:
            raise ValueError(
                f"row: given shape {at.shape}, expected {self.coefficients.shape}, a value per coefficient"
            )
        _check_finite("row", at)
        mean = float(at @ self.coefficients)
        if self.freedom < 2:
            return mean, float("nan"), float("nan")
        spread = np.sqrt(self.tau2 + at @ self.plain_covariance @ at)
        reach = float(stats.t.isf((1 - self.level) / 2, self.freedom - 1) * spread)
        return mean, mean - reach, mean + reach


def fit(effect: ArrayLike, variance: ArrayLike, design: ArrayLike | None = None, level: float = 0.95) -> MetaRegression:
    """Pool the effects of several studies, or regress them on what differs between the studies.

    Parameters
    ----------
    effect : (k,)
        One estimate a study, on a scale on which its error is about normal: log ratios, not ratios.
    variance : (k,)
        Squared standard error of each.
    design : (k, p), optional
        Covariates, with a column of ones if an intercept is wanted; by default that column only.
    level : float
        Probability that each interval holds.

    Raises
    ------
    ValueError
        If lengths differ, a value is not finite, a variance is not positive, the studies are not more than the
        columns, the columns are not independent, or the level is not between 0 and 1.
    """
    y, v, x = _checked(effect, variance, design, level)
    k, p = x.shape
    tau2 = _reml(y, v, x)
    coefficients, plain, rest = _weighted(y, v + tau2, x)
    # The spread seen around the model, over the one expected: 1 where tau2 fits and all studies weigh the same.
    covariance = plain * (rest / (k - p))
    reach = stats.t.isf((1 - level) / 2, k - p) * np.sqrt(np.diag(covariance))
    q = _weighted(y, v, x)[2]
    i2 = 1 - (k - p) / q if q > k - p else 0.0
    return MetaRegression(
        coefficients=coefficients,
        covariance=covariance,
        plain_covariance=plain,
        tau2=tau2,
        q=q,
        i2=i2,
        low=coefficients - reach,
        high=coefficients + reach,
        k=k,
        level=level,
    )


def _checked(
    effect: ArrayLike, variance: ArrayLike, design: ArrayLike | None, level: float
) -> tuple[Array, Array, Array]:
    """Return effects, variances and design as arrays that can be fitted together."""
    y, v = np.asarray(effect, dtype=float), np.asarray(variance, dtype=float)
    if y.ndim != 1:
        raise ValueError(f"effect: given shape {y.shape}, expected (k,), one number a study")
    if v.shape != y.shape:
        raise ValueError(f"variance: given shape {v.shape}, expected {y.shape}, one for each effect")
    k = len(y)
    x = np.ones((k, 1)) if design is None else np.asarray(design, dtype=float)
    if x.ndim != 2 or len(x) != k or x.shape[1] == 0:
        raise ValueError(f"design: given shape {x.shape}, expected ({k}, p), a row for each effect and p at least 1")
    for name, values in (("effect", y), ("variance", v), ("design", x)):
        _check_finite(name, values)
    if (v <= 0).any():
        first = int(np.argmax(v <= 0))
        raise ValueError(f"variance: given {v[first]} at position {first}, expected numbers above 0")
    p = x.shape[1]
    if k <= p:
        raise ValueError(f"effect: given {k} studies for {p} coefficients, expected at least {p + 1}")
    # Columns in their own units, so that a small one is not taken for none.
    largest = np.abs(x).max(axis=0)
    rank = int(np.linalg.matrix_rank(x / np.where(largest > 0, largest, 1.0)))
    if rank < p:
        raise ValueError(f"design: given {p} columns of rank {rank}, expected columns independent of one another")
    if not 0 < level < 1:
        raise ValueError(f"level: given {level}, expected a share between 0 and 1, such as 0.95")
    return y, v, x


def _check_finite(name: str, values: Array) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        place = tuple(int(i) for i in bad[0])
        at = place[0] if len(place) == 1 else place
        raise ValueError(f"{name}: given {values[place]} at position {at}, expected finite numbers")


def _weighted(y: Array, total: Array, x: Array) -> tuple[Array, Array, float]:
    """Least squares weighted by 1 / total: coefficients, their covariance, and the weighted squares that are left."""
    root = 1 / np.sqrt(total)
    unit = np.abs(x).max(axis=0)
    basis, triangle = np.linalg.qr(x / unit * root[:, None])
    inverse = linalg.solve_triangular(triangle, np.eye(x.shape[1])) / unit[:, None]
    coefficients: Array = inverse @ (basis.T @ (y * root))
    rest = float((((y - x @ coefficients) * root) ** 2).sum())
    return coefficients, inverse @ inverse.T, rest


def _reml(y: Array, v: Array, x: Array) -> float:
    """Return the tau2, at least 0, of the highest restricted likelihood."""
    free = np.linalg.qr(x / np.abs(x).max(axis=0), mode="complete")[0][:, x.shape[1] :]
    fixed, turn = np.linalg.eigh((free.T * v) @ free)
    # They lie between the smallest and the largest variance, but for rounding where these are very far apart.
    fixed = np.clip(fixed, v.min(), v.max())
    square = (turn.T @ (free.T @ y)) ** 2

    def slope(tau2: float | Array) -> Array:
        total = np.add.outer(np.asarray(tau2), fixed)
        return np.asarray(((square / total - 1) / total).sum(axis=-1))

    def height(tau2: float) -> float:
        total = tau2 + fixed
        return -float((np.log(total) + square / total).sum())

    # From here on the slope is negative: put the smallest total into square / total**2, the largest into 1 / total.
    mean = square.mean()
    end = mean + np.sqrt(mean * v.max())
    start = fixed.min() / 1000
    scan = np.geomspace(start, end, SCAN_POINTS) if start < end else np.array([end])
    scan = np.concatenate([[0.0], scan])
    rising = slope(scan) > 0
    tops = np.flatnonzero(rising[:-1] & ~rising[1:])
    # The likelihood can have several tops, one of them at 0: the highest is taken, not the first one found.
    found = [0.0] + [float(optimize.brentq(slope, scan[i], scan[i + 1], xtol=scan[i + 1] * 1e-14)) for i in tops]
    return max(found, key=height)
