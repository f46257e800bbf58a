"""The command, on a runner without a cell."""

import pytest

from workcell.cli import main

FACTORY = "tests.workcell.fake_runner:build"


@pytest.fixture
def workcell(capfd, tmp_path):
    """Run a command; return exit code, standard output and standard error."""

    def command(*words):
        code = main([*words], FACTORY)
        return (code, *capfd.readouterr())

    return command


@pytest.fixture
def pretended(monkeypatch):
    """Push nothing in maps; `Pretended.ran` counts the trials."""
    from tests.workcell.pretended_bench import Pretended
    from workcell import push_map

    Pretended.ran = 0
    monkeypatch.setattr(push_map, "PushBench", lambda *_: Pretended())
