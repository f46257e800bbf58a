"""Keeping a standing robot on its feet: references that move when it is shoved, and only then."""
