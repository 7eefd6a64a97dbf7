"""Optional packages that only one method needs."""

import importlib
from types import ModuleType

from matlabel.artifacts.errors import UserError


def require(package: str, method: str, extra: str) -> ModuleType:
    """Import the optional package that a method needs, or say how to install it.

    Args:
        package: name of the module to import.
        method: the value of mattes.method that needs it, for the message.
        extra: the extra of matlabel that installs it.

    Raises:
        UserError: the package is not installed. One that is installed and broken keeps its traceback.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise UserError(f'mattes.method {method} needs {package}: pip install "matlabel[{extra}]"') from error
