import numpy as np
import pytest

from robot.arrays import frozen, read_only, same


def test_a_frozen_array_is_a_copy_that_cannot_be_written():
    source = np.array([1.0, 2.0])
    array = frozen("source", source, (2,))
    source[0] = 9.0
    assert array[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 3.0


def test_numbers_become_float64():
    assert frozen("counts", [1, 2], (2,)).dtype == np.float64
    assert frozen("small", np.zeros(2, np.float32), (2,)).dtype == np.float64


def test_a_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"limits: expected shape \(2, 3\), got \(3,\)"):
        frozen("limits", np.zeros(3), (2, 3))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_named_with_its_place(bad):
    with pytest.raises(ValueError, match=r"effort: expected finite numbers, got .* at \[1\]"):
        frozen("effort", [0.0, bad], (2,))


def test_opposite_infinities_do_not_cancel():
    with pytest.raises(ValueError, match=r"at \[0, 2\]"):
        frozen("effort", [np.inf, 0.0, -np.inf], (3,))


def test_a_read_only_view_leaves_its_owner_writable():
    owner = np.zeros(2)
    view = read_only(owner)
    owner[0] = 1.0
    assert view[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 2.0


def test_arrays_are_the_same_to_the_last_bit_or_not_at_all():
    first = np.array([0.1, 0.2, 0.3])
    assert same(first, first.copy())
    assert not same(first, np.nextafter(first, 1.0))
