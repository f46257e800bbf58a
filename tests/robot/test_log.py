import logging

import pytest

from robot.log import HeldBack, set_up

logger = logging.getLogger("test_log")


def test_the_first_warning_comes_through_at_once(caplog):
    HeldBack(logger).warning("elbow", 0.0, "%s is hot", "elbow")
    assert caplog.messages == ["elbow is hot"]


def test_a_warning_that_repeats_is_held_back_and_counted(caplog):
    held = HeldBack(logger, period=1.0)
    for tick in range(250):
        held.warning("elbow", 0.01 * tick, "hot")
    assert caplog.messages == ["hot", "hot (99 more held back)", "hot (99 more held back)"]


def test_different_keys_do_not_hold_each_other_back(caplog):
    held = HeldBack(logger)
    held.warning("elbow", 0.0, "elbow")
    held.warning("wrist", 0.0, "wrist")
    assert caplog.messages == ["elbow", "wrist"]


def test_a_clock_that_was_set_back_is_a_new_run(caplog):
    held = HeldBack(logger)
    held.warning("elbow", 50.0, "hot")
    held.warning("elbow", 0.0, "hot again")
    assert caplog.messages == ["hot", "hot again"]


@pytest.fixture
def root_logger():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_setting_up_twice_prints_once(root_logger, capsys):
    for _ in range(2):
        set_up(logging.INFO)
    logger.info("nut %d", 3)
    assert capsys.readouterr().err == "I test_log: nut 3\n"
