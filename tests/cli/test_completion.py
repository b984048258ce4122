"""What the shell completes: values of options that take one of a few names."""

from __future__ import annotations

import pytest

from dsslic_search.cli.main import command


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("query sky --format ", ["paths", "json", "jsonl", "csv", "parquet", "arrow"]),
        ("query sky --format js", ["json", "jsonl"]),
        ("query sky --engine s", ["sql"]),
        ("preview 1 --stage co", ["compact", "coarse"]),
        ("sheet a.png --stage f", ["full"]),
        ("previews out --stage m", ["map"]),
        ("previews out --format ", ["png", "jpg", "webp"]),
        ("decode a.dsslic --stage co", ["compact", "coarse"]),
        ("decode a.dsslic --format w", ["webp"]),
        ("ingest photos --keep ", ["layers", "exact", "reference", "coarse"]),
        ("encode a.jpg --stage ", ["coarse", "full"]),
        ("ingest photos --profile p", ["paper", "paper-444"]),
        ("labels export --format co", ["coco", "coco-panoptic"]),
        ("labels export --size ", ["map", "photo"]),
        ("labels import maps --format label", ["labelme", "label-studio"]),
        ("query sky --format nothing", []),
    ],
)
def test_values_are_completed(
    typed: str, offered: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"dss-search {typed}"
    monkeypatch.setenv("_DSS_SEARCH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    with pytest.raises(SystemExit):
        command()([], prog_name="dss-search")
    assert capsys.readouterr().out.split() == offered
