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
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "train_residual_sb3.py"), "512"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    stored = read_policy(tmp_path / "runs" / "residual_ppo")
    assert stored.manifest.training.steps == 512
    assert stored.manifest.contract.robots == ("talos_fixed", "talos")
    assert (stored.config.shared, stored.policy().contract.outputs) == (True, 7)
