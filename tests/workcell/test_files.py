"""Files that are whole or not there, and folders that one process writes."""

import pytest

from robot.errors import ConfigError
from workcell.files import new_folder, refuse_existing, replace_file, write_asked


def test_a_file_is_replaced_by_one_that_is_whole(tmp_path):
    file = tmp_path / "summary.json"
    for data in (b"first", b"the second, which is longer", b"3"):
        replace_file(file, data)
        assert file.read_bytes() == data
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("fails", ["os.fsync", "pathlib.Path.replace"])
def test_one_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    tmp_path, monkeypatch, fails
):
    file = tmp_path / "summary.json"
    replace_file(file, b"old")

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fails, full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(ConfigError) as refused:
        write_asked(file, b"new", "--out")
    assert str(refused.value) == f"--out: cannot write {file}: No space left on device"


def test_a_file_in_a_folder_that_is_none_is_refused_by_the_option_that_asked_for_it(tmp_path):
    with pytest.raises(ConfigError, match=r"--out: cannot write .*none/page.html: No such file"):
        write_asked(tmp_path / "none" / "page.html", b"", "--out")


def test_what_exists_is_refused_and_what_is_named_for_a_run_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("workcell.files.time.strftime", lambda form: "20260101-000000")
    for number in range(3):
        folder = new_folder("nuts")
        refuse_existing(folder)
        assert folder.name == "nuts-20260101-000000" + ("", "-2", "-3")[number]
        folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"--run-dir: .* is not overwritten"):
        refuse_existing(folder)
