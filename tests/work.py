"""What workers do in the tests: a process started afresh has to be able to import it."""

import os
import signal

import numpy as np
from threadpoolctl import threadpool_info

from matlabel.artifacts.errors import UserError


def squared(item):
    return item * item


def refused(item):
    if item == 3:
        raise UserError("three is refused")
    return item


def killed(item):
    if item == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def pools(_item):
    np.ones((8, 8)) @ np.ones((8, 8))
    return os.getpid(), [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
