"""`matlabel matte`: one photograph and its trimap, as a person runs it."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from matlabel.artifacts.label_image import write_label_image
from matlabel.cli import app
from matlabel.mattes.single import read_trimap


@pytest.fixture
def files(tmp_path):
    """A picture that turns from dark to bright at column 40, and a three-value trimap with 30 unknown columns."""
    image = np.full((64, 80, 3), 60, np.uint8)
    image[:, 40:] = (200, 150, 90)
    noise = np.random.default_rng(0).integers(-5, 6, image.shape)
    Image.fromarray((image + noise).astype(np.uint8)).save(tmp_path / "image.png")
    trimap = np.full((64, 80), 128, np.uint8)
    trimap[:, :25], trimap[:, 55:] = 0, 255
    Image.fromarray(trimap).save(tmp_path / "trimap.png")
    return tmp_path


def matte(folder, *options, image="image.png", trimap="trimap.png"):
    """Exit code and everything printed."""
    command = [sys.executable, "-c", "from matlabel.cli import main; main()", "matte", image, trimap, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("scale", ["auto", "1", "2", "4"])
def test_a_three_value_trimap_becomes_an_alpha(files, scale, monkeypatch):
    monkeypatch.chdir(files)
    found = CliRunner().invoke(
        app, ["matte", "image.png", "trimap.png", "--scale", scale, "--epsilon", "1e-5", "-o", "out/alpha.png"]
    )
    assert found.exit_code == 0, found.output
    assert found.output == "out/alpha.png\n"
    with Image.open(files / "out/alpha.png") as alpha:
        assert alpha.mode == "L"
        values = np.asarray(alpha)
    assert not values[:, :25].any()
    assert (values[:, 55:] == 255).all()
    assert ((values > 127) == (np.arange(80) >= 40)).mean() > 0.97


def test_a_label_trimap_becomes_an_alpha_of_each_label(files):
    labels = np.full((64, 80), 255, np.uint8)
    labels[:, :25], labels[:30, 55:], labels[34:, 55:] = 0, 2, 7
    write_label_image(files / "labels.png", labels)
    code, printed = matte(files, "-o", "a.png", trimap="labels.png")
    assert (code, printed) == (0, "a-2.png\na-7.png\n")
    planes = [np.asarray(Image.open(files / f"a-{label}.png")).astype(int) for label in (2, 7)]
    assert (planes[0][labels == 2] == 255).all()
    assert (planes[1][labels == 7] == 255).all()
    assert (planes[0] + planes[1] <= 256).all()
    Image.fromarray(labels).save(files / "grey.png")
    assert matte(files, "-o", "b.png", "--labels", trimap="grey.png") == (0, "b-2.png\nb-7.png\n")
    assert (files / "b-2.png").read_bytes() == (files / "a-2.png").read_bytes()


@pytest.mark.parametrize(("grey", "value"), [(0, 0), (25, 0), (26, 255), (128, 255), (229, 255), (230, 1), (255, 1)])
def test_between_a_tenth_and_nine_tenths_is_unknown(tmp_path, grey, value):
    for image in (
        Image.fromarray(np.full((2, 2), grey, np.uint8)),
        Image.fromarray(np.full((2, 2, 3), grey, np.uint8)),
        Image.fromarray(np.full((2, 2), grey * 257, np.uint16)),
    ):
        image.save(tmp_path / "t.png")
        np.testing.assert_array_equal(read_trimap(tmp_path / "t.png"), np.full((2, 2), value))


def broken(folder):
    (folder / "trimap.png").write_bytes(b"not an image")


def of_another_size(folder):
    Image.fromarray(np.zeros((64, 79), np.uint8)).save(folder / "trimap.png")


def without_background(folder):
    Image.fromarray(np.full((64, 80), 255, np.uint8)).save(folder / "trimap.png")


def without_object(folder):
    Image.fromarray(np.full((64, 80), 20, np.uint8)).save(folder / "trimap.png")


@pytest.mark.parametrize(
    ("spoil", "options", "message"),
    [
        (broken, [], "trimap.png: not a readable trimap"),
        (of_another_size, [], "trimap.png: 79 × 64 pixels, the image has 80 × 64"),
        (without_background, [], "trimap.png: no pixel is surely background"),
        (without_object, [], "trimap.png: no pixel is surely object"),
        (None, ["-o", "alpha.jpg"], "alpha.jpg: alphas are written as PNG"),
        (None, ["--method", "vitmatte"], "mattes.weights"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_mistake_is_one_line_and_leaves_nothing(files, spoil, options, message):
    if spoil:
        spoil(files)
    before = sorted(files.iterdir())
    code, printed = matte(files, "-o", "alpha.png", *options)
    assert code == 2
    assert message in printed
    assert "Traceback" not in printed
    assert len(printed.strip().splitlines()) == 1
    assert sorted(files.iterdir()) == before
