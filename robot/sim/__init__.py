"""The simulated cell's devices: one PyBullet world, and a driver, grippers and sensors that share it."""
