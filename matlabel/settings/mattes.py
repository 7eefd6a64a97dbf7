"""Settings of the stage mattes."""

from typing import Literal

from pydantic import Field

from matlabel.settings.base import Settings


class MattesSettings(Settings):
    """How the unknown region is decided."""

    method: Literal["closed_form", "none"] = Field(
        "closed_form", description="closed_form: Levin et al. 2008, all labels in one system. none: the activations."
    )
    scale: Literal["auto", 1, 2, 4] = Field("auto", description="Solve on the image, its half or its quarter.")
    epsilon: float = Field(1e-7, gt=0, description="Added to the colour covariance of a window; larger smooths.")
    radius: int = Field(1, ge=1, le=5, description="Windows are 2 radius + 1 pixels wide.")
