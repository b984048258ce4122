"""What commands print, in pages: each ```console block of a page is run anew, in a folder with a copy of
the sample photos, and what it printed is written below each line that begins with "$ ".

python docs/making/console.py README.md docs/tutorials/*.md
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = f"""#!/bin/sh
exec {sys.executable} -c 'import sys; sys.argv[0] = "dss-search"
from dsslic_search.cli.main import main
main()' "$@"
"""


def commands(block: str) -> list[str]:
    """The lines of a block that are typed."""
    return [line[2:] for line in block.splitlines() if line.startswith("$ ")]


def environment(folder: Path) -> dict[str, str]:
    """That of a reader: ``dss-search`` in the path, an archive of his own, a home that is empty."""
    tools = folder / ".bin"
    tools.mkdir()
    (tools / "dss-search").write_text(COMMAND)
    (tools / "dss-search").chmod(0o755)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("DSS_")},
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "DSS_ARCHIVE": str(folder / "archive"),
        "COLUMNS": "100",
    }


def filled(page: str, folder: Path) -> str:
    """``page`` with what its commands print in ``folder``, one after the other."""
    shutil.copytree(ROOT / "samples", folder / "samples")
    variables = environment(folder)

    def printed(found: re.Match[str]) -> str:
        parts = []
        for line in commands(found[1]):
            ran = subprocess.run(
                ["bash", "-c", line],
                cwd=folder,
                env=variables,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            parts.append(f"$ {line}\n{ran.stdout.replace(f'{folder}/', '')}")
        return "```console\n" + "".join(parts) + "```"

    return BLOCK.sub(printed, page)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(name)
            page.write_text(filled(page.read_text(), Path(folder)))
