import os
import subprocess
import sys
from pathlib import Path

import pytest

from workcell.policy_folder import read_policy

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_example_trains_and_writes_a_policy_that_can_be_read(tmp_path):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

    def example(*words):
        return subprocess.run(
            [sys.executable, str(ROOT / "examples" / "train_residual_sb3.py"), *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    done = example("256", "runs/one")
    assert done.returncode == 0, done.stderr
    stored = read_policy(tmp_path / "runs" / "one")
    # Of two simulations together; each hand makes a step of its own out of one.
    assert "total_timesteps | 512" in done.stdout
    assert stored.manifest.training.steps == 256
    assert stored.manifest.contract.robots == ("talos_fixed", "talos")
    assert (stored.config.shared, stored.policy().contract.outputs) == (True, 7)
    again = example("256", "runs/one")
    assert again.returncode == 1
    assert "FOLDER: runs/one exists and is not overwritten" in again.stderr
    # Refused before anything was learned.
    assert "total_timesteps" not in again.stdout
