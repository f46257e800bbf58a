"""The simulated cell: one PyBullet world, and the driver, grippers and sensors that share it."""
