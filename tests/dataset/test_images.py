import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.picture import PHOTOGRAPHS, WrongSizeError, open_picture, orientation_of
from matlabel.dataset.images import decode, load_image, resize_long_side
from matlabel.dataset.manifest import Entry


def encoded(image, form="PNG", **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "MPO"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright_as_pillow_turns_it(form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    corners = Image.fromarray(np.uint8([[0, 60, 120], [200, 230, 255]])[..., None].repeat(3, 2)).resize((48, 32), 0)
    data = encoded(corners, form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(decode(data), expected)
    assert orientation_of(data, PHOTOGRAPHS)[0] == expected.shape[:2]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_every_colour_mode_becomes_rgb(mode):
    image = Image.new(mode, (30, 20), (9, 9, 9, 200) if mode == "RGBA" else 0)
    array = decode(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert (array.shape, array.dtype) == ((20, 30, 3), np.uint8)


def png_of_16_bits(kind, channels):
    """A PNG of the standard's colour type `kind` with 12-bit data in 16 bits, as scanners write it."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = np.random.default_rng(0).integers(0, 4096, (5, 6 * channels)).astype(">u2")
    header = struct.pack(">IIBBBBB", 6, 5, 16, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)], ids=["grey", "rgb", "grey+a", "rgba"])
def test_more_than_eight_bits_are_refused_rather_than_turned_white_or_black(kind, channels):
    with pytest.raises(ValueError, match="more than 8 bits a channel"):
        decode(png_of_16_bits(kind, channels))


def test_deep_tiffs_are_refused():
    for values in (np.arange(900, dtype=np.uint16), np.linspace(0, 1, 900, dtype=np.float32)):
        with pytest.raises(ValueError, match="more than 8 bits a channel"):
            decode(encoded(Image.fromarray(values.reshape(30, 30)), "TIFF"))


def test_a_colour_that_is_hidden_by_transparency_is_no_part_of_the_picture():
    drawn = np.zeros((20, 30, 4), np.uint8)
    drawn[:, :20], drawn[:, 20:] = (40, 80, 120, 255), (255, 0, 0, 0)
    for form in ("PNG", "WEBP"):
        found = decode(encoded(Image.fromarray(drawn), form, lossless=True, exact=True))
        np.testing.assert_array_equal(found, np.full((20, 30, 3), (40, 80, 120)))
    drawn[..., 3] = 0
    with pytest.raises(ValueError, match="wholly transparent"):
        decode(encoded(Image.fromarray(drawn)))
    # Of a palette and of a grey image, one value may stand for transparent.
    for mode in ("P", "L"):
        image = Image.fromarray(np.repeat(np.uint8([[7, 200]]), 4, 0)).convert(mode)
        assert len(np.unique(decode(encoded(image, transparency=200)).reshape(-1, 3), axis=0)) == 1


def test_a_picture_with_many_in_it_and_one_of_a_format_that_starts_programs_are_refused():
    red, blue = Image.new("RGB", (9, 9), "red"), Image.new("RGB", (9, 9), "blue")
    for form in ("TIFF", "WEBP", "PNG"):
        with pytest.raises(ValueError, match="holds 2 pictures"):
            decode(encoded(red, form, save_all=True, append_images=[blue]))
    for form, name in (("EPS", "EPS"), ("GIF", "GIF"), ("PDF", "PDF"), ("AVIF", "AVIF")):
        with pytest.raises(ValueError, match=f"it is {name}; read are JPEG, PNG, WEBP, TIFF, BMP"):
            decode(encoded(red, form))
    with pytest.raises(ValueError, match="it is a web page"):
        decode(b"<!DOCTYPE html><title>404</title>")


def test_indices_without_a_palette_are_refused():
    data = encoded(Image.new("P", (6, 5)))
    begin = data.index(b"PLTE") - 4
    end = begin + 12 + struct.unpack(">I", data[begin : begin + 4])[0]
    with pytest.raises(ValueError, match="its colours are indices, and it has no palette"):
        open_picture(data[:begin] + data[end:], PHOTOGRAPHS)


def test_size_is_looked_at_before_anything_is_decoded():
    # A header alone: decoding would say that it is truncated.
    huge = png_of_16_bits(2, 3)[:8] + struct.pack(">I", 13) + b"IHDR"
    huge += struct.pack(">IIBBBBB", 60_000, 50_000, 8, 2, 0, 0, 0)
    huge += struct.pack(">I", zlib.crc32(huge[12:])) + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", 0)
    with pytest.raises(ValueError, match=r"60000 × 50000 pixels, more than max_pixels \(1000000\); make it smaller"):
        decode(huge, max_pixels=1_000_000)
    with pytest.raises(WrongSizeError) as refusal:
        open_picture(huge, PHOTOGRAPHS, None, (5, 6))
    assert refusal.value.size == (50_000, 60_000)
    limit = Image.MAX_IMAGE_PIXELS
    data = encoded(Image.new("1", (20_000, 9_000)))  # Pillow alone would refuse it
    assert open_picture(data, PHOTOGRAPHS, None).size == (20_000, 9_000)
    assert limit == Image.MAX_IMAGE_PIXELS


@given(seed=st.integers(0, 10**9))
def test_the_reason_is_the_same_whenever_the_bytes_are(seed):
    random = np.random.default_rng(seed)
    data = bytearray(encoded(Image.fromarray(random.integers(0, 255, (9, 11, 3), dtype=np.uint8)), "PNG"))
    for _ in range(random.integers(1, 4)):
        data[random.integers(len(data))] = random.integers(256)
    said = []
    for _ in range(2):
        try:
            decode(bytes(data), 10**6)
        except ValueError as error:
            said.append(str(error))
    assert len(set(said)) <= 1
    assert not said or (" at 0x" not in said[0] and len(said[0]) < 300)


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
