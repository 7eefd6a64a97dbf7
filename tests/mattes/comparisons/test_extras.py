"""Packages that only one method needs."""

import sys

import pytest

from matlabel.artifacts.errors import UserError
from matlabel.mattes.comparisons.extras import require


def test_an_installed_package_is_imported():
    assert require("json", method="knn", extra="pymatting") is sys.modules["json"]


def test_a_missing_package_is_named_with_its_extra():
    with pytest.raises(UserError, match=r'mattes\.method knn needs nowhere: pip install "matlabel\[pymatting\]"'):
        require("nowhere", method="knn", extra="pymatting")


def test_a_broken_package_keeps_its_traceback(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import nowhere")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        require("broken_package", method="knn", extra="pymatting")
