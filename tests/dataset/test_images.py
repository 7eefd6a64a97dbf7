import io

import numpy as np
import pytest
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.dataset.images import decode, load_image, resize_long_side
from matlabel.dataset.manifest import Entry


def encoded(image, form="PNG", **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def test_a_photograph_taken_sideways_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded(Image.new("RGB", (30, 20)), "JPEG", exif=exif)).shape == (30, 20, 3)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_every_colour_mode_becomes_rgb(mode):
    image = Image.new(mode, (30, 20))
    array = decode(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert (array.shape, array.dtype) == ((20, 30, 3), np.uint8)


def test_sixteen_bits_are_refused_rather_than_turned_white():
    with pytest.raises(ValueError, match="8-bit"):
        decode(encoded(Image.fromarray(np.arange(900, dtype=np.uint16).reshape(30, 30) * 70)))


def test_a_truncated_image_is_an_error():
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)), "JPEG")
    for broken in (data[: len(data) // 2], b"", b"GIF89a", b"not an image"):
        with pytest.raises(ValueError, match=r"\w"):
            decode(broken)


def test_an_image_that_changed_since_the_scan_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(Image.new("RGB", (9, 9))))
    with pytest.raises(UserError, match=r"a\.png: changed since"):
        load_image(tmp_path, Entry(0, "train", "a", "a.png", "0" * 64, ()))


def test_resizing_keeps_the_aspect_and_at_least_a_pixel():
    assert resize_long_side(np.zeros((300, 400, 3), np.uint8), 200).shape == (150, 200, 3)
    assert resize_long_side(np.zeros((1, 400, 3), np.uint8), 100).shape == (1, 100, 3)
