"""Sockets as the latch kernel takes them, and which starts they allow."""

from __future__ import annotations

import numpy as np

from robot.arrays import Array
from robot.mating import DETENT, LATCH_RAMP, STIFFNESS, Engagement, Socket
from robot.sim import latch_kernel as kernel


def check_start(socket: Socket, engagement: Engagement) -> None:
    """Refuse a start that the socket does not allow."""
    profile = socket.profile
    locked = engagement == Engagement.LOCKED
    if locked and not (profile.lock_stroke > 0.0 and socket.clicks):
        raise ValueError(f"engagement: {socket.name} cannot be locked: it has no lock or no latch")
    depth = min(profile.depth(engagement), profile.stroke)
    stop = profile.stroke if socket.stop is None else socket.stop
    stop = stop if socket.matches else profile.key_depth
    if depth > stop:
        raise ValueError(
            f"engagement: {engagement.value} is {depth} m deep, and {socket.name} stops at {stop} m"
        )


def row_of(socket: Socket) -> Array:
    """Return a socket as the kernel wants it, still without its place."""
    p = socket.profile
    row = np.zeros(kernel.PARAMETERS)
    stop = p.stroke if socket.stop is None else socket.stop
    latches = p.latches and socket.matches
    clicks = float(socket.clicks and latches)
    row[: kernel.DRAG + 1] = (
        p.stroke, latches, p.retention, p.release_stroke, p.release_force,
        p.lock_stroke, p.lock_force, p.unlock_force, p.blocked_force, p.arm_force,
        p.interlock_slide, p.power_depth, p.latch_depth,
        stop if socket.matches else min(stop, p.key_depth), socket.matches,
        p.pin_depth, p.pin_tilt, p.pin_offset, p.pin_force, p.key_force, p.max_force,
        *socket.opening, clicks, STIFFNESS, DETENT,
        p.drag if socket.matches else 0.0,
    )  # fmt: skip
    row[kernel.SEAL] = p.seal_stiffness if socket.matches else 0.0
    row[kernel.KNOTS] = (
        0.0, p.engage_depth, p.peak_depth, p.latch_depth - LATCH_RAMP, p.latch_depth, p.stroke,
    )  # fmt: skip
    if socket.matches:
        # A seal and guide drag a little before the contacts touch.
        drag = 0.1 * p.friction
        push = (0.0, drag, p.peak_force, p.friction, p.friction + p.click_drop)
        row[kernel.PUSH_AT] = socket.scale * np.array([*push, p.friction])
        shares = np.interp(row[kernel.KNOTS], (0.0, p.engage_depth, p.stroke), (0.0, 0.15, 1.0))
        row[kernel.PULL_AT] = socket.scale * p.unmating_force * shares
    return row
