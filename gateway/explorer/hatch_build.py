"""The installation's hook: it has the explorer built where that is possible, and goes on in any case."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ExplorerHook(BuildHookInterface):
    """Runs before a wheel is made, an editable one too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have the bundle built by a process of its own, so that nothing of it can fail the installation."""
        del version, build_data
        script = Path(self.root, "gateway", "explorer", "bundle.py")
        subprocess.run([sys.executable, str(script)], check=False)  # noqa: S603  (our own script)
