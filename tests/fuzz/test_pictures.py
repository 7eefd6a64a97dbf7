"""Photographs, masks, trimaps and corrections: whatever the bytes, decoded or refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from fuzzing import fuzz, mutated
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from matlabel.artifacts.label_image import read_label_image, voc_palette
from matlabel.dataset.images import decode
from matlabel.mattes.single import read_trimap
from matlabel.trimaps.corrections import read_correction

RANDOM = np.random.default_rng(0)
COLOURS = Image.fromarray(RANDOM.integers(0, 256, (24, 30, 3), dtype=np.uint8))
MOST_PIXELS = 1_000_000


def encoded(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def palette(values):
    image = Image.fromarray(np.asarray(values, np.uint8)).convert("P")
    image.putpalette(voc_palette().tobytes())
    return image


def mended(seeds, random):
    """As `mutated`, half of the PNGs with checksums that are right again: what lies behind them is reached only so."""
    data = mutated(seeds, random)
    if not data.startswith(b"\x89PNG") or random.random() < 0.5:
        return data
    parts, place = [data[:8]], 8
    while place + 12 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        body = data[place + 4 : place + 8 + length]
        parts.append(data[place : place + 4] + body + struct.pack(">I", zlib.crc32(body)))
        place += 12 + length
    return b"".join(parts)


@pytest.fixture
def file(tmp_path):
    def write(data):
        (tmp_path / "a.png").write_bytes(data)
        return tmp_path / "a.png"

    return write


def test_photographs():
    exif, info = Image.Exif(), PngInfo()
    exif[0x0112] = 6
    info.add_text("comment", "x" * 1000, zip=True)
    seeds = [encoded(COLOURS, form, exif=exif) for form in ("JPEG", "PNG", "WEBP", "TIFF", "MPO")]
    seeds += [encoded(COLOURS, "BMP"), encoded(COLOURS, "PNG", pnginfo=info), encoded(COLOURS.convert("CMYK"), "JPEG")]
    seeds += [encoded(COLOURS.convert(mode), "PNG", transparency=3) for mode in ("P", "L")]
    seeds += [encoded(COLOURS, "TIFF", compression=kind) for kind in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")]
    seeds += [encoded(COLOURS, "JPEG", progressive=True), encoded(COLOURS.convert("RGBA"), "WEBP", lossless=True)]

    def read(data):
        assert decode(data, MOST_PIXELS).dtype == np.uint8

    fuzz(read, seeds, allowed=(ValueError,), make=mended)


def test_masks(file):
    labels = RANDOM.integers(0, 3, (24, 30))
    seeds = [encoded(palette(labels), "PNG"), encoded(palette(labels), "PNG", bits=2)]
    seeds += [encoded(Image.fromarray(labels.astype(np.uint8)), "PNG"), encoded(COLOURS, "PNG")]

    def read(data):
        mask = read_label_image(file(data), 2, (24, 30))
        assert mask.shape == (24, 30)
        assert set(np.unique(mask)) <= {0, 1, 2, 255}

    fuzz(read, seeds, make=mended)


def test_trimaps(file):
    values = RANDOM.choice([0, 128, 255], (24, 30)).astype(np.uint8)
    seeds = [encoded(Image.fromarray(values), form) for form in ("PNG", "TIFF", "JPEG", "BMP", "WEBP")]
    seeds += [encoded(palette(values), "PNG"), encoded(Image.fromarray(values.astype(np.uint16) * 257), "PNG")]

    def read(data):
        path = file(data)
        assert read_trimap(path, max_pixels=MOST_PIXELS).ndim == 2
        read_trimap(path, labels=True, max_pixels=MOST_PIXELS)

    fuzz(read, seeds, make=mended)


def test_corrections(file):
    drawn = np.zeros((24, 30, 4), np.uint8)
    drawn[2:8, 2:8], drawn[10:16, 2:20] = (128, 0, 0, 255), (0, 0, 0, 255)
    seeds = [encoded(Image.fromarray(drawn), "PNG"), encoded(Image.fromarray(drawn).quantize(8), "PNG")]

    def read(data):
        opinion = read_correction(file(data), (24, 30), [1], ["cat", "dog"])
        assert set(np.unique(opinion)) <= {-1, 0, 1, 255}

    fuzz(read, seeds, make=mended)
