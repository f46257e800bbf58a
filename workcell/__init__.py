"""The application: command line, configuration, composition, cycles, records and figures.

Importing it also registers the environments of `envs` with Gymnasium.
"""

import os

# One thread a process, said before anything brings a pool of threads with it: several workers on
# few cores otherwise slow each other down tenfold.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import envs  # noqa: E402, F401

__version__ = "0.1.0"
