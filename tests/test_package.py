"""The package as others get it: its version, what it offers, its types, and all its files in the wheel."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import dsslic_search
from dsslic_search.codec import container
from tests.lowest import PROJECT, lowest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    return zipfile.ZipFile(next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


def test_the_change_log_begins_with_this_version():
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == dsslic_search.__version__


def test_the_wheel_is_of_this_version_and_typed(wheel: zipfile.ZipFile):
    metadata = wheel.read(f"dsslic_search-{dsslic_search.__version__}.dist-info/METADATA").decode()
    assert f"\nVersion: {dsslic_search.__version__}\n" in metadata
    assert "dsslic_search/py.typed" in wheel.namelist()


NOT_IN_THE_WHEEL = {Path("weights/lpips.safetensors")}  # which measures alone need


@pytest.mark.parametrize("folder", ["dsslic_search", "migrations", "weights"])
def test_the_wheel_has_every_file(wheel: zipfile.ZipFile, folder: str):
    paths = [path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()]
    files = {path for path in paths if "__pycache__" not in path.parts} - NOT_IN_THE_WHEEL
    assert files
    inside = {str(path if folder == "dsslic_search" else "dsslic_search" / path) for path in files}
    assert inside <= set(wheel.namelist())
    assert not {f"dsslic_search/{path}" for path in NOT_IN_THE_WHEEL} & set(wheel.namelist())
    assert all((ROOT / path).is_file() for path in NOT_IN_THE_WHEEL)


def test_the_wheel_has_the_manual_page(wheel: zipfile.ZipFile):
    (page,) = [name for name in wheel.namelist() if name.endswith("data/share/man/man1/dss-search.1")]
    assert b".SS query" in wheel.read(page)


def test_the_wheel_is_small(wheel: zipfile.ZipFile):
    assert sum(entry.compress_size for entry in wheel.infolist()) < 26_000_000


def test_what_the_package_offers_is_listed_before_it_is_asked_for():
    script = "import dsslic_search, sys; print(*dir(dsslic_search), '|', *sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True, cwd=ROOT
    )
    offered, imported = (part.split() for part in said.stdout.split("|"))
    assert {"Archive", "__version__", "decode", "encode"} <= set(offered)
    assert [name for name in imported if name.startswith("dsslic_search.")] == []
    assert "numpy" not in imported


def test_what_the_package_offers_is_there():
    assert all(hasattr(dsslic_search, name) for name in dir(dsslic_search))
    with pytest.raises(AttributeError, match="no attribute 'Archiv'"):
        dsslic_search.Archiv  # noqa: B018  (the access itself is what fails)


def test_the_change_log_says_which_version_brought_what_stands_in_files_and_catalogs():
    table = (ROOT / "CHANGELOG.md").read_text().partition("\n## ")[0]
    format_page = (ROOT / "docs" / "format.md").read_text()
    chunks = re.findall(r"^\| `(\w{4})` \| ([\d, ]+) \|", format_page, re.MULTILINE)
    assert len(chunks) == len(container.ORDER)
    for kind, codecs in chunks:
        brought = re.findall(rf"`{kind}` ([\d, and]+)", table)
        assert sorted(re.findall(r"\d+", " ".join(brought))) == codecs.split(", "), kind
    for migration in (ROOT / "migrations" / "versions").glob("*.py"):
        assert f"`{migration.name[:4]}`" in table


def test_every_package_has_a_lowest_version_and_is_pinned_not_below_it():
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().lower().splitlines()[1:]
    )
    for name, version in lowest(PROJECT.read_text()):
        parts, least = ([int(n) for n in re.findall(r"\d+", text)] for text in (pinned[name], version))
        assert parts >= least, f"constraints.txt pins {name}=={pinned[name]}, pyproject.toml wants {version}"


@pytest.mark.parametrize("text", ["numpy", "numpy==2.0", "numpy>=2.0,<3", "numpy>=1.26"])
def test_a_package_without_one_lowest_version_is_named(text: str):
    project = f"""
        build-system.requires = ["hatchling>=1.27"]
        project = {{name = "p", dependencies = ["{text}"], optional-dependencies = {{more = ["numpy>=2.0"]}}}}
    """
    with pytest.raises(ValueError, match=r"numpy.*lowest version"):
        dict(lowest(project))
