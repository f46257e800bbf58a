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
