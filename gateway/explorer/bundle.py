"""Builds the explorer's files with node and npm. The installation runs it, and `python -m gateway.explorer.bundle`.

It needs nothing but Python itself, and must not fail an installation: whatever goes wrong is one line, and what was built
before stays. npm works in a folder of its own that is gone afterwards, so that no packages lie among the sources.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
_SOURCES: Final = ("index.html", "package.json", "public", "src", "tsconfig.json", "vite.config.ts")
_MARK: Final = "built-from"
_SECONDS: Final = 300
_INSTALL: Final = (
    *("install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000"),
)
_BUILD: Final = ("run", "build")


class _NotBuilt(Exception):
    """Why there is no new bundle, in one line."""


def main() -> int:
    """Build the bundle of this folder and say on stderr what became of it. Gives 0 where there is one of these sources."""
    try:
        told = build(FOLDER)
    except (_NotBuilt, OSError) as reason:
        print(f"explorer: not built: {reason}", file=sys.stderr)  # noqa: T201  (a command of its own)
        return 1
    print(f"explorer: {told}", file=sys.stderr)  # noqa: T201  (as above)
    return 0


def build(folder: Path) -> str:
    """Build `dist` of a folder unless it is of these sources, and say so. Raises `_NotBuilt` and `OSError`."""
    dist = folder / "dist"
    digest = _digest(folder)
    if (dist / "index.html").is_file() and (dist / _MARK).is_file() and (dist / _MARK).read_text(encoding="ascii") == digest:
        return "up to date"
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise _NotBuilt("it needs node 20.19 or later, and npm")
    with tempfile.TemporaryDirectory() as name:
        workplace = Path(name)
        _copy(folder, workplace)
        for arguments in (_INSTALL, _BUILD):
            _run(npm, arguments, workplace)
        (workplace / "dist" / _MARK).write_text(digest, encoding="ascii")
        _put(workplace / "dist", dist)
    return "built"


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in _files(folder):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _files(folder: Path) -> list[Path]:
    below = [path for name in _SOURCES for path in (folder / name).rglob("*")]
    return sorted(path for path in (*below, *(folder / name for name in _SOURCES)) if path.is_file())


def _copy(folder: Path, workplace: Path) -> None:
    for path in _files(folder):
        target = workplace / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _run(npm: str, arguments: tuple[str, ...], workplace: Path) -> None:
    try:
        subprocess.run(  # noqa: S603  (our own arguments, and the npm of whoever installs)
            [npm, *arguments], cwd=workplace, check=True, timeout=_SECONDS, stdin=subprocess.DEVNULL, capture_output=True
        )
    except subprocess.CalledProcessError as failed:
        raise _NotBuilt(f"npm {arguments[0]}: {_gist(failed.stderr or failed.stdout)}") from None
    except subprocess.TimeoutExpired:
        raise _NotBuilt(f"npm {arguments[0]} took longer than {_SECONDS} s") from None


def _gist(output: bytes) -> str:
    """Give the first line that names an error, or the last line."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "it failed and said nothing")


def _put(built: Path, dist: Path) -> None:
    """Put a bundle in the place of the last one; nobody sees half of it. Raises `OSError`."""
    arriving = Path(tempfile.mkdtemp(prefix="dist.", dir=dist.parent))
    shutil.copytree(built, arriving, dirs_exist_ok=True)
    arriving.chmod(0o755)
    shutil.rmtree(dist, ignore_errors=True)
    try:
        arriving.replace(dist)
    except OSError:
        shutil.rmtree(arriving)
        if not (dist / _MARK).is_file():  # else another build of the same sources was quicker
            raise


if __name__ == "__main__":
    sys.exit(main())
