"""Settings of the stage predictions."""

from matlabel.settings.base import free
from matlabel.settings.views import ViewsSettings


class PredictionsSettings(ViewsSettings):
    """How the segmenter's masks are read."""

    splits: list[str] | None = free(
        None, min_length=1, description="Splits to predict; not given: evaluation.splits, or all where there are none."
    )
