"""Settings of the stage report."""

from pydantic import Field

from matlabel.settings.base import Settings


class ReportSettings(Settings):
    """The page at the end."""

    title: str = Field("matlabel", max_length=200)
    gallery: int = Field(12, ge=0, le=200, description="Images shown for each variant.")
    thumbnail: int = Field(180, ge=64, le=800, description="Long side of a picture in the gallery, in pixels.")
