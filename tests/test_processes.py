"""Items over processes."""

import os
from functools import partial

import pytest
from work import killed, pools, refused, squared

from matlabel.artifacts.errors import UserError
from matlabel.processes import over_processes


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers):
    assert list(over_processes(squared, range(20), workers, "x")) == [item * item for item in range(20)]
    assert list(over_processes(partial(pow, 2), range(3), workers, "x")) == [1, 2, 4]


@pytest.mark.parametrize("workers", [1, 2])
def test_items_are_drawn_as_they_are_needed(workers):
    drawn = []
    results = over_processes(squared, (drawn.append(item) or item for item in range(1000)), workers, "x")
    for _ in range(5):
        next(results)
    assert len(drawn) < 50
    results.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_users_mistake_in_a_worker_is_the_same_message_here(workers):
    with pytest.raises(UserError, match="three is refused"):
        list(over_processes(refused, range(9), workers, "x"))


def test_a_worker_that_is_killed_names_the_setting_to_lower():
    with pytest.raises(UserError, match=r"worker process died.*lower mattes\.workers"):
        list(over_processes(killed, range(9), 2, "mattes.workers"))


@pytest.mark.parametrize("workers", [1, 2])
def test_every_worker_has_one_blas_thread(workers):
    found = list(over_processes(pools, range(8), workers, "x"))
    assert all(threads and set(threads) == {1} for _, threads in found)
    assert all((pid == os.getpid()) == (workers == 1) for pid, _ in found)
