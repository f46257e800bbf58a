"""Levels, and what lies between them."""

import dataclasses

import pytest

from tasks.nut_variation import NUT_LEVELS
from tasks.variation import mixed

EASY, HARD = NUT_LEVELS["factory"], NUT_LEVELS["hard"]


def test_both_ends_are_the_levels_themselves():
    assert mixed(EASY, HARD, 0.0) == EASY
    assert mixed(EASY, HARD, 1.0) == HARD


def test_every_range_lies_between_those_of_both_levels():
    between = mixed(EASY, HARD, 0.25)
    assert between.pin_offset == pytest.approx(0.75 * EASY.pin_offset + 0.25 * HARD.pin_offset)
    for item in dataclasses.fields(EASY):
        low, value, high = (getattr(level, item.name) for level in (EASY, between, HARD))
        if isinstance(value, tuple):
            assert all(
                min(a, c) <= b <= max(a, c) for a, b, c in zip(low, value, high, strict=True)
            )
        elif isinstance(value, float):
            assert min(low, high) <= value <= max(low, high)
