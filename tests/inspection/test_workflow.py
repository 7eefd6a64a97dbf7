"""Which config is meant: merged as Snakemake merges it, given on a command line as Snakemake takes it."""

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from matlabel.artifacts.errors import UserError
from matlabel.inspection.options import ConfigFiles, ConfigValues, ManyValues
from matlabel.inspection.workflow import find_workflow


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text("")
    (tmp_path / "config.yaml").write_text("cam: {epochs: 3, lr: 0.1}\nseeds: [0]\n")
    (tmp_path / "a.yaml").write_text("cam: {epochs: 5}\nlabels: {margin: 0.1}\n")
    (tmp_path / "b.yaml").write_text("labels: {margin: 0.2}\nseeds: [1, 2]\n")
    return tmp_path


def test_without_files_it_is_the_workflows_own_config(folder):
    assert find_workflow().config() == {"cam": {"epochs": 3, "lr": 0.1}, "seeds": [0]}


def test_files_replace_the_workflows_own_and_later_ones_come_over_earlier_ones(folder):
    found = find_workflow(configfiles=[folder / "a.yaml", folder / "b.yaml"]).config()
    assert found == {"cam": {"epochs": 5}, "labels": {"margin": 0.2}, "seeds": [1, 2]}


def test_values_come_over_both_block_by_block(folder):
    assert find_workflow(values=["cam={lr: 1e-3}"]).config()["cam"] == {"epochs": 3, "lr": "1e-3"}
    found = find_workflow(configfiles=[folder / "a.yaml"], values=["cam={lr: 1e-3}", "device=cpu"]).config()
    assert (found["cam"], found["device"]) == ({"epochs": 5, "lr": "1e-3"}, "cpu")


def test_a_mistake_is_one_message(folder):
    (folder / "bad.yaml").write_text("a: [")
    with pytest.raises(UserError, match=r"bad\.yaml"):
        find_workflow(configfiles=[folder / "bad.yaml"]).config()
    with pytest.raises(UserError, match="--config cam"):
        find_workflow(values=["cam"]).config()


def test_several_values_follow_one_option_as_snakemake_takes_them(folder):
    app = typer.Typer()

    @app.command(cls=ManyValues)
    def show(
        name: str, configfile: ConfigFiles, config: ConfigValues, yes: Annotated[bool, typer.Option("--yes")] = False
    ) -> None:
        typer.echo([name, [path.name for path in configfile], config, yes])

    words = ["x", "--configfile", "a.yaml", "b.yaml", "--config", "seeds=[1]", "cam={lr: 2}", "--yes"]
    assert (
        CliRunner().invoke(app, words).output.strip()
        == "['x', ['a.yaml', 'b.yaml'], ['seeds=[1]', 'cam={lr: 2}'], True]"
    )
    assert CliRunner().invoke(app, ["x"]).output.strip() == "['x', [], [], False]"
