"""The few special functions that the statistics need: the normal and Student's t distribution, and digamma.

Written out so that the library needs NumPy only. Sources: M. Abramowitz and I. Stegun, "Handbook of Mathematical
Functions" (1964), 6.3.5 and 6.3.18 (digamma), 26.5.8 (the continued fraction of the incomplete beta function) and
26.7.1 (Student's t).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from attribution.errors import AnalysisError

_TINY = 1e-300


def normal_cdf(z: float) -> float:
    """Probability that a standard normal variable is at most ``z``."""
    return math.erfc(-z / math.sqrt(2)) / 2


def normal_quantile(share: float) -> float:
    """The value below which a ``share`` (between 0 and 1, both left out) of the standard normal lies."""
    if not 0 < share < 1:
        raise AnalysisError(f"share is {share!r}: a normal quantile needs a share between 0 and 1.")
    return NormalDist().inv_cdf(share)


def two_sided(z: float) -> float:
    """p value of a standard normal statistic, both tails; NaN of NaN."""
    return math.erfc(abs(z) / math.sqrt(2))


def t_cdf(t: float, df: float) -> float:
    """Probability that Student's t with ``df`` degrees of freedom (any positive number) is at most ``t``."""
    if df <= 0:
        raise AnalysisError(f"df is {df!r}: Student's t needs positive degrees of freedom.")
    if math.isinf(df) or math.isinf(t):
        return normal_cdf(t)
    tail = incomplete_beta(df / 2, 0.5, df / (df + t * t)) / 2
    return 1 - tail if t > 0 else tail


def t_quantile(share: float, df: float) -> float:
    """The value below which a ``share`` of Student's t lies; by bisection, to about 1e-12 of its size."""
    start = normal_quantile(share)
    if math.isinf(df) or share == 0.5:
        return start if math.isinf(df) else 0.0
    if share < 0.5:
        return -t_quantile(1 - share, df)
    low, high = 0.0, max(1.0, start)
    while t_cdf(high, df) < share:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, df) < share else (low, middle)
    return (low + high) / 2


def satterthwaite(parts: Sequence[float], freedom: Sequence[float]) -> float:
    """Degrees of freedom of a sum of independent variance estimates, from theirs; infinite when the sum is 0.

    Source: F. E. Satterthwaite (1946), Biometrics Bulletin 2:110.
    """
    below = sum(part**2 / df for part, df in zip(parts, freedom, strict=True))
    return sum(parts) ** 2 / below if below > 0 else math.inf


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for positive a and b and x in [0, 1]."""
    if x <= 0 or x >= 1:
        return min(1.0, max(0.0, x))
    # The continued fraction converges quickly on this side only.
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) * _beta_fraction(a, b, x) / a


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction 1 / (1 + d1 / (1 + d2 / (1 + ...))) of the incomplete beta function, by Lentz's method."""
    value = ratio = 1.0
    inverse = 0.0
    for step in range(1, 2000):
        m, odd = divmod(step, 2)
        top = -(a + m) * (a + b + m) if odd else m * (b - m)
        term = top * x / ((a + step - 1) * (a + step))
        inverse = 1 / ((1 + term * inverse) or _TINY)
        ratio = (1 + term / ratio) or _TINY
        value *= inverse * ratio
        if abs(inverse * ratio - 1) < 1e-15:
            break
    return 1 / value


def digamma(x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Derivative of log gamma at positive ``x``, of its shape; to about 1e-13."""
    at = np.array(x, dtype=np.float64)
    if np.any(at <= 0):
        raise AnalysisError(f"digamma of {float(at.min())}: it is computed for positive numbers only.")
    below = np.zeros_like(at)
    while np.any(at < 10):
        small = at < 10
        below[small] += 1 / at[small]
        at = np.where(small, at + 1, at)
    square = 1 / at**2
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return np.asarray(np.log(at) - 0.5 / at - series - below)


def log_gamma(x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Logarithm of the gamma function at positive ``x``, of its shape."""
    at = np.asarray(x, dtype=np.float64)
    return np.array([math.lgamma(value) for value in at.ravel()], dtype=np.float64).reshape(at.shape)
