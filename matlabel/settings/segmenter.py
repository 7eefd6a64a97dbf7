"""Settings of the stage segmenter."""

from typing import Annotated, Literal

from pydantic import Field

from matlabel.settings.base import free
from matlabel.settings.paths import PathText
from matlabel.settings.training import TrainingSettings


class SegmenterSettings(TrainingSettings):
    """DeepLabV3 on the pseudo-labels."""

    train: bool = free(True, description="false: stop at the pseudo-labels.")
    backbone: Literal["resnet18", "resnet34", "resnet50", "resnet101"] = "resnet50"
    weights: PathText = Field(
        "imagenet",
        description="Start of the trunk: imagenet, cam (the trained classifier's), none, or a state_dict file.",
    )
    target: Literal["labels", "margin", "soft"] = Field(
        "labels",
        description="Hard labels; weighted by their margin, the lead of the winning alpha; or the alphas themselves.",
    )
    atrous_rates: list[Annotated[int, Field(ge=1, le=256)]] = Field(
        [6, 12, 18], min_length=1, max_length=16, description="Dilations of DeepLabV3's pyramid."
    )
