"""Where a posterior is highest and how it curves there: the normal distribution nearest to its mode.

Laplace's approximation (Tierney and Kadane 1986), here as what importance sampling starts from. Slopes and curvatures
come from central differences, all points of which go to the vectorised log density at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]

#: Distance between points for a slope, and for a curvature, in standard deviations of the prior.
SLOPE, CURVATURE = 1e-3, 1e-2
#: The search ends where no slope is steeper than this.
FLAT = 1e-2


def laplace(log_density: Callable[[Array], Array], dim: int) -> tuple[Array, Array]:
    """Mode (d,) and covariance (d, d) of a log density (n, d) -> (n,), searched for from zero (BFGS).

    Raises
    ------
    numpy.linalg.LinAlgError
        If the density does not fall off in all directions from where the search ended.
    """
    steps = np.vstack([np.eye(dim), -np.eye(dim)])

    def downhill(at: Array) -> tuple[float, Array]:
        value = -log_density(np.vstack([at, at + SLOPE * steps]))
        return float(value[0]), (value[1 : dim + 1] - value[dim + 1 :]) / (2 * SLOPE)

    found = minimize(downhill, np.zeros(dim), jac=True, method="BFGS", options={"gtol": FLAT})
    mode: Array = found.x
    around = (mode + CURVATURE * steps)[:, None] + SLOPE * steps
    value = -log_density(around.reshape(-1, dim)).reshape(2 * dim, 2, dim)
    slopes = (value[:, 0] - value[:, 1]) / (2 * SLOPE)
    curvature = (slopes[:dim] - slopes[dim:]) / (2 * CURVATURE)
    precision = (curvature + curvature.T) / 2
    np.linalg.cholesky(precision)
    return mode, np.asarray(np.linalg.inv(precision), dtype=float)
