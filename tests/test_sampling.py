"""The sampler against what is known exactly: modes far out, log evidences, clouds that disagree, and its proposals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from helpers import fit, mixtures, sampling
from helpers.mixtures import DEFENSIVE, Mixture, log_normal, mixture, one_kernel
from helpers.sampling import AGREE, ENOUGH_DRAWS, WORST_TAIL, ConvergenceError


@dataclass(frozen=True)
class Modes:
    """A likelihood of some normal bells of one width each, and what the posterior of N(0, I) is under it.

    ``middles`` are the means of the posterior's modes, ``masses`` their shares of it.
    """

    middles: np.ndarray
    widths: np.ndarray
    masses: np.ndarray

    @property
    def centres(self):
        """Where the bells of the likelihood lie: the prior draws each of them in."""
        return self.middles * (1 + self.widths[:, None] ** 2)

    @property
    def evidence(self):
        """Log evidence of each bell alone."""
        dim, variance = self.middles.shape[1], 1 + self.widths**2
        return -0.5 * (self.centres**2).sum(axis=1) / variance - 0.5 * dim * np.log(2 * np.pi * variance)

    @property
    def log_evidence(self):
        """Log evidence of all: the first bell has the weight one."""
        return float(self.evidence[0] - np.log(self.masses[0]))

    def log_likelihood(self, z):
        """Vectorised over draws (n, d)."""
        weight = np.log(self.masses) - self.evidence + self.log_evidence
        squared = ((z[:, None] - self.centres) ** 2).sum(axis=2)
        dim = z.shape[1]
        bells = -0.5 * squared / self.widths**2 - 0.5 * dim * np.log(2 * np.pi * self.widths**2)
        return logsumexp(weight + bells, axis=1)

    def shares(self, draws):
        """Share of the draws that lie nearest to each mode."""
        nearest = ((draws[:, None] - self.middles) ** 2).sum(axis=2).argmin(axis=1)
        return np.bincount(nearest, minlength=len(self.masses)) / len(draws)


def _far_out(dim, width):
    """Four fifths near the prior's middle, one fifth 3.3 standard deviations out."""
    middles = np.zeros((2, dim))
    middles[0, 0], middles[1, 0] = -0.4, 3.3
    return Modes(middles, np.array([0.5, width]), np.array([0.8, 0.2]))


def _log_evidence_on_a_grid(modes):
    """The same by adding up the density over two dimensions."""
    axis = np.linspace(-6, 6, 601)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return logsumexp(modes.log_likelihood(grid) + log_normal(grid)) + 2 * np.log(axis[1] - axis[0])


def test_the_example_is_what_it_says():
    modes = _far_out(2, 0.3)
    assert modes.log_evidence == pytest.approx(_log_evidence_on_a_grid(modes), abs=1e-6)


@pytest.mark.parametrize("seed", range(1, 7))
@pytest.mark.parametrize(("dim", "width"), [(3, 0.1), (4, 0.3)])
def test_a_mode_far_out_is_found_whatever_the_seed(dim, width, seed):
    """From a start as wide as the prior, every second seed misses the narrow one."""
    modes = _far_out(dim, width)
    drawn = sampling.sample(modes.log_likelihood, dim, seed)
    assert modes.shares(drawn.draws)[1] == pytest.approx(0.2, abs=0.03)
    assert drawn.log_evidence == pytest.approx(modes.log_evidence, abs=0.1)
    assert drawn.apart <= AGREE
    # Each mode is as wide as it is.
    far = drawn.draws[drawn.draws[:, 0] > 2]
    assert far.mean(axis=0) == pytest.approx(modes.middles[1], abs=0.05)
    assert far.std(axis=0) == pytest.approx(width / np.hypot(1, width), rel=0.1)


@pytest.mark.parametrize(("seed", "more"), [(1, True), (2, True), (3, False)])
def test_the_log_evidence_of_a_normal_likelihood_is_exact(seed, more):
    seen, noise = np.array([1.5, -0.5, 3.0]), np.array([0.7, 0.2, 0.4])

    def log_likelihood(z):
        return stats.norm.logpdf(seen, z, noise).sum(axis=1)

    drawn = sampling.sample(log_likelihood, 3, seed, more=more)
    exact = stats.norm.logpdf(seen, 0, np.hypot(1, noise)).sum()
    assert drawn.log_evidence == pytest.approx(exact, abs=0.03)
    assert drawn.rough_evidence == pytest.approx(exact, abs=0.5)
    assert 0 < drawn.apart <= AGREE
    assert drawn.effective >= ENOUGH_DRAWS
    assert drawn.tail < WORST_TAIL
    assert len(drawn.draws) == (sampling.KEPT if more else sampling.FEWER)
    assert drawn.draws.mean(axis=0) == pytest.approx(seen / (1 + noise**2), abs=0.03)


def test_one_kernel_is_exact_in_many_dimensions():
    dim, noise = 12, 0.6
    seen = np.linspace(-2, 2, dim)
    drawn = sampling.sample(lambda z: stats.norm.logpdf(seen, z, noise).sum(axis=1), dim, 1, one_mode=True)
    exact = stats.norm.logpdf(seen, 0, np.hypot(1, noise)).sum()
    assert drawn.log_evidence == pytest.approx(exact, abs=0.05)
    assert drawn.draws.mean(axis=0) == pytest.approx(seen / (1 + noise**2), abs=0.05)
    assert drawn.apart == 0


# --- clouds that disagree

TWO = Modes(np.array([[-2.5, 0.0], [2.5, 0.0]]), np.array([0.15, 0.15]), np.array([0.5, 0.5]))


@pytest.fixture
def astray(monkeypatch):
    """Clouds of which the last sits in the other mode alone, and particles that never move."""
    made = []

    def tempered(loglik, dim, moves, rng):
        # In units of WIDE, as the sampler looks for several modes.
        middle = TWO.middles[int(len(made) == sampling.CLOUDS - 1)]
        made.append(middle)
        z = (middle + 0.15 * rng.standard_normal((sampling.PARTICLES, dim))) / sampling.WIDE
        return sampling._Cloud(z, loglik(z), log_evidence=TWO.log_evidence)

    monkeypatch.setattr(sampling, "_tempered", tempered)
    monkeypatch.setattr(sampling._Cloud, "move", lambda *given: None)
    return made


def test_clouds_in_different_modes_are_refused(astray, monkeypatch):
    """All else is well: the draws are many and no few of them count for all."""
    monkeypatch.setattr(mixtures, "DEFENSIVE", 1e-9)
    with pytest.raises(ConvergenceError, match="apart") as caught:
        sampling.sample(_lopsided().log_likelihood, 2, 1, attempts=1)
    effective, tail, apart = map(
        float,
        re.search(r"(\d+) effective .* tail (-?[\d.]+) of .* evidences ([\d.]+) apart", str(caught.value)).groups(),
    )
    assert effective >= ENOUGH_DRAWS
    assert tail < WORST_TAIL
    assert apart == pytest.approx(np.log(0.7 / 0.3), abs=0.1)
    assert len(astray) == sampling.CLOUDS


def _lopsided():
    return Modes(TWO.middles, TWO.widths, np.array([0.7, 0.3]))


def test_the_draws_of_all_clouds_become_the_particles_of_each(astray):
    """So a second attempt has both modes in every cloud, and their right shares."""
    modes = _lopsided()
    drawn = sampling.sample(modes.log_likelihood, 2, 1)
    assert drawn.apart <= AGREE
    assert modes.shares(drawn.draws) == pytest.approx(modes.masses, abs=0.02)
    assert drawn.log_evidence == pytest.approx(modes.log_evidence, abs=0.05)


def test_clouds_must_agree_as_closely_as_is_asked(monkeypatch):
    monkeypatch.setattr(sampling, "AGREE", 1e-9)
    with pytest.raises(ConvergenceError, match=r"log evidences 0\.0\d apart of at most 1e-09"):
        sampling.sample(TWO.log_likelihood, 2, 1, attempts=2)


def test_how_far_clouds_are_apart_is_told_from_each_ones_own_draws():
    own = np.log(np.array([1.0, 2.0, 4.0, 1.0, 2.0, 4.0]))
    owner = np.array([0, 1, 2, 0, 1, 2])
    found = sampling._Weighted(np.zeros((6, 1)), own, np.zeros(6), own, owner)
    assert found.apart == pytest.approx(np.log(4))


# --- proposals


@pytest.fixture(scope="module")
def particles():
    """Two clusters of different shapes, in three dimensions."""
    rng = np.random.default_rng(2)
    left = rng.standard_normal((600, 3)) * [0.3, 0.8, 0.5] + [-1.0, 0.0, 0.5]
    right = rng.standard_normal((400, 3)) @ np.array([[0.5, 0.4, 0], [0, 0.3, 0], [0, 0, 1.0]]) + [1.0, -0.5, 0.0]
    return np.concatenate([left, right])


@pytest.mark.parametrize("made", ["wide", "narrow", "one"])
def test_the_density_of_a_mixture_is_that_of_its_draws(particles, made):
    """It adds up to one, and its moments by another road are those of its draws."""
    rng = np.random.default_rng(4)
    laid = {
        "wide": lambda: mixture(particles, 168, 1.0, rng),
        "narrow": lambda: mixture(particles, 168, 0.5, rng, 1),
        "one": lambda: one_kernel(particles.mean(axis=0), np.cov(particles.T)),
    }
    made = laid[made]()
    draws = made.draw(40_000, rng)
    density = made.log_density(draws)
    # The mean of another density over this one is one where both add up to one.
    assert np.exp(log_normal(draws) - density).mean() == pytest.approx(1, abs=0.03)
    inside = stats.multivariate_normal(particles.mean(axis=0), np.cov(particles.T))
    assert np.exp(inside.logpdf(draws) - density).mean() == pytest.approx(1, abs=0.03)
    # Under a wide t distribution, which has heavier tails than any kernel.
    wide = stats.multivariate_t(np.zeros(3), 2.0 * np.eye(3), df=3)
    points = wide.rvs(40_000, random_state=5)
    weights = np.exp(made.log_density(points) - wide.logpdf(points))
    assert weights.mean() == pytest.approx(1, abs=0.03)
    mean = weights @ points / len(points)
    assert draws.mean(axis=0) == pytest.approx(mean, abs=0.05)
    second = (weights[:, None] * points).T @ points / len(points)
    assert draws.T @ draws / len(draws) == pytest.approx(second, abs=0.12)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_kernels_are_multivariate_t_distributions(dim):
    """Against scipy, kernel by kernel."""
    rng = np.random.default_rng(dim)
    parts = []
    for size in (3, 5):
        factor = np.tril(rng.normal(size=(dim, dim)))
        np.fill_diagonal(factor, rng.uniform(0.3, 1.0, dim))
        parts.append((rng.normal(size=(size, dim)), factor))
    points = 2 * rng.standard_normal((450, dim))
    means = []
    for centres, factor in parts:
        kernels = [stats.multivariate_t(c, factor @ factor.T, df=mixtures.degrees(dim)).pdf(points) for c in centres]
        means.append(np.mean(kernels, axis=0))
    right = (1 - DEFENSIVE) * np.mean(means, axis=0) + DEFENSIVE * np.exp(log_normal(points))
    assert np.exp(Mixture(tuple(parts)).log_density(points)) == pytest.approx(right, rel=1e-6)


def test_a_histogram_of_draws_is_the_density():
    """In one dimension, with kernels of two widths and the start in between."""
    made = Mixture(((np.array([[-3.0], [-2.5]]), np.array([[0.2]])), (np.array([[2.0]]), np.array([[0.8]]))))
    axis = np.linspace(-40, 40, 160_001)[:, None]
    density = np.exp(made.log_density(axis))
    step = axis[1, 0] - axis[0, 0]
    assert density.sum() * step == pytest.approx(1, abs=1e-4)
    draws = made.draw(100_000, np.random.default_rng(1))[:, 0]
    edges = np.array([-40, -3.5, -3, -2.75, -2.5, -2, -1, 0, 1, 1.5, 2, 2.5, 3.5, 40])
    share = np.histogram(draws, edges)[0] / len(draws)
    inside = np.searchsorted(axis[:, 0], edges)
    right = np.add.reduceat(density * step, inside[:-1])
    assert share == pytest.approx(right, abs=0.006)


@pytest.mark.parametrize("size", [1_000, 1_001, 1_003])
@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_particles_are_split_into_equal_parts(size, times):
    z = np.random.default_rng(1).standard_normal((size, 3)) * [1.0, 5.0, 2.0]
    parts = mixtures._split(z, times)
    lengths = [len(part) for part in parts]
    assert len(parts) == 2**times
    assert sum(lengths) == size
    assert max(lengths) - min(lengths) <= 1 + (times > 1)
    together = np.concatenate(parts)
    assert np.array_equal(together[np.lexsort(together.T)], z[np.lexsort(z.T)])
    if times == 1:  # along the longest axis, at the median
        low, high = sorted(parts, key=lambda part: part[:, 1].mean())
        assert low[:, 1].max() < high[:, 1].min() + 0.5
        assert abs(low[:, 0].mean() - high[:, 0].mean()) < 0.3


def test_each_part_has_kernels_of_its_own_shape(particles):
    made = mixture(particles, 168, 1.0, np.random.default_rng(1))
    assert [len(centres) for centres, _ in made.parts] == [42] * 4
    spreads = [np.diag(spread @ spread.T) for _, spread in made.parts]
    assert max(s[2] for s in spreads) > 2 * min(s[2] for s in spreads)


# --- what another seed would show


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("effective", [1_000, 4_000])
def test_the_error_of_an_end_is_what_other_seeds_show(sigma, effective):
    """Of 4,000 draws, of which so many are worth something: each is told several times."""
    size, ends, told = 4_000, [], []
    fitted = SimpleNamespace(sample=SimpleNamespace(effective=float(effective)))
    for seed in range(200):
        rng = np.random.default_rng(seed)
        draws = np.repeat(np.exp(sigma * rng.standard_normal(effective)), size // effective)
        ends.append(np.quantile(draws, [0.025, 0.975]))
        told.append(fit.seed_error(fitted, draws, 0.95))
    spread = (np.std(ends, axis=0, ddof=1) / np.mean(ends, axis=0)).max()
    assert spread / 1.3 < np.median(told) < spread * 1.4


def test_the_error_of_an_end_is_the_larger_one_and_never_below_that_of_all_draws():
    draws = np.random.default_rng(1).standard_normal(4_000) ** 2 + 1.0
    many, few = (SimpleNamespace(sample=SimpleNamespace(effective=n)) for n in (1e9, 1_000.0))
    assert fit.seed_error(many, draws, 0.95) == fit.seed_error(
        SimpleNamespace(sample=SimpleNamespace(effective=4_000.0)), draws, 0.95
    )
    assert fit.seed_error(few, draws, 0.95) == pytest.approx(2 * fit.seed_error(many, draws, 0.95), rel=0.35)
    # The lower end of such draws hardly moves; the upper one does.
    off = np.sqrt(0.025 * 0.975 / 4_000)
    low, middle, high = np.quantile(draws, [0.975 - off, 0.975, 0.975 + off])
    assert fit.seed_error(many, draws, 0.95) == pytest.approx((high - low) / 2 / middle)
