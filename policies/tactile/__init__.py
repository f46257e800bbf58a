"""Touch: from what two pads feel to how the part lies between them, and how sure that is."""
