"""What is wrong with real taxels: gain, dead ones, hysteresis, drift, noise, eight bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robot.arrays import Array, clipped

# The largest value of a taxel: 8 bits.
_COUNTS = 255
PADS = 2
"""Pads of a gripper."""


@dataclass(frozen=True)
class TactileConfig:
    """What the taxels are like.

    Attributes:
        rows: Taxels along the tool's z axis.
        columns: Taxels along the tool's x axis.
        pitch: Of the taxels both ways, in m.
        period: Time between two samples, in s.
        stiffness: Of the rubber, pressure per depth, in Pa/m.
        full_scale: Largest pressure of a taxel, in Pa.
        rays: Rays per taxel each way.
        gain_spread: Standard deviation of a taxel's gain, as a share, drawn per episode.
        drift: Standard deviation of a taxel's zero, as a share of full scale per minute.
        noise: Standard deviation of a sample, as a share of full scale.
        shear_noise: Standard deviation of a shear force, in N.
        dead_share: Share of taxels that feel nothing.
        hysteresis: By how much of itself a pressure has to change before a taxel follows.
    """

    rows: int = 11
    columns: int = 9
    pitch: float = 1.1e-3
    period: float = 0.02
    stiffness: float = 1e9
    full_scale: float = 1e6
    rays: int = 3
    gain_spread: float = 0.05
    drift: float = 0.01
    noise: float = 0.004
    shear_noise: float = 0.02
    dead_share: float = 0.0
    hysteresis: float = 0.0

    def __post_init__(self) -> None:
        """Refuse shares that are none, and what would make no sensor."""
        for name in ("rows", "columns", "rays", "pitch", "period", "stiffness", "full_scale"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")
        for name in ("gain_spread", "drift", "noise", "shear_noise"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        for name in ("dead_share", "hysteresis"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name}: expected 0 to 1, got {getattr(self, name)}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the pressures of both pads."""
        return (PADS, self.rows, self.columns)


class Taxels:
    """Both pads' taxels for an episode, at whose beginning they are zeroed."""

    def __init__(self, config: TactileConfig, rng: np.random.Generator) -> None:
        """Draw what is wrong with each taxel in this episode.

        Args:
            config: What they are like.
            rng: The episode's generator; one number of it is taken.
        """
        self._config = config
        # A generator of its own: samples depend on when they are taken, the episode's draws do not.
        self._rng = np.random.default_rng(rng.integers(2**63))
        size = config.shape
        alive = self._rng.random(size) >= config.dead_share
        gain = self._rng.normal(1.0, config.gain_spread, size)
        self._gain = np.where(alive, np.maximum(gain, 0.0), 0.0) * (_COUNTS / config.full_scale)
        per_second = config.drift * _COUNTS / 60.0
        self._drift = np.where(alive, self._rng.normal(0.0, per_second, size), 0.0)
        self._followed = np.zeros(size)

    def feel(self, pressure: Array, elapsed: float) -> Array:
        """Return what the taxels say of a pressure.

        With hysteresis h, what a taxel follows stays within p (1 - h) and p (1 + h) and moves no
        more than that takes: the play operator of Prandtl and Ishlinskii, as wide as it is loaded.

        Args:
            pressure: Mean over each taxel, in Pa. Shape (2, rows, columns).
            elapsed: Time since the episode began, in s.

        Returns:
            In Pa, in steps of 8 bits. Same shape.
        """
        config = self._config
        self._followed = clipped(
            self._followed,
            pressure * (1.0 - config.hysteresis),
            pressure * (1.0 + config.hysteresis),
        )
        counts = (
            self._followed * self._gain
            + self._drift * elapsed
            + self._rng.normal(0.0, config.noise * _COUNTS, config.shape) * (self._gain > 0.0)
        )
        felt: Array = clipped(np.rint(counts), 0, _COUNTS) * (config.full_scale / _COUNTS)
        return felt

    def feel_shear(self, shear: Array) -> Array:
        """Return what the pads say of a shear force, in N. Shape (2, 2)."""
        felt: Array = shear + self._rng.normal(0.0, self._config.shear_noise, shear.shape)
        return felt
