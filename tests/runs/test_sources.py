import subprocess
import sys

from matlabel.runs import sources
from matlabel.stages import STAGES

ENTRIES = [*((stage, "stage") for stage in STAGES), ("activations", "segmenter_stage"), ("activations", "files_stage")]


def names(stage, entry="stage"):
    return {str(path.relative_to(sources.PACKAGE)) for path in sources.sources(stage, entry)}


def test_no_stage_imports_another_or_the_command_line():
    for stage, entry in ENTRIES:
        found = names(stage, entry)
        others = {name.split("/")[0] for name in found} & set(STAGES) - {stage}
        # The data's readers are below every stage; its jobs are not.
        assert others <= {"dataset"}, stage
        assert "cli.py" not in found
        assert stage == "dataset" or "dataset/stage.py" not in found
        assert not any(name.startswith("runs") for name in found), stage


def test_activations_depend_on_the_code_of_their_own_source_alone():
    classifier, segmenter, files = (names("activations", entry) for _, entry in (ENTRIES[2], *ENTRIES[-2:]))
    assert "networks/classifier.py" in classifier - segmenter - files
    assert "networks/segmenter.py" in segmenter - classifier - files
    assert "activations/maps_file.py" in files - classifier - segmenter
    assert "networks/backbone.py" not in files


LOADED = """
import sys
import matlabel.{stage}.{entry}
print(*(module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "matlabel"), sep="\\n")
"""


def test_every_file_that_a_stage_loads_is_among_its_sources():
    # Torch takes seconds to import: one stage with it and two without stand for the others.
    for stage, entry in (("cam", "stage"), ("trimaps", "stage"), ("report", "stage"), ("activations", "files_stage")):
        script = LOADED.format(stage=stage, entry=entry)
        loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        assert set(loaded.split()) <= {str(path) for path in sources.sources(stage, entry)}, stage


def test_matting_does_not_concern_the_classifier():
    assert "mattes/closed_form.py" in names("mattes")
    assert not any(name.startswith(("cam", "networks")) for name in names("mattes"))
    assert "settings/cam.py" not in names("mattes")
    assert "mattes/closed_form.py" not in names("cam") | names("activations") | names("report")


def test_planning_loads_no_torch():
    script = "import sys, matlabel.runs; sys.exit('torch' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
