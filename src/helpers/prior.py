"""What is assumed of a rival's adoption curve before any figure of its event is read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers.curve import Array

#: Usual people a day at which the rule across events has its mean.
USUAL = 10_000.0


@dataclass(frozen=True)
class Prior:
    """What is assumed before any figure is read; log-normal unless said otherwise.

    ``gain`` is the extra total of a shock in usual days of the rival, so that it travels between rivals of
    all sizes: 95% between 0.2 and 500 usual days. The half-life lies between 3 hours and a week, the
    baseline anywhere between 30 and 4 million a day. ``rule`` is what other events predict of the log gain: its mean
    for a rival that wins USUAL a day, how much more for each unit of the log of that level, and its standard deviation.
    """

    baseline_per_day: float = 10_000.0
    baseline_sd: float = 3.0
    gain_days: float = 10.0
    gain_sd: float = 2.0
    half_life_hours: float = 24.0
    half_life_sd: float = 1.0
    rise_hours: float = 6.0
    rise_sd: float = 1.0
    false: float = 0.1
    wrong: float = 1.5
    rule: tuple[float, float, float] | None = None

    def gain(self, per_day: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the log gain of the event in usual days, by usual people a day: like it.

        Where the rule across events predicts m with standard deviation s, it is the normal distribution that has the
        moments of both, the rule and what is assumed without it, in equal parts: neither is safe alone.
        """
        plain = np.full_like(per_day, np.log(self.gain_days))
        if self.rule is None:
            return plain, np.full_like(per_day, self.gain_sd)
        mean, slope, sd = self.rule
        apart = mean + slope * np.log(per_day / USUAL) - plain
        return plain + apart / 2, np.sqrt((sd**2 + self.gain_sd**2) / 2 + apart**2 / 4)

    def times(self, half_life: float = 1.0, gain: float = 1.0) -> Prior:
        """The same with a half-life and a gain expected so many times as large."""
        rule = self.rule and (self.rule[0] + float(np.log(gain)), *self.rule[1:])
        return replace(
            self, half_life_hours=self.half_life_hours * half_life, gain_days=self.gain_days * gain, rule=rule
        )
