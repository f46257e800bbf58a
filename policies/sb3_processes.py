"""Environments of their own processes, for Stable-Baselines3."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import Any

from gymnasium import Env
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv


def in_processes(makers: Sequence[Callable[[], Env[Any, Any]]]) -> VecEnv:
    """Build environments, each in a process that ends with this one.

    Args:
        makers: Each is called in its process.
    """
    # Ctrl-C reaches every process of the terminal. It is this one's to act upon, so the others are
    # born deaf to it; and physics does not survive a fork.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return SubprocVecEnv(list(makers), start_method="spawn")
    finally:
        signal.signal(signal.SIGINT, before)
