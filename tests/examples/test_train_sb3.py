import os
import subprocess
import sys
from pathlib import Path

import pytest

from workcell.build import build_cycle
from workcell.catalog import Choice, resolve_choice
from workcell.policy_folder import read_policy

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_example_trains_and_saves_a_policy(tmp_path):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "train_sb3.py"), "256"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "total_timesteps | 256" in done.stdout
    # Model and statistics were loaded again.
    assert "reward of an episode: " in done.stdout
    stored = read_policy(tmp_path / "runs" / "ppo_fixed_pelvis" / "policy")
    assert (stored.manifest.kind, stored.manifest.training.steps) == ("actor", 256)
    assert stored.manifest.normalization.std != (1.0,) * stored.manifest.contract.inputs
    choice = Choice("nut_insertion", "nominal", "talos_fixed", str(stored.path))
    runner = build_cycle(resolve_choice(choice, ["task.time_limit=0.4"]))
    try:
        assert runner.run(1_000_000).failure == "time_out"
    finally:
        runner.close()
