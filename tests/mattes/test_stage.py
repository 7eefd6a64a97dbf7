import numpy as np
import pytest

from matlabel.artifacts.errors import UserError
from matlabel.mattes import stage
from matlabel.settings.mattes import MattesSettings


@pytest.mark.parametrize("scale", ["auto", 1, 2, 4])
def test_the_unknown_follows_the_pictures_edge(scale):
    image = np.full((64, 80, 3), 60, np.uint8)
    image[:, 40:] = (200, 150, 90)
    image = (image + np.random.default_rng(0).integers(-5, 6, image.shape)).astype(np.uint8)
    trimap = np.full((64, 80), 255, np.uint8)
    trimap[:, :16], trimap[:, 64:] = 0, 3
    alphas = stage.solve(image, trimap, np.array([3], np.uint8), MattesSettings(scale=scale, epsilon=1e-5))
    truth = (np.arange(80) >= 40)[None].repeat(64, 0)
    assert ((alphas[1] > 0.5) == truth).mean() > 0.97


def test_closed_form_without_trimaps_is_refused(tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text("stage: mattes\nkey: '00000000'\nclasses: [cat]\nsettings: {}\n")
    with pytest.raises(UserError, match=r"mattes\.method closed_form needs --trimaps"):
        stage.run(settings, tmp_path / "s.csv", tmp_path / "a.h5", tmp_path / "out.h5")
