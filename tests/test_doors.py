"""`import matlabel` is instant, and what it offers is typed, documented, and does what its examples say."""

import doctest
import inspect
import subprocess
import sys

import numpy as np
import pytest

import matlabel
from matlabel.artifacts import shard
from matlabel.mattes import matte
from matlabel.runs import sources


@pytest.mark.parametrize("module", [shard, matte], ids=lambda module: module.__name__)
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
        files = {str(path.relative_to(sources.PACKAGE)) for path in sources.sources(stage)}
        assert not files & {"artifacts/shard.py", "mattes/matte.py"}


def test_the_alpha_of_an_object_is_that_of_its_label_among_all():
    generator = np.random.default_rng(0)
    image = generator.random((24, 30, 3))
    trimap = np.full((24, 30), 255, np.uint8)
    trimap[:, :6], trimap[:, -6:] = 0, 1
    alpha, both = matlabel.matte(image, trimap), matlabel.matte(image, trimap, [1])
    np.testing.assert_array_equal(alpha, both[1])
    np.testing.assert_allclose(both.sum(0), 1, atol=1e-6)
    assert alpha[trimap == 0].max() == 0
    assert alpha[trimap == 1].min() == 1


def test_a_grey_trimap_is_refused_rather_than_misread():
    trimap = np.full((24, 30), 128, np.uint8)
    trimap[:, :6], trimap[:, -6:] = 0, 255
    with pytest.raises(ValueError, match="128"):
        matlabel.matte(np.zeros((24, 30, 3)), trimap)
