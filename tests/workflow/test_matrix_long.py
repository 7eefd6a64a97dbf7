"""The rerun matrix without gaps: every setting that the models know, every file of the package."""

import pytest
from test_matrix import JOBS, changed
from test_plan import other_values, settings_of
from tiny import ROOT, TINY, clone

from matlabel.artifacts.errors import UserError
from matlabel.runs import Plan
from matlabel.runs.sources import sources
from matlabel.settings.config import StageSettings, load_config
from matlabel.stages import REPORT, STAGES

pytestmark = [pytest.mark.workflow, pytest.mark.long]

# Another data set is no other setting of this one.
SETTINGS = [path for path, _ in settings_of(StageSettings) if path[0] != "dataset"]
SETTLED = load_config(TINY)[1]["default"]
FIELDS = dict(settings_of(StageSettings))
FILES = sorted(str(path.relative_to(ROOT / "matlabel")) for path in (ROOT / "matlabel").rglob("*.py"))


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    """The finished run in another place, of another checkout."""
    return finished.moved(tmp_path_factory.mktemp("moved"), clone(tmp_path_factory.mktemp("checkout")))


def with_setting(path, value, companion):
    config = changed(**{path[0]: {}, **companion})
    inner = config[path[0]]
    for name in path[1:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    return config


def keys(config):
    plan = Plan(config)
    return {**plan.chains["default", 0], "report": plan.report.key}


def value_of(config, path):
    """A setting in a config, or its default."""
    value = config
    for name in path:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    return FIELDS[path].get_default(call_default_factory=True) if value == {} else value


def another(path):
    """A valid config that differs in one setting, or in what that setting needs as well; and its keys."""
    default = FIELDS[path].get_default(call_default_factory=True)
    for companion in ({}, {"segmenter": {"weights": "none"}}):
        for value in [*other_values(FIELDS[path]), ["train"], ["val"], "old.pt", default]:
            config = with_setting(path, value, companion)
            try:
                after = keys(config)
            except (UserError, TypeError):
                continue
            if value_of(config, path) != value_of(TINY, path):
                return config, after
    return pytest.fail(f"no other value found for {'.'.join(path)}")


@pytest.mark.parametrize("path", SETTINGS, ids=".".join)
def test_a_setting_runs_the_stages_whose_keys_it_moves_and_back_again_none(run, monkeypatch, path):
    monkeypatch.chdir(run.folder)
    for name in ("other", "maps"):
        (run.folder / name).mkdir(exist_ok=True)
    for image in (run.folder / "animals/images").iterdir():
        (run.folder / f"maps/{image.stem}.npz").write_bytes(b"")
    for name in ("labels.csv", "old.pt"):
        (run.folder / name).write_text("")
    before = keys(TINY)
    config, after = another(path)
    run.config(config)
    planned = run.planned()
    if (FIELDS[path].json_schema_extra or {}).get("free"):
        # No key moves, but there may be more or less to make.
        assert set(planned) <= {"evaluation", "report"} or path[-1] in ("splits", "label_splits")
    else:
        moved = {stage for stage in after if after[stage] != before.get(stage)}
        assert set(planned) == moved
        assert path[0] in moved or path[0] not in after
    run.config(TINY)
    assert keys(TINY) == before


def test_after_all_that_the_first_config_runs_nothing(run):
    assert run.planned() == {}


@pytest.mark.parametrize("name", FILES)
def test_an_edited_file_runs_the_stages_in_whose_import_closure_it_is(run, name):
    path = run.checkout / "matlabel" / name
    expected = set()
    for stage in STAGES:
        reads = set(STAGES) - {stage} if stage == REPORT.name else STAGES[stage].reads(SETTLED)
        if ROOT / "matlabel" / name in sources(stage) or expected & set(reads):
            expected.add(stage)
    text = path.read_text()
    path.write_text(text + "# edited\n")
    try:
        assert run.planned() == {stage: JOBS[stage] for stage in STAGES if stage in expected}
    finally:
        path.write_text(text)
