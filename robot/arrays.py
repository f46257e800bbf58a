"""Shape-checked, read-only float64 arrays: what crosses a seam cannot be changed by its reader."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def frozen(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Return a read-only copy of a finite array of known shape.

    Args:
        name: What the array is called in the error message.
        value: Numbers.
        shape: The expected shape.

    Raises:
        ValueError: If the shape differs or an entry is not finite; names the array.
    """
    array: Array = np.array(value, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    # One product tells, cheaper than isfinite: squares of one sign cannot cancel, and those of any
    # quantity here do not overflow.
    product = array.dot(array) if array.ndim == 1 else np.vdot(array, array)
    if not math.isfinite(product):
        bad = np.flatnonzero(~np.isfinite(array.ravel())).tolist()
        raise ValueError(f"{name}: expected finite numbers, got {array.ravel()[bad]} at {bad}")
    array.setflags(write=False)
    return array


def read_only(array: NDArray[Any]) -> Array:
    """Return a read-only float64 view of an array this caller owns and will not change."""
    view = np.asarray(array, dtype=np.float64).view()
    view.flags.writeable = False
    return view


def same(first: Array, second: Array) -> bool:
    """Return whether two arrays of one shape hold the same bits; `array_equal` takes tenfold."""
    return first.tobytes() == second.tobytes()


def clipped(value: Array, low: Array | float, high: Array | float) -> Array:
    """Return what `np.clip` does, in a third of the time for arrays as small as a robot's."""
    result: Array = np.minimum(np.maximum(value, low), high)
    return result
