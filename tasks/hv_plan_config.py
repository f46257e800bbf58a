"""How the plan of high-voltage plugging goes about it: distances, speeds, forces."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.parts.hv_connector import NECK


@dataclass(frozen=True)
class HvPlanConfig:
    """How the plan goes about it.

    Attributes:
        open_m: Opening of an empty hand that reaches for a plug: wider than its collars, in m.
        dock_approach_m: How far before the dock a straight approach begins, in m.
        dock_standoff_m: How far before its mouth the hand slows down to feel for it.
        header_approach_m: How far before the header's mouth one does, in m.
        standoff_m: How far before the mouth the hand slows down to feel for it, in m.
        carry_speed_m_s: Speed of free motions, the harness in tow.
        near_speed_m_s: Speed of straight approaches and retreats.
        yield_s: For how long a hand that has closed gives way to where the plug holds it.
        still_m_s: A hand slower than this rests.
        contact_speed_m_s: Speed at which the header is felt for.
        contact_force_n: Axial force that counts as contact.
        search_force_n: Axial push while searching sideways.
        search_radius_mm: How far sideways the mouth is searched for.
        search_pitch_mm: Distance between two turns of the spiral; a little less than the nose's
            capture on both sides together.
        search_speed_m_s: Along the spiral.
        search_drop_mm: The nose has found the mouth when it has sunk by this.
        search_sunk_mm: It is in the mouth when it has sunk by this after that.
        search_caught_n: A nose that is held by more than this across, and not by friction, is in
            the mouth.
        entry_mm: Until it is so far in, a key decides; with what is not known of the mouth.
        entry_n: Largest push until then; less than what counts as forcing a wrong key.
        mate_force_n: Largest push after that.
        mate_time_s: For how long it is pushed.
        abort_n: With more than this nothing is ever pushed.
        pull_force_n: Of the pull test.
        play_mm: Latched plugs follow a pull by no more than this, as far as an arm can tell.
        lock_force_n: Largest push on the lock.
        lock_time_s: For how long it is pushed.
        unlock_force_n: Largest pull on the lock; less than what opens the latch.
        dwell_s: From the opened interlock to the pull that parts the power contacts.
        extract_force_n: Largest pull on the released plug.
        extract_room_mm: How far beyond the mouth a plug is drawn straight out.
        draw_speed_m_s: Speed of the pull out of the dock.
        draw_force_n: Largest pull out of the dock.
        dock_force_n: Largest push into the dock.
        dock_known_mm: How well it is known by then where a plug is home in its dock.
        settle_s: For how long a hand that lets go rests before its fingers open.
    """

    open_m: float = 0.045
    dock_approach_m: float = 0.10
    dock_standoff_m: float = 0.010
    header_approach_m: float = 0.06
    standoff_m: float = 0.016
    carry_speed_m_s: float = 0.50
    near_speed_m_s: float = 0.30
    yield_s: float = 0.28
    still_m_s: float = 0.02
    contact_speed_m_s: float = 0.05
    contact_force_n: float = 4.0
    search_force_n: float = 6.0
    search_radius_mm: float = 10.0
    search_pitch_mm: float = 3.0
    search_speed_m_s: float = 0.04
    search_drop_mm: float = 1.2
    search_sunk_mm: float = 2.0
    search_caught_n: float = 5.5
    entry_mm: float = 6.0
    entry_n: float = 60.0
    mate_force_n: float = 110.0
    mate_time_s: float = 4.0
    abort_n: float = 120.0
    pull_force_n: float = 15.0
    play_mm: float = 1.5
    lock_force_n: float = 50.0
    lock_time_s: float = 1.5
    unlock_force_n: float = 35.0
    dwell_s: float = 0.15
    extract_force_n: float = 100.0
    extract_room_mm: float = 6.0
    draw_speed_m_s: float = 0.12
    draw_force_n: float = 50.0
    dock_force_n: float = 30.0
    dock_known_mm: float = 1.5
    settle_s: float = 0.2

    def __post_init__(self) -> None:
        """Refuse a plan that pushes beyond its abort, or leaves too soon."""
        for name in ("mate_force_n", "lock_force_n", "extract_force_n", "entry_n", "dock_force_n"):
            if not 0.0 < getattr(self, name) < self.abort_n:
                raise ValueError(
                    f"{name}: expected more than 0 and less than abort_n = {self.abort_n} N, "
                    f"got {getattr(self, name)}"
                )
        if self.dwell_s < 0.1:
            raise ValueError(f"dwell_s: expected at least 0.1, got {self.dwell_s}")
        if not 2.0 * (NECK[1] + 6e-3) < self.open_m <= 0.05:
            raise ValueError(
                f"open_m: expected more than the collars' {2.0 * (NECK[1] + 6e-3):.3f} m and at "
                f"most the hand's 0.05 m, got {self.open_m}"
            )
