"""The build of ProxQP that is used."""

from __future__ import annotations

from robot.control.proxqp import proxqp


def test_the_build_without_wide_vectors_is_the_one_that_runs() -> None:
    # With the others, results depend on where arrays happen to lie in memory.
    assert proxqp.dense.QP.__module__.split(".")[1] == "proxsuite_pywrap"
