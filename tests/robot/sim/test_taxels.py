import numpy as np
import pytest

from robot.sim.taxels import TactileConfig, Taxels

PERFECT = TactileConfig(gain_spread=0.0, drift=0.0, noise=0.0, shear_noise=0.0)
STEP = 1e6 / 255


def perfect(**worse):
    config = TactileConfig(
        **{"gain_spread": 0.0, "drift": 0.0, "noise": 0.0, "shear_noise": 0.0, **worse}
    )
    return Taxels(config, np.random.default_rng(0))


def test_perfect_taxels_are_exact_to_eight_bits():
    pressure = np.random.default_rng(1).uniform(0.0, 1e6, PERFECT.shape)
    felt = perfect().feel(pressure, 10.0)
    assert np.abs(felt - pressure).max() <= 0.5 * STEP + 1e-6


def test_hysteresis_says_less_on_the_way_up_and_more_on_the_way_down():
    taxels = perfect(hysteresis=0.1)
    up, top, down = (
        taxels.feel(np.full(PERFECT.shape, kpa * 1e3), 0.0)[0, 0, 0] for kpa in (300, 600, 300)
    )
    assert up == pytest.approx(270e3, abs=STEP)
    assert top == pytest.approx(540e3, abs=STEP)
    assert down == pytest.approx(330e3, abs=STEP)
    assert not taxels.feel(np.zeros(PERFECT.shape), 0.0).any()


def test_hysteresis_does_not_follow_a_small_change():
    taxels = perfect(hysteresis=0.1)
    felt = [taxels.feel(np.full(PERFECT.shape, kpa * 1e3), 0.0)[0, 0, 0] for kpa in (500, 480, 500)]
    assert felt[0] == felt[1] == felt[2]


def test_without_hysteresis_no_past_is_kept():
    config, pressure = TactileConfig(), np.full(PERFECT.shape, 4e5)
    remembers, fresh = (Taxels(config, np.random.default_rng(3)) for _ in range(2))
    # Noise comes from the same place in both.
    remembers.feel(2.0 * pressure, 0.0)
    fresh.feel(0.0 * pressure, 0.0)
    np.testing.assert_array_equal(remembers.feel(pressure, 1.0), fresh.feel(pressure, 1.0))


def test_drift_grows_with_time_from_nothing():
    taxels = perfect(drift=0.05)
    at = [taxels.feel(np.full(PERFECT.shape, 5e5), seconds) for seconds in (0.0, 30.0, 60.0)]
    spread = [np.std(image) for image in at[1:]]
    assert np.ptp(at[0]) == 0.0
    assert spread[1] == pytest.approx(2.0 * spread[0], rel=0.1)
    assert spread[1] == pytest.approx(0.05e6, rel=0.15)


def test_dead_taxels_feel_nothing_and_are_as_many_as_said():
    config = TactileConfig(dead_share=0.3, noise=0.05)
    felt = Taxels(config, np.random.default_rng(0)).feel(np.full(config.shape, 5e5), 60.0)
    assert (felt == 0.0).mean() == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize(
    ("name", "value"), [("hysteresis", -0.1), ("dead_share", 1.5), ("noise", -1.0), ("rows", 0)]
)
def test_what_makes_no_sensor_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        TactileConfig(**{name: value})
