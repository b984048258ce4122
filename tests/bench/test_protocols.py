"""Results counted as in the paper and as here, on made-up results with known answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from dsslic_search.bench import plot
from dsslic_search.bench import protocols as bench
from dsslic_search.cli.main import main
from dsslic_search.core.errors import UsageError

RATES, QUALITIES = (0.05, 0.1, 0.2, 0.5, 1.2, 3.0), (23.0, 26.0, 29.0, 33.0, 38.0, 44.0)


def result(codec: str, factor: float, layers: float = 1.0) -> dict[str, object]:
    """A codec that needs ``factor`` times the bits; ``layers``: which share of them is in its layers."""
    means = [
        {
            "setting": place,
            "bpp": factor * rate,
            "psnr_rgb": quality,
            "ms_ssim": 1 - 10 ** (-quality / 20),
            "ms_ssim_db": quality / 2,
            "lpips": 10 ** (-quality / 20),
            "bpp_by_part": {
                "header": factor * rate * (1 - layers),
                "map": factor * rate * layers / 4,
                "compact": factor * rate * layers / 4,
                "residual": factor * rate * layers / 2,
            },
        }
        for place, (rate, quality) in enumerate(zip(RATES, QUALITIES, strict=True))
    ]
    return {"codec": codec, "label": codec.upper(), "mean": means, "rows": []}


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    found = tmp_path / "first", tmp_path / "second"
    for folder in found:
        folder.mkdir()
    for name, factor, layers in (
        ("dsslic", 0.9, 1),
        ("bpg444", 1.0, 1),
        ("bpgrgb", 2.0, 1),
        ("dsslic-paper", 9, 1),
    ):
        (found[0] / f"{name}.json").write_text(json.dumps(result(name, factor, layers)))
    (found[0] / "comparison.json").write_text(json.dumps({"anchor": "bpg444"}))
    (found[1] / "dsslic-paper.json").write_text(json.dumps(result("dsslic-paper", 1.6, 0.75)))
    return list(found)


def test_each_protocol_counts_its_own_way(folders: list[Path]) -> None:
    found = bench.run(folders)
    paper, honest = found["paper"], found["honest"]
    rates = paper["bd_rate_percent"], honest["bd_rate_percent"]
    assert rates[0]["dsslic-paper"]["psnr_rgb"]["all"]["percent"] == pytest.approx(-40, abs=0.1)  # 1.2 of 2
    assert rates[1]["dsslic-paper"]["psnr_rgb"]["all"]["percent"] == pytest.approx(60, abs=0.1)
    assert rates[1]["dsslic"]["psnr_rgb"]["all"]["percent"] == pytest.approx(-10, abs=0.1)
    assert rates[1]["bpgrgb"]["ms_ssim_db"]["all"]["percent"] == pytest.approx(100, abs=0.1)
    assert set(rates[0]) == {"dsslic-paper"}
    assert [point["rate"] for point in paper["points"]["bpgrgb"]] == pytest.approx(
        [2 * rate / 3 for rate in RATES], abs=1e-6
    )
    assert [point["rate"] for point in paper["points"]["dsslic-paper"]] == pytest.approx(
        [0.4 * rate for rate in RATES], abs=1e-6
    )
    assert [point["rate"] for point in honest["points"]["dsslic-paper"]] == pytest.approx(
        [1.6 * rate for rate in RATES]
    )
    told = "\n".join(bench.table(found))
    assert "paper: dsslic-paper against bpgrgb" in told
    assert "-40.0" in told


def test_results_that_are_missing_are_named(folders: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results of DSSLIC"):
        bench.run([tmp_path])
    (folders[0] / "bpg444.json").unlink()
    with pytest.raises(UsageError, match="no results of bpg444"):
        bench.run(folders)


def test_the_command_writes_and_draws(folders: list[Path], tmp_path: Path, monkeypatch, capsys) -> None:
    out, drawn = tmp_path / "out.json", tmp_path / "drawn"
    words = ["bench", "protocols", "--out", out, "--plots", drawn]
    words += [word for folder in folders for word in ("--results", folder)]
    monkeypatch.setattr(sys, "argv", ["dss-search", *map(str, words)])
    with pytest.raises(SystemExit, match=r"^0$"):
        main()
    assert json.loads(out.read_text())["paper"]["anchor"] == "bpgrgb"
    assert "bpgrgb" in capsys.readouterr().err
    for name, protocol in bench.PROTOCOLS.items():
        assert all(path.stat().st_size > 1000 for path in plot.files(drawn / name))
        assert protocol.rate in (drawn / name / "psnr.svg").read_text()
