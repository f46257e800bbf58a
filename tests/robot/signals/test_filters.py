import numpy as np
import pytest

from robot.signals.filters import LowPass


def test_the_first_value_passes_as_it_is():
    np.testing.assert_array_equal(LowPass(10.0).update(np.array([3.0, -1.0]), 1e-3), [3.0, -1.0])


@pytest.mark.parametrize("dt", [1e-3, 4e-3])
def test_a_step_is_followed_with_the_time_constant_whatever_the_period(dt):
    low_pass = LowPass(5.0)
    low_pass.update(np.zeros(1), dt)
    constant = 1.0 / (2.0 * np.pi * 5.0)
    for _ in range(round(0.1 / dt)):
        value = low_pass.update(np.ones(1), dt)
    assert value[0] == pytest.approx(1.0 - np.exp(-0.1 / constant), rel=1e-9)


def test_half_the_power_passes_at_the_cutoff():
    low_pass, dt = LowPass(10.0), 1e-4
    times = np.arange(0.0, 2.0, dt)
    output = [low_pass.update(np.array([np.sin(20.0 * np.pi * t)]), dt)[0] for t in times]
    assert np.std(output[10000:]) == pytest.approx(0.5, rel=0.01)


def test_a_reset_forgets_the_past():
    low_pass = LowPass(1.0)
    low_pass.update(np.zeros(1), 1e-3)
    low_pass.reset()
    assert low_pass.update(np.ones(1), 1e-3)[0] == 1.0


def test_a_cutoff_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="cutoff"):
        LowPass(0.0)
