"""What a policy is told of plugs and packs: signals, touch, beliefs and what the plan says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from robot.arrays import Array, frozen
from tasks.hv_packs import SLOTS
from tasks.parts.hv_connector import ConnectorType
from tasks.places import ARMS
from tasks.task import Layout, Observed, Snapshot, vector
from tasks.touch import in_hand, in_hand_entry

# What the pads feel of a plug's neck: a rib, as a cylinder about the plug's axis, in m. Longer
# than the pads: a short one has its ends in sight, but only half of its angle is felt.
RIB_RADIUS, RIB_LENGTH = 0.008, 0.016

# The largest number among the process signals: insulation, in ohm/V.
_SIGNAL_BOUND = 1e5


def observed_entries(inputs: Sequence[str]) -> tuple[Observed, ...]:
    """Return what `observe` returns, described.

    Args:
        inputs: Names of the process signals that come from the station.
    """
    return (
        Observed(
            "signals",
            len(inputs),
            f"process signals, 0 or 1 or in their unit: {tuple(inputs)}",
            bound=_SIGNAL_BOUND,
        ),
        *(in_hand_entry(arm, "plug") for arm in ARMS),
        *(
            item
            for slot in SLOTS
            for item in (
                Observed(
                    f"{slot}_connector",
                    4,
                    "1 if the pack has such a port, else all zero; from grip to tip, stroke "
                    "and travel of the lock, m",
                ),
                Observed(f"{slot}_pose_world_header", 7, "believed, position and quaternion"),
                Observed(f"{slot}_pose_world_dock", 7, "believed, position and quaternion"),
            )
        ),
    )


def observe(
    snapshot: Snapshot, layout: Layout, inputs: Sequence[str], kinds: Mapping[str, ConnectorType]
) -> Mapping[str, Array]:
    """Return what is known at the beginning of a policy step, as `observed_entries` says.

    Args:
        snapshot: Now; its true poses are not looked at.
        layout: Of the episode; only what is believed.
        inputs: Names of the process signals that come from the station.
        kinds: Connectors of the pack that has come, by slot.
    """
    said = snapshot.cell.station.signals
    signals = [float(said[name]) for name in inputs]
    observed = {"signals": frozen("signals", signals, (len(signals),))}
    for arm in ARMS:
        observed[f"{arm}_in_hand"] = in_hand(snapshot, arm, RIB_LENGTH)
    for slot in SLOTS:
        numbers = [0.0] * 4
        if slot in kinds:
            kind = kinds[slot]
            numbers = [1.0, kind.tip, kind.mating.stroke, kind.mating.lock_stroke]
        observed[f"{slot}_connector"] = frozen("connector", numbers, (4,))
        for place in ("header", "dock"):
            pose = layout.pose_world_believed.get(f"{place}_{slot}")
            observed[f"{slot}_pose_world_{place}"] = (
                frozen("pose", np.zeros(7), (7,)) if pose is None else vector(pose)
            )
    return observed
