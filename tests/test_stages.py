"""The table of stages, and all that has to agree with it: who adds a stage and forgets a place is told here."""

import ast
import inspect
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from matlabel import cli
from matlabel.settings.config import StageSettings
from matlabel.stages import ABLATION, FOLDERS, REPORT, STAGES, position

ROOT = Path(__file__).parents[1]
NAMES = list(FOLDERS)
# Settings under which stages read something else.
CASES = [
    StageSettings.model_validate(
        {
            "labels": {"source": source},
            "mattes": {"method": method},
            "activations": {"source": activations, "from": "maps"},
            "segmenter": {"train": train, "target": target, "weights": weights},
        }
    )
    for source, method, activations, train, target, weights in product(
        ("mattes", "masks"),
        ("closed_form", "none"),
        ("cam", "segmenter:first", "files:maps"),
        (True, False),
        ("labels", "soft"),
        ("imagenet", "cam"),
    )
    if not (source == "masks" and target == "soft") and not (activations != "cam" and weights == "cam")
]


def test_stages_follow_what_they_read_and_read_it_under_some_settings():
    for name, stage in STAGES.items():
        for read in {read for case in CASES for read in stage.reads(case)}:
            assert position(read) < position(name), (name, read)
    for case in CASES:
        assert all(set(stage.reads_earlier(case)) <= set(STAGES) for stage in STAGES.values())


def test_each_stage_has_a_block_of_settings_in_the_same_order():
    assert list(StageSettings.model_fields) == list(STAGES)


@pytest.mark.parametrize("name", NAMES)
def test_each_stage_has_a_package_with_the_modules_that_its_command_calls(name):
    own = [getattr(case, name) for case in CASES] if name in STAGES else [None]
    for entry in {FOLDERS[name].entry(settings) for settings in own}:
        assert (ROOT / "matlabel" / name / f"{entry}.py").is_file(), entry


@pytest.mark.parametrize("name", NAMES)
def test_each_stage_is_a_command_whose_options_are_what_its_run_takes(name):
    [command] = [command for command in cli.app.registered_commands if command.callback.__name__ == name]
    options = set(inspect.signature(command.callback).parameters)
    taken: set[str] = set()
    for path in (ROOT / "matlabel" / name).glob("*stage.py"):
        [run] = [
            node
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name == "run"
        ]
        taken |= {argument.arg for argument in run.args.args}
    assert options == taken
    assert command.callback.__doc__.strip()


@pytest.mark.parametrize("name", NAMES)
def test_each_stage_has_a_rule_in_a_file_of_its_name_that_the_workflow_includes(name):
    text = (ROOT / f"workflow/rules/{name}.smk").read_text()
    assert re.findall(r"^(?:use )?rule (?:\w+ as )?(\w+)", text, flags=re.MULTILINE) == [name]
    assert f'include: "workflow/rules/{name}.smk"' in (ROOT / "Snakefile").read_text()
    for part in ("made_by", "leaves", "log_of", "digest"):
        assert name == ABLATION.name or f'{part}("{name}")' in text, part


@pytest.mark.parametrize("name", NAMES)
def test_the_page_on_artifacts_says_what_each_stage_reads_and_leaves(name):
    stage = FOLDERS[name]
    [row] = re.findall(
        rf"^\| `{name}` \| (.*)\| (.*) \|$", (ROOT / "docs/artifacts.md").read_text(), flags=re.MULTILINE
    )
    reads = {read for case in CASES for read in (*stage.reads(case), *stage.reads_earlier(case))}
    if name not in (REPORT.name, ABLATION.name):
        assert set(re.findall(r"`(\w+)`", row[0])) == reads
    assert re.findall(r"`(.+?)`", row[1]) == [part for part in (stage.main, *stage.beside, stage.png) if part]


def test_the_table_imports_nothing_of_ours():
    script = (
        "import sys, matlabel.stages; print(*[name for name in sys.modules if name.startswith(('matlabel', 'torch'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["matlabel", "matlabel.stages"]
