"""Peers: what they are, and the virtual environments that they are kept in."""

import sys

import pytest

from robot.errors import ConfigError, UnknownName
from workcell import peers
from workcell.peers import (
    Peer,
    PeerEnvironment,
    PeerFailed,
    default_venvs,
    interpreter_of,
    load_peer,
    peer_names,
    reason_in,
)


def peer(**changes):
    values = {
        "description": "Nothing.",
        "interface": "gymnasium",
        "library": "nothing",
        "engine": "nothing",
        "control_period": "dt",
        "physics_period": "dt",
        "contacts": "None.",
        "environments": (PeerEnvironment("Nothing-v0", "nobody"),),
        "packages": ("nothing==1.0",),
    }
    return Peer(**{**values, **changes})


def test_the_project_itself_comes_first_and_runs_where_it_is_asked(tmp_path):
    assert peer_names()[0] == "workcell"
    ours = load_peer("workcell")
    assert interpreter_of("workcell", ours, tmp_path).samefile(sys.executable)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", peer_names()[1:])
def test_every_other_is_pinned_and_says_how_its_bodies_touch(name):
    other = load_peer(name)
    assert {other.library, other.engine} <= {p.partition("==")[0] for p in other.packages}
    assert len(other.contacts) > 40


def test_a_misspelled_peer_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'robosuite'"):
        load_peer("robosuit")


@pytest.mark.parametrize("package", ["mujoco", "mujoco>=3.3", "mujoco==", "--pre==1"])
def test_a_package_without_a_version_is_refused(package):
    with pytest.raises(ValueError, match="expected NAME==VERSION, got"):
        peer(packages=(package,))


def test_a_mistake_in_a_file_is_named_with_the_file(tmp_path):
    (tmp_path / "peer").mkdir()
    (tmp_path / "peer" / "mine.yaml").write_text("description: Mine.\ninterfase: gymnasium\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml.*interfase"):
        load_peer("mine", tmp_path)


def test_what_cannot_be_installed_says_why(tmp_path, monkeypatch):
    # As without a network, but at once.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(PeerFailed, match=r"pip install nothing==1\.0: ERROR: No matching"):
        interpreter_of("nothing", peer(), tmp_path)


def test_what_is_installed_once_is_kept_until_its_packages_change(tmp_path, monkeypatch):
    commands = []

    def run(command, what):
        commands.append(command)
        if command[2] == "venv":
            folder = next(word for word in command if word.startswith(str(tmp_path)))
            (tmp_path / folder).mkdir(parents=True)

    monkeypatch.setattr(peers, "_run", run)
    first = interpreter_of("nothing", peer(), tmp_path)
    assert commands[-1][-1] == "nothing==1.0"
    assert str(first) in commands[-1]
    assert interpreter_of("nothing", peer(), tmp_path) == first
    assert len(commands) == 2
    assert interpreter_of("nothing", peer(packages=("nothing==1.1",)), tmp_path) != first
    assert len(commands) == 4
    # As after a kill: what is in the folder may be half of it.
    (first.parents[1] / "installed").unlink()
    (first.parents[1] / "half").touch()
    assert interpreter_of("nothing", peer(), tmp_path) == first
    assert not (first.parents[1] / "half").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"--venvs: cannot write .*file"):
        interpreter_of("nothing", peer(), tmp_path / "file")


def test_virtual_environments_are_kept_in_the_users_cache(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert str(default_venvs()) == "/elsewhere/workcell/peers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_venvs().parts[-3:] == (".cache", "workcell", "peers")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Traceback:\n  File\nValueError: no such robot\n\n", "ValueError: no such robot"),
        (
            "ERROR: No matching distribution\n[notice] upgrade pip\n",
            "ERROR: No matching distribution",
        ),
        ("", "it said nothing"),
    ],
)
def test_of_what_a_program_said_the_line_that_says_why_is_kept(words, reason):
    assert reason_in(words) == reason
