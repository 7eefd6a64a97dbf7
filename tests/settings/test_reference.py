"""The files generated from the settings are current: `make docs` writes them."""

from pathlib import Path

from matlabel.settings.reference import reference_text, schema_text

ROOT = Path(__file__).parents[2]


def test_the_schema_is_current():
    assert (ROOT / "workflow/schemas/config.schema.yaml").read_text() == schema_text()


def test_the_reference_of_keys_is_current():
    assert (ROOT / "docs/config.md").read_text() == reference_text()
