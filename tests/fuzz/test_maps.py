"""Maps of one's own, damaged."""

import io

import numpy as np
from fuzzing import fuzz

from matlabel.activations.maps_file import read_maps

NAMES = ["cat", "dog", "sheep"]


def saved(save, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


MAPS = np.linspace(0, 1, 48, dtype=np.float32).reshape(2, 4, 6)
SEEDS = [
    saved(np.savez, classes=[1, 3], maps=MAPS),
    saved(np.savez_compressed, classes=np.array(["sheep", "cat"]), maps=MAPS, background=MAPS[0]),
    saved(np.savez, classes=np.array([1, 3], np.uint8), maps=(255 * MAPS).astype(np.uint8)),
    saved(np.savez, classes=[3, 1], maps=np.asfortranarray(MAPS.astype(">f8")), background=MAPS[1]),
]


def test_damaged_maps_are_read_or_refused():
    def read(content: bytes) -> None:
        found = read_maps("maps/a.npz", content, [1, 3], NAMES, 4.0, (16, 24)).probabilities
        assert len(found) == 3
        np.testing.assert_allclose(found.sum(0), 1, rtol=1e-5)

    assert fuzz(read, SEEDS, examples=600) >= 600
