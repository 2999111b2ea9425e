"""The normal distribution nearest to a mode, on densities whose mode and curvature are known."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.laplace import laplace


def test_a_normal_density_is_found_exactly():
    rng = np.random.default_rng(1)
    factor = rng.normal(size=(6, 6)) + 3 * np.eye(6)
    covariance, middle = factor @ factor.T, rng.normal(size=6)
    precision = np.linalg.inv(covariance)
    mode, found = laplace(lambda z: -0.5 * np.einsum("ni,ij,nj->n", z - middle, precision, z - middle), 6)
    assert (np.abs(mode - middle) < 0.05 * np.sqrt(np.diag(covariance))).all()
    assert found == pytest.approx(covariance, rel=1e-3)


def test_a_skewed_density_has_the_curvature_of_its_mode():
    """The log of a gamma variable: mode log(shape), curvature shape."""
    mode, covariance = laplace(lambda z: (5.0 * z - np.exp(z))[:, 0], 1)
    assert mode[0] == pytest.approx(np.log(5.0), abs=2e-3)
    assert covariance[0, 0] == pytest.approx(1 / 5.0, rel=0.01)


def test_a_density_without_a_top_is_refused():
    with pytest.raises(np.linalg.LinAlgError):
        laplace(lambda z: 0.5 * (z**2).sum(axis=1), 2)
