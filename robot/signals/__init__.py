"""What is computed from what a sensor says, in simulation and on hardware alike."""
