"""How a held part meets what it belongs on, by name."""

from __future__ import annotations

from enum import Enum


class ContactState(Enum):
    """How a part meets its counterpart, from nothing at all to home."""

    FREE = "free"
    """Nothing is touched."""

    TOUCHING = "touching"
    """The part presses on something, and is not over the tip."""

    ON_TEETH = "on teeth"
    """The tip is in the part's mouth, and teeth stand on teeth."""

    MESHED = "meshed"
    """Teeth are between teeth, and the part can go on."""

    WEDGED = "wedged"
    """It should go on, is pushed, and does not."""

    SEATED = "seated"
    """It is home."""
