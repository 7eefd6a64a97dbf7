"""`import matlabel` is instant, and what it offers is typed, documented, and does what its examples say."""

import doctest
import inspect
import subprocess
import sys

import pytest

import matlabel
from matlabel.artifacts import shard
from matlabel.runs import sources


@pytest.mark.parametrize("module", [shard], ids=lambda module: module.__name__)
def test_examples_give_what_they_say(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize("name", matlabel.__all__)
def test_every_door_opens_is_typed_and_has_an_example(name):
    door = getattr(matlabel, name)
    assert name in dir(matlabel)
    assert ">>> " in door.__doc__
    signature = inspect.signature(door)
    assert inspect.Signature.empty not in {
        signature.return_annotation,
        *(p.annotation for p in signature.parameters.values()),
    }


def test_what_is_no_door_is_said():
    with pytest.raises(AttributeError, match="matlabel has no attribute open_sesame"):
        matlabel.open_sesame  # noqa: B018


def test_the_package_alone_loads_nothing_of_its_own_nor_of_others():
    script = (
        "import sys, matlabel; print([n for n in sys.modules if n.startswith('matlabel.') or n in ('numpy', 'h5py')])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"


def test_no_stage_depends_on_what_the_doors_lead_to():
    for stage in ("dataset", "cam"):
        assert "artifacts/shard.py" not in {str(path.relative_to(sources.PACKAGE)) for path in sources.sources(stage)}
