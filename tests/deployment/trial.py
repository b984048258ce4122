"""The page's commands and files, and having a machine do them."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.deployment.machines import Machine, Network

PAGE = Path(__file__).parents[2] / "docs" / "deployment.md"
HEADING = re.compile(r"^#{2,3} (.*)$")
NAMED = re.compile(r"`(/[^`]+)`(?: [^`]*)?:$")
"""The line before a block that is a file."""


@dataclass(frozen=True)
class Block:
    """A block of the page: a file, or commands."""

    section: str
    kind: str
    text: str
    file: str | None


def blocks(page: str) -> list[Block]:
    """All blocks of a page, in order."""
    found: list[Block] = []
    section, last = "", ""
    lines = iter(page.splitlines())
    for line in lines:
        if heading := HEADING.match(line):
            section = heading[1]
        if line.startswith("```"):
            text = "".join(f"{each}\n" for each in iter(lambda: next(lines), "```"))
            named = NAMED.search(last)
            found.append(Block(section, line[3:], text, named[1] if named else None))
        if line.strip():
            last = line
    return found


def say(text: str) -> None:
    """Tell what is being done."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


@dataclass
class Trial:
    """``photos``: pictures to put in; ``before``: an earlier version; ``layer``: what installing the program
    writes, kept from one trial to the next."""

    net: Network
    photos: list[Path]
    before: str
    layer: Path
    page: list[Block] = field(default_factory=lambda: blocks(PAGE.read_text()))

    def installed(self) -> Path:
        """The folder of a disk with the program on it, as the page has it installed."""
        if not self.layer.is_dir():
            machine = self.net.machine("installer", 99)
            machine.boot()
            machine.run("rm -rf /opt/dss-search /usr/local/bin/dss-search")  # which a tree may have
            self.do(machine, "The program")
            self.do(machine, "Each machine", only=slice(0, 1))
            self.first_files(machine)
            self.give(machine, "/srv/first", self.photos[:1])
            machine.run("photos ingest /srv/first; rm -r /srv/first /var/lib/dss-search/archive")  # compiles
            machine.kill()
            (machine.disk / "upper").rename(self.layer)
        return self.layer

    def file(self, path: str) -> str:
        """What the page has in a file, where it stands first."""
        return next(block.text for block in self.page if block.file == path)

    def first_files(self, machine: Machine) -> None:
        """The command that every part uses, and where it looks."""
        for path in "/etc/dss-search.env", "/usr/local/bin/photos":
            machine.write(path, self.file(path))
        machine.run("chmod 755 /usr/local/bin/photos")

    def do(self, machine: Machine, section: str, *, only: slice = slice(None), **other: str) -> str:
        """Do the blocks of a section as they stand, with ``other`` in the place of words."""
        told = ""
        chosen = [block for block in self.page if block.section == section][only]
        if not chosen:
            raise LookupError(f"the page has no such section: {section}")
        for block in chosen:
            text = block.text
            for word, value in other.items():
                text = text.replace(word.replace("_", "-"), value)
            if block.file:
                say(f"{machine.name}: writes {block.file}")
                machine.write(block.file, text)
            elif block.kind == "sh":
                say(f"{machine.name}: {section}: {' | '.join(text.splitlines())}")
                told += machine.run(text)
        return told

    def give(self, machine: Machine, folder: str, photos: list[Path]) -> None:
        """Put photos into a folder of a machine."""
        machine.run(f"install -d -m 755 {folder}")
        for photo in photos:
            machine.write(f"{folder}/{photo.name}", photo.read_bytes())


def holds(what: str, truth: object) -> None:
    """Tell that something is so; end where it is not."""
    if not truth:
        raise AssertionError(what)
    say(f"    holds: {what}")
