"""Models of packs: what is in the house, and what is refused."""

import dataclasses
import math

import pytest

from robot.errors import ConfigError, UnknownName
from tasks.hv_config import HvPluggingConfig
from tasks.hv_packs import NEIGHBOUR_DISTANCE, PackModel, Port
from tasks.hv_station_config import HvStationConfig
from tests.tasks.hv import CONFIGS, config, connectors, packs
from workcell.config import Section, load, resolve

PORT = Port("traction", "hv_a", "left", (-0.04, 0.20, 0.30))


def pack(*ports, **changes):
    return PackModel("test", 400.0, (0.3, 0.8, 0.26), ports or (PORT,), **changes)


def test_four_packs_come_and_one_is_held_out():
    sizes = {p.name: len(p.ports) for p in config().coming}
    assert {"city": 2, "sedan": 3, "suv": 3, "truck": 4}.items() <= sizes.items()
    assert "prototype" not in sizes
    held_out = packs()["prototype"]
    assert {p.connector for p in held_out.ports if connectors()[p.connector].held_out} == {
        "hv_e",
        "hv_f",
    }


@pytest.mark.parametrize("name", sorted(packs()))
def test_every_pack_has_one_signal_plug_and_its_hands_are_not_in_each_others_way(name):
    model = packs()[name]
    kinds = [connectors()[port.connector] for port in model.ports]
    assert [kind.voltage for kind in kinds].count("lv") == 1
    for i, port in enumerate(model.ports):
        assert 25.0 <= port.tilt_deg <= 35.0
        assert abs(port.yaw_deg) <= 10.0
        for other in model.ports[:i]:
            assert math.dist(port.position, other.position) >= NEIGHBOUR_DISTANCE


def test_slots_are_numbered_in_the_order_of_each_arm():
    slots = packs()["sedan"].slots
    assert {slot: port.name for slot, port in slots.items()} == {
        "left_0": "charger",
        "left_1": "traction",
        "right_0": "signals",
    }


def test_a_header_is_turned_as_it_says():
    pose = dataclasses.replace(PORT, tilt_deg=30.0, yaw_deg=10.0).pose_pack_header
    way_in = pose.rotation[:, 2]
    assert way_in[2] == pytest.approx(-0.5)
    assert math.degrees(math.atan2(way_in[1], way_in[0])) == pytest.approx(10.0)


def other(**changes):
    return dataclasses.replace(PORT, **changes)


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        (
            (PORT, other(name="heater", position=(-0.04, 0.24, 0.30))),
            r"pack 'test', port 'heater': position: .* from port 'traction', got 0.040 m",
        ),
        (
            tuple(other(name=f"p{i}", position=(-0.04, 0.1 + 0.1 * i, 0.30)) for i in range(3)),
            "pack 'test': ports: expected at most 2 for the left arm, got 3",
        ),
        (
            (PORT, other(position=(-0.04, 0.30, 0.30))),
            "port 'traction': name: expected each name once",
        ),
        ((other(arm="right"),), "port 'traction': position: expected y on the right arm's side"),
    ],
)
def test_a_pack_that_two_hands_cannot_plug_is_refused(ports, message):
    with pytest.raises(ValueError, match=message):
        pack(*ports)


def test_numbers_out_of_range_are_refused():
    # One that comes charged less is no high-voltage pack either: 92 % of 65 V are 59.8 V.
    for voltage in (48.0, 65.0, 1001.0, float("nan")):
        with pytest.raises(ValueError, match="pack 'test': voltage"):
            dataclasses.replace(pack(), voltage=voltage)
    with pytest.raises(ValueError, match="pack 'test': body_size"):
        dataclasses.replace(pack(), body_size=(0.3, 0.0, 0.2))
    with pytest.raises(ValueError, match="pack 'test': ports"):
        dataclasses.replace(pack(), ports=())


@pytest.mark.parametrize(
    ("port", "message"),
    [
        (
            other(connector="hv_z"),
            "pack 'test', port 'traction': no connector named 'hv_z'. Did you mean",
        ),
        (
            other(position=(0.2, 0.2, 0.3)),
            "pack 'test', port 'traction': position: out of reach",
        ),
        (other(tilt_deg=60.0), "pack 'test', port 'traction': tilt_deg"),
        (other(yaw_deg=20.0), "pack 'test', port 'traction': yaw_deg"),
        (other(position=(-0.04, 0.12, 0.3), yaw_deg=8.0), "traction': yaw_deg: .* -15 to 4"),
    ],
)
def test_a_pack_that_does_not_fit_the_station_is_refused_with_pack_and_port(port, message):
    with pytest.raises(ValueError, match=message):
        HvPluggingConfig(connectors=connectors(), packs={"test": pack(port)})


def test_packs_and_models_go_by_their_names():
    with pytest.raises(ValueError, match="pack 'tset': name: expected tset, got test"):
        HvPluggingConfig(connectors=connectors(), packs={"tset": pack()})
    with pytest.raises(UnknownName, match="Did you mean 'truck'"):
        config("trcuk")
    with pytest.raises(ValueError, match="models: expected each name once"):
        config("truck", "truck")


def test_a_bad_file_is_named_with_key_and_reason(tmp_path):
    text = (CONFIGS / "pack" / "city.yaml").read_text()
    file = tmp_path / "pack" / "city.yaml"
    file.parent.mkdir()
    file.write_text(
        text.replace("[-0.04, -0.16, 0.29]", "[-0.04, 0.21, 0.3]").replace("right", "left")
    )
    with pytest.raises(ConfigError, match=r"city.yaml: pack.*port 'signals': position"):
        load(file, PackModel)


def test_the_task_s_own_file_resolves():
    base = HvPluggingConfig(connectors=connectors(), packs=packs())
    file = CONFIGS / "task" / "hv_plugging.yaml"
    resolved = resolve({"task": Section("hv_plugging", HvPluggingConfig, file, base)})
    value = resolved.get("task", HvPluggingConfig)
    assert {pack.name for pack in value.coming} == set(value.packs) - {"prototype"}
    assert value.station == HvStationConfig()
