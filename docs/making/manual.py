"""The manual page out of docs/cli.md, which is the commands' help, made while a wheel is built.

python docs/making/manual.py | man -l -
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMMANDS = Path(__file__).parents[1] / "cli.md"
SECTION = re.compile(r"^## dss-search ?(.*?)\n\n```\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
HEAD = r"""DSS\-SEARCH 1 "" "dsslic\-search {version}" "User Commands"
.SH NAME
dss\-search \- store photos small, and ask exactly what is in them
.SH SYNOPSIS
.B dss\-search
.RI [ OPTIONS ]
.I COMMAND
.RI [ ARGUMENTS ]
.SH DESCRIPTION"""
ENVIRONMENT = {
    "DSS_ARCHIVE": "the archive, where no --archive names one",
    "DSS_MAX_PIXELS": "larger photos are refused",
    "DSS_WAIT": "seconds that are waited for another process that writes",
    "DSS_PRESENCE": "the coverage from which every class counts as present",
    "DSS_HEMISPHERE": "north or south: whose seasons are meant",
    "DSS_OBJECTS": "a bucket for the files of new archives",
    "DSS_CATALOG": "a database for their catalogs",
    "DSS_CLASSES": "a class list in place of the one that ships",
    "DSS_VOCABULARIES": "a folder of other class lists",
    "DSS_CACHE": "the folder of pictures that serve keeps",
    "DSS_SERVE_BODY, DSS_SERVE_UPLOAD, DSS_SERVE_SECONDS, DSS_SERVE_PIXELS, DSS_SERVE_ROWS, "
    "DSS_SERVE_EXPORTED, DSS_SERVE_RATE, DSS_SERVE_DECODERS, DSS_SERVE_WAITING, DSS_SERVE_CACHE, "
    "DSS_SERVE_SHARDS": "what may be asked of serve: docs/http-api.md",
    "NO_COLOR": "pictures and bars without colours",
}
EXITS = {
    "0": "all done",
    "1": "error",
    "2": "the command or query makes no sense",
    "3": "partly done",
    "130": "interrupted",
}


def manual(version: str = "") -> str:
    """The whole page, as man(7) markup."""
    (_, whole), *sections = SECTION.findall(COMMANDS.read_text())
    parts = [".TH " + HEAD.format(version=escaped(version)).rstrip(), _as_it_is(whole), ".SH COMMANDS"]
    for words, text in sections:
        parts += [f".SS {escaped(words)}", _as_it_is(text)]
    for title, entries in (("ENVIRONMENT", ENVIRONMENT), ("EXIT STATUS", EXITS)):
        parts.append(f".SH {title}")
        parts += [f".TP\n.B {escaped(name)}\n{escaped(meaning)}" for name, meaning in entries.items()]
    return "\n".join(parts) + "\n"


def _as_it_is(text: str) -> str:
    return f".nf\n{escaped(text)}\n.fi"


def escaped(text: str) -> str:
    """``text`` so that roff shows it as it is: no line of it is a request."""
    lines = text.replace("\\", r"\e").replace("-", r"\-").splitlines()
    return "\n".join(rf"\&{line}" if line[:1] in (".", "'") else line for line in lines)


class ManualPage(BuildHookInterface[Any]):
    """Adds it to a wheel, as share/man/man1/dss-search.1."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self.folder = tempfile.TemporaryDirectory()
        page = Path(self.folder.name) / "dss-search.1"
        page.write_text(manual(self.metadata.version))
        build_data["shared_data"][str(page)] = "share/man/man1/dss-search.1"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self.folder.cleanup()


if __name__ == "__main__":
    sys.stdout.write(manual())
