import subprocess
import sys

from matlabel.runs.sources import PACKAGE


def test_the_commands_import_no_torch_and_the_command_line_none_of_them():
    names = [f"matlabel.inspection.{path.stem}" for path in (PACKAGE / "inspection").glob("*.py")]
    heavy = "{'torch', 'snakemake', 'matlabel.inspection.status', 'matlabel.inspection.diff'} & set(sys.modules)"
    code = f"import sys, importlib; import matlabel.cli; assert not {heavy}, {heavy}"
    code += f"; [importlib.import_module(name) for name in {names}]; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(PACKAGE.parent)})
