"""Curves of a training for TensorBoard, where that is installed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Curves:
    """Writes numbers over steps into a folder that TensorBoard reads; nothing without it."""

    def __init__(self, folder: Path, steps: int = 0) -> None:
        """Open.

        Args:
            folder: Where; it is made if TensorBoard is there.
            steps: What was written of later ones is dropped: they are done again.
        """
        self._writer: Any = None
        try:
            # Brings TensorBoard with it, which is an extra.
            module = importlib.import_module("torch.utils.tensorboard")
        except ModuleNotFoundError:
            return
        self._writer = module.SummaryWriter(str(folder), purge_step=steps + 1)

    def add(self, steps: int, values: Mapping[str, float | None]) -> None:
        """Write numbers; None is left out.

        Args:
            steps: Where on the curves.
            values: By name.
        """
        if self._writer is None:
            return
        for name, value in values.items():
            if value is not None:
                self._writer.add_scalar(name, value, steps)
        self._writer.flush()

    def close(self) -> None:
        """Close what was opened."""
        if self._writer is not None:
            self._writer.close()
