import os

# Before numpy is imported: a pool of threads per library makes small matrices slower, not faster.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
