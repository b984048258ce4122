"""What all tests run under: one thread of arithmetic in each process, and no clock for what Hypothesis draws."""

import os

from hypothesis import HealthCheck, settings

# Before anything imports numpy or torch: their idle threads spin, which costs several times the work itself, and every
# core has a process of the tests already. Commands that tests start inherit it.
for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"

settings.register_profile("clockless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("clockless")
