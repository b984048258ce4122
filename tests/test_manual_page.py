"""The manual page has every command with its help, and roff shows it as it is."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from dsslic_search.cli.reference import commands
from dsslic_search.web.limits import Limits

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def making() -> ModuleType:
    spec = importlib.util.spec_from_file_location("manual", ROOT / "docs" / "making" / "manual.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_has_its_section(making: ModuleType):
    named = re.findall(r"^\.SS (.*)$", making.manual(), re.MULTILINE)
    assert named == [making.escaped(" ".join(words)) for words in commands()[1:]]


def test_every_setting_of_the_environment_is_named(making: ModuleType):
    package = ROOT / "dsslic_search"
    code = [path.read_text() for path in package.rglob("*.py") if path.parent != package / "bench"]
    read = {name for text in code for name in re.findall(r'"(DSS_[A-Z_]*[A-Z])"', text)}
    limits = {f"DSS_SERVE_{each.name.upper()}" for each in fields(Limits)}
    told = {name for names in making.ENVIRONMENT for name in names.split(", ")}
    assert told == read | limits | {"NO_COLOR"}


@pytest.mark.parametrize(
    ("text", "shown"), [(".x", r"\&.x"), ("'x\n y", "\\&'x\n y"), (r"a\b", r"a\eb"), ("--all", r"\-\-all")]
)
def test_no_line_of_help_is_taken_for_a_request(making: ModuleType, text: str, shown: str):
    assert making.escaped(text) == shown


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff, which shows manual pages")
def test_groff_shows_it_without_a_complaint(making: ModuleType):
    command = ["groff", "-man", "-Tutf8", "-ww", "-K", "utf8"]
    shown = subprocess.run(command, input=making.manual("1.2"), capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    plain = re.sub(r"\x1b\[[\d;]*m|.\x08", "", shown.stdout)
    assert "Usage: dss-search query " in plain
    assert "DSS_ARCHIVE" in plain
