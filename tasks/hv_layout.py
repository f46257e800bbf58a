"""One draw of a pack, its plugs and everything else that differs between two episodes."""

from __future__ import annotations

import math

import numpy as np

from tasks.hv_figures import draw_pack
from tasks.hv_station import Assigned, HvStation
from tasks.hv_variation import Fault, HvVariation
from tasks.places import ARMS
from tasks.task import Layout
from tasks.variation import between, misplaced, shove

# Rubber-faced pads on plastic: at least 0.5, more where the plastic on plastic is dry, too.
PAD_FRICTION = 0.5
PAD_FRICTION_SHARE = 0.75

# A bump comes while the hands are at work, in s from the start.
SHOVE_WINDOW = 40.0
# Of a signal cable, as a share of a power cable's.
_SIGNAL_DIAMETER = 0.6


def draw_layout(rng: np.random.Generator, station: HvStation, v: HvVariation) -> Layout:
    """Draw an episode of a station.

    Args:
        rng: The episode's generator.
        station: With the packs that may come.
        v: The level.
    """
    friction = between(rng, v.friction)
    index = int(rng.integers(len(station.packs)))
    pack = station.packs[index]
    fault, port = v.draw_fault(rng), int(rng.integers(len(pack.slots)))
    parameters = {
        "pack_index": float(index),
        **draw_pack(rng, pack.voltage, v.bad_pack_chance),
        "friction_plastic": friction,
        "friction_pads": PAD_FRICTION + PAD_FRICTION_SHARE * friction,
        **shove(rng, v, window=SHOVE_WINDOW),
        "noise_seed": float(rng.integers(2**31)),
    }
    for arm in ARMS:
        parameters[f"grip_share_{arm}"] = 1.0 + rng.uniform(-1.0, 1.0) * v.grip_share
    for number, slot in enumerate(pack.slots):
        parameters[f"fault_{slot}"] = float(fault if number == port else Fault.NONE)
    nominal = station.config.pose_world_pack
    placed = nominal @ misplaced(rng, v.pack_offset, v.pack_tilt, v.pack_tilt)
    parts = station.parked() | {f"pack_{pack.name}": placed}
    believed = {"pack": nominal}
    for slot, assigned in station.assigned(parameters).items():
        header = placed @ assigned.port.pose_pack_header
        dock = station.pose_world_dock[slot] @ misplaced(
            rng, v.grasp_offset, v.grasp_tilt, v.grasp_tilt
        )
        parts |= {
            assigned.header: header,
            assigned.dock: dock,
            assigned.plug: dock @ assigned.plug_kind.pose_dock_plug,
        }
        error = misplaced(rng, v.header_offset, v.header_tilt, v.header_tilt)
        believed[f"header_{slot}"] = header @ error
        believed[f"dock_{slot}"] = station.pose_world_dock[slot]
        parameters |= _connection(rng, v, slot, assigned)
    return Layout(parts, believed, dict.fromkeys(station.plugs, friction), parameters)


def _connection(
    rng: np.random.Generator, v: HvVariation, slot: str, assigned: Assigned
) -> dict[str, float]:
    """Draw what a plug, its header and its harness are like."""
    mating = assigned.kind.mating
    # A signal plug hangs on a thin cable: bending goes with the fourth power of the diameter.
    thin = _SIGNAL_DIAMETER if assigned.kind.voltage == "lv" else 1.0
    return {
        f"mating_scale_{slot}": between(rng, v.mating_scale),
        # Above the key, below where the latch would click.
        f"debris_{slot}_mm": 1e3 * rng.uniform(mating.key_depth, 0.8 * mating.stroke),
        f"harness_length_{slot}_m": between(rng, v.harness_length),
        f"harness_diameter_{slot}_mm": 1e3 * thin * between(rng, v.harness_diameter),
        f"harness_mass_{slot}_kg_m": thin**2 * between(rng, v.harness_mass),
        f"harness_bending_{slot}_nm2": thin**4 * between(rng, v.harness_bending),
        f"harness_twist_{slot}_deg": math.degrees(rng.uniform(-1.0, 1.0) * v.harness_twist),
    }
