import subprocess
import sys

import yaml
from typer.testing import CliRunner

from matlabel import cli
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import FORMAT
from matlabel.stages import STAGES

runner = CliRunner()


def matlabel(*arguments, cwd=None):
    script = "from matlabel.cli import main; main()"
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=cwd)


def test_every_stage_is_a_command_with_a_line_of_help():
    commands = {command.callback.__name__: command.callback.__doc__ for command in cli.app.registered_commands}
    assert set(STAGES) <= set(commands)
    assert all(doc and doc.strip() for doc in commands.values())


def test_a_users_mistake_is_a_message_and_a_status_not_a_traceback(tmp_path):
    (tmp_path / "my.yaml").write_text("cam: {epoch: 3}\n")
    done = matlabel("validate", str(tmp_path / "my.yaml"), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('matlabel: config: unknown key cam.epoch (did you mean "epochs"?)')
    assert "Traceback" not in done.stderr


def test_a_config_that_is_no_yaml_is_said_to_be_none(tmp_path):
    (tmp_path / "my.yaml").write_text("cam: [\n")
    done = matlabel("validate", str(tmp_path / "my.yaml"), cwd=tmp_path)
    assert done.returncode == 2
    assert "my.yaml: not YAML" in done.stderr


def test_validate_prints_the_keys_and_writes_nothing(animals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainings = {stage: {"batch_size": 4} for stage in ("cam", "segmenter")}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump({"dataset": {"format": "folder", "path": "animals"}, **trainings}))
    result = runner.invoke(cli.app, ["validate", "my.yaml"])
    assert "my.yaml: valid. 12 images, 2 classes, 2 shards" in result.output
    assert not (tmp_path / "results").exists()


def test_a_settings_file_of_another_stage_is_refused(tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text(
        yaml.safe_dump({"format": FORMAT, "stage": "mattes", "key": "0" * 8, "classes": [], "settings": {}})
    )
    (tmp_path / "s.csv").write_text("")
    done = matlabel("dataset", "--settings", str(settings), "--dataset", str(settings), "--out", str(tmp_path / "o"))
    assert (done.returncode, "settings of stage mattes, expected dataset" in done.stderr) == (2, True)


def test_activations_are_read_from_the_one_source_that_the_settings_name(tmp_path):
    settings, file = tmp_path / "settings.yaml", tmp_path / "file"
    own = {"format": FORMAT, "stage": "activations", "key": "0" * 8, "classes": ["cat"]}
    own["settings"] = {"source": "files:maps"}
    settings.write_text(yaml.safe_dump(own))
    file.write_text("")
    given = ["activations", "--settings", settings, "--dataset", file, "--out", tmp_path / "out.h5"]
    for sources, message in (
        ([], "takes exactly one of --weights, --segmenter and --maps"),
        (["--weights", file, "--maps", file], "takes exactly one of --weights, --segmenter and --maps"),
        (["--segmenter", file], "activations.source is files:maps; give --maps"),
        (["--weights", file], "activations.source is files:maps; give --maps"),
    ):
        result = runner.invoke(cli.app, [str(part) for part in (*given, *sources)])
        assert isinstance(result.exception, UserError)
        assert message in str(result.exception)
