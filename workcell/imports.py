"""What is listed by an import path is imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any


def imported(path: str) -> Any:
    """Return what an import path names.

    Args:
        path: As `module:attribute`.
    """
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)
