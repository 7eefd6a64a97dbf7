import io

import numpy as np
import pytest
from ablation_runs import run
from PIL import Image

from matlabel.ablation.figure import plot_png
from matlabel.ablation.table import table_of


@pytest.mark.parametrize("rows", [1, 4])
def test_every_row_and_method_is_seen(rows):
    runs = [
        run(f"r{row}.{method}", seed, method=method, shared=f"r{row}", labels=0.3 + 0.1 * row + 0.02 * seed)
        for row in range(rows)
        for method in ("none", "closed_form")
        for seed in (0, 1)
    ]
    with Image.open(io.BytesIO(plot_png(table_of(runs)))) as image:
        picture = np.asarray(image.convert("RGB")).astype(int)
    # Below the legend; only dots and lines have a colour, text and bands are grey.
    coloured = np.flatnonzero((np.ptp(picture, axis=2) > 60).any(axis=1))
    streaks = np.split(coloured, np.flatnonzero(np.diff(coloured) > 1) + 1)
    assert len(streaks) == 1 + 2 * rows
