"""`matlabel matte`: one photograph and its trimap, as a person runs it."""

import os
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


def palette(path, values, colours):
    image = Image.fromarray(values.astype(np.uint8)).convert("P")
    image.putpalette(bytes(np.asarray(colours, np.uint8).ravel()))
    image.save(path)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_a_palette_of_greys_is_grey(tmp_path, order):
    greys = np.array([0, 128, 255])[order]
    wanted = np.array([[0, 255, 1]], np.uint8)
    palette(tmp_path / "t.png", np.argsort(order)[None], np.repeat(greys[:, None], 3, 1))
    np.testing.assert_array_equal(read_trimap(tmp_path / "t.png"), wanted)
    palette(tmp_path / "t.png", np.array([[0, 128, 255]]), np.repeat(np.arange(256)[:, None], 3, 1))
    np.testing.assert_array_equal(read_trimap(tmp_path / "t.png"), wanted)
    np.testing.assert_array_equal(read_trimap(tmp_path / "t.png", labels=True), [[0, 128, 255]])


@pytest.mark.parametrize("form", ["png", "jpg", "tif", "webp"])
def test_a_trimap_is_turned_upright(tmp_path, form):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.full((16, 48), 128, np.uint8)
    stored[:, :16], stored[:, 32:] = 0, 255
    Image.fromarray(stored).save(tmp_path / f"t.{form}", exif=exif)
    found = read_trimap(tmp_path / f"t.{form}")
    np.testing.assert_array_equal(found[[4, 24, 44], 8], [0, 255, 1])


@pytest.mark.parametrize("name", ["image.png", "trimap.png", "linked.png"])
def test_what_is_read_is_never_overwritten(files, name):
    os.link(files / "image.png", files / "linked.png")
    before = {path: path.read_bytes() for path in files.iterdir()}
    code, printed = matte(files, "-o", name)
    assert code == 2
    assert f"{name}: is read here and would be overwritten" in printed
    assert {path: path.read_bytes() for path in files.iterdir()} == before


def counting_from_one(folder):
    Image.fromarray(np.tile(np.uint8([1, 2, 3, 3]), (64, 20))).save(folder / "trimap.png")


def with_many_greys(folder):
    Image.fromarray(np.tile(np.arange(20, 100, dtype=np.uint8), (64, 1))).save(folder / "trimap.png")


def in_colour(folder):
    Image.fromarray(np.tile(np.uint8([255, 0, 0]), (64, 80, 1))).save(folder / "trimap.png")


def transparent(folder):
    Image.fromarray(np.tile(np.uint8([0, 0, 0, 100]), (64, 80, 1))).save(folder / "trimap.png")


def postscript(folder):
    (folder / "image.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 80 64\n")


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
        (counting_from_one, [], "It holds 1, 2, 3 (0, 1 and 2, or 1, 2 and 3, all count as dark)"),
        (with_many_greys, [], "It holds 20 to 99; write 0"),
        (in_colour, [], "trimap.png: in colour"),
        (transparent, [], "trimap.png: a trimap is not transparent"),
        (postscript, [], "image.png: not a readable image (it is EPS; read are JPEG, PNG, WEBP, TIFF, BMP)"),
        (
            None,
            ["--max-pixels", "5000"],
            "image.png: not a readable image (80 × 64 pixels, more than max_pixels (5000)",
        ),
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
