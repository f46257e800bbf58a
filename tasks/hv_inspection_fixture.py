"""The simulated station of the inspection: plugs stand in headers as somebody left them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from typing_extensions import override

from robot.mating import Engagement, Socket
from robot.sim.harness import Harness
from tasks.hv_fixture import HvFixture
from tasks.hv_inspection_layout import (
    Connection,
    connection_of,
    engagement_of,
    profile_of,
    tie_back,
)
from tasks.hv_station import Assigned

# A cable that is tied back is short: fewer pieces, which still vibrate faster, so more steps.
_PIECES, _SUBSTEPS = 8, 96


class HvInspectionFixture(HvFixture):
    """The station of plugging, but for where its plugs and cables are when an episode begins."""

    @override
    def _start(self, assigned: Assigned, p: Mapping[str, float]) -> tuple[str, Engagement]:
        connection = connection_of(p, assigned.slot)
        socket = assigned.dock if connection is Connection.MISSING else assigned.header
        return socket, engagement_of(connection)

    @override
    def _socket(
        self, assigned: Assigned, name: str, other: Assigned, p: Mapping[str, float]
    ) -> Socket:
        socket = super()._socket(assigned, name, other, p)
        if name != assigned.slot:
            return socket
        connection = connection_of(p, name)
        profile = profile_of(connection, assigned.plug_kind, p, name)
        # A jammed plug is held by the law of its jam, in the mouth that it does not match.
        jam = connection is Connection.WRONG_PORT
        return dataclasses.replace(socket, profile=profile, matches=socket.matches or jam)

    @override
    def _may_sleep(self, slot: str) -> bool:
        # One that is askew leans on its header hard: out of contact it would start to fall.
        assert self._layout is not None  # asked only during an episode
        lies_well = (Connection.LOCKED, Connection.MISSING)
        return connection_of(self._layout.parameters, slot) in lies_well

    @override
    def _hang(self, slot: str, harness: Harness, p: Mapping[str, float]) -> None:
        super()._hang(slot, harness, p)
        assigned, config = self._assigned[slot], harness.config
        clip = self._task.station.pose_world_clip[slot]
        if connection_of(p, slot) is Connection.OVER_BENT:
            pose_world_plug = self._world.pose_world_body(assigned.plug)
            pose_world_cable = pose_world_plug @ assigned.plug_kind.pose_plug_cable
            clip, length = tie_back(pose_world_cable, config.bend_limit, p, slot)
            bending = p[f"bent_bending_{slot}_nm2"]
            config = dataclasses.replace(
                config,
                length=length,
                bending_stiffness=bending,
                torsion_stiffness=0.7 * bending,
                twist=0.0,
                segments=_PIECES,
                substeps=_SUBSTEPS,
            )
        harness.configure(config, clip)
