import numpy as np
import pytest

from policies.tactile.estimator import TouchConfig, TouchPolicy, contract_of
from policies.tactile.features import features
from policies.tactile.train import TrainConfig, teach
from tests.policies.tactile.pads import samples

CONFIG = TrainConfig(epochs=30, batch=64, hidden=(32, 16), learning_rate=3e-3)


@pytest.fixture(scope="module")
def taught():
    network = teach(samples(1500, seed=0), TouchConfig(), CONFIG)
    return TouchPolicy(TouchConfig(), contract_of("nut_insertion", ("talos",), 0.04), network)


def test_a_small_network_learns_where_a_part_lies_and_how_sure_that_is(taught):
    seen = samples(400, seed=1)
    mean, sigma = taught.estimates(features(seen.pressure_kpa, seen.opening))
    off = np.abs(mean - seen.in_hand)
    median = np.median(off, axis=0)
    # So few readings teach no angle; that it is not known must be known.
    assert (median[:2] < 0.3e-3).all()
    inside = (off <= 2.0 * sigma).mean(axis=0)
    assert (inside > 0.88).all()
    assert (inside < 0.995).all()


def test_the_same_seed_teaches_the_same():
    few = TrainConfig(epochs=1, batch=64, hidden=(8,))
    seen = samples(200, seed=0)
    one, other = (teach(seen, TouchConfig(), few) for _ in range(2))
    for name, array in one.tensors.items():
        np.testing.assert_array_equal(array, other.tensors[name])


def test_too_few_grasps_to_calibrate_on_are_refused():
    with pytest.raises(ValueError, match="samples"):
        teach(samples(5, seed=0), TouchConfig(), CONFIG)


def test_every_epoch_is_told():
    told = []
    config = TrainConfig(epochs=3, batch=64, hidden=(8,))
    teach(samples(200, seed=0), TouchConfig(), config, told.append)
    assert [now.epoch for now in told] == [1, 2, 3]
    assert told[-1].loss < told[0].loss


@pytest.mark.parametrize("changes", [{"epochs": 0}, {"batch": 0}, {"held_back": 0.0}])
def test_to_learn_from_nothing_is_refused(changes):
    with pytest.raises(ValueError, match="expected"):
        TrainConfig(**changes)
