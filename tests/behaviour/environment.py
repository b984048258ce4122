"""The environment that every record is made in, and the build that is recorded."""

from __future__ import annotations

import os
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]  # which this recorder belongs to
FIXED = {
    "COLUMNS": "100",
    "HF_HUB_OFFLINE": "1",
    "LC_ALL": "C.UTF-8",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONSAFEPATH": "1",  # the folder that Python is started in holds no modules
    "PYTHONUTF8": "1",
    "TERM": "dumb",
    "TZ": "UTC",
}
UNSET = (
    "DSS_ARCHIVE",
    "DSS_MAX_PIXELS",
    "DSS_PRESENCE",
    "DSS_VOCABULARIES",
    "COLORTERM",
    "NO_COLOR",
    "TMUX",
    "TERM_PROGRAM",
)


def settle(module: str = "tests.behaviour") -> None:
    """Start this program anew where the environment is another one than that of records: threads, the time
    zone and what modules are found are settled when Python starts."""
    wanted = {name: value for name, value in os.environ.items() if name not in UNSET} | FIXED
    paths = [str(TREE), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    wanted["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(str(Path(path).resolve()) for path in paths))
    if wanted != dict(os.environ):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], wanted)


def choose(source: Path) -> None:
    """From now on ``dsslic_search`` is the one in the tree ``source``, here and in processes started here."""
    sys.path.insert(0, str(source))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(source), os.environ["PYTHONPATH"]])
