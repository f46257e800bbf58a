"""ProxQP in the one build of it that gives the same numbers in every run.

`proxsuite` ships the solver compiled for several instruction sets and takes the widest that the
machine has. With vectors wider than the 16 bytes that memory is aligned to, the order of a sum
depends on where an array happens to lie, so that two runs of the same program differ in the last
digits, and a simulation of contact soon after in all of them. The build without wide vectors takes
45 us in place of 39 us for the program of a 32-joint humanoid.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


def _no() -> bool:
    return False


def _load() -> Any:
    """Import ProxQP, telling the package that the machine has no wide vectors."""
    instructions: Any = ModuleType("proxsuite.instructionset")
    instructions.has_AVX512F = instructions.has_AVX2 = _no
    # Two builds cannot live in one process, so an earlier import of `proxsuite` has decided.
    sys.modules.setdefault(instructions.__name__, instructions)
    from proxsuite import proxqp

    return proxqp


proxqp = _load()
