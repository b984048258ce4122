"""Loops as machine code: kept under a name that says what it depends on, found again, and done without. The
label map's walk stands for all of them."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace

import llvmlite.binding as llvm
import numpy as np
import pytest

from dsslic_search.codec import machine_code
from dsslic_search.codec.layers.label_map import coder, machine, native, start, walk
from dsslic_search.codec.machine_code import MachineCode


@pytest.fixture(scope="module", autouse=True)
def made_anew(each_time: None) -> None:
    """See `tests/once.py`."""


@pytest.fixture
def kept() -> bytes:
    """What lies on disk once the walk has been compiled."""
    assert native.is_compiled()
    name = native.WALK.file_name()
    return next(
        code for folder in machine_code._folders() if (code := machine_code._read(folder / name)) is not None
    )


@pytest.fixture
def afresh() -> Iterator[None]:
    """As in a process that has not asked for the walk yet, before and after."""
    for forget in (native.WALK.forget, start._prepared.cache_clear):
        forget()
    yield
    for forget in (native.WALK.forget, start._prepared.cache_clear):
        forget()


FRESH = """
import sys
import numpy as np
from dsslic_search.codec.layers.label_map import coder, native
labels = np.arange(64, dtype=np.uint8).reshape(8, 8) // 9
assert (coder.decode(coder.encode(labels)) == labels).all()
assert native.is_compiled()
print("numba" in sys.modules)
"""


def test_a_later_process_runs_what_was_kept_without_numba(kept: bytes) -> None:
    ran = subprocess.run([sys.executable, "-c", FRESH], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "False"


def test_machine_code_leaves_all_arrays_as_plain_python_does() -> None:
    labels = np.repeat(np.arange(12, dtype=np.uint8).reshape(3, 4), 6, 1)
    plane = start.empty_plane(*labels.shape)
    plane[machine.MARGIN_TOP :, machine.MARGIN_LEFT : machine.MARGIN_LEFT + labels.shape[1]] = labels
    slots, cells = start.prepared(labels.size)
    arrays = [plane.reshape(-1), np.zeros(labels.size, np.uint8), slots, cells]
    lists = [array.tolist() for array in arrays]
    assert native.scan()(*arrays, *labels.shape) == walk.scan(*lists, *labels.shape) == walk.DONE
    assert [array.tolist() for array in arrays] == lists
    assert cells[machine.NEXT] > 4


def test_what_does_not_pay_is_run_if_it_is_there_and_not_compiled(
    kept: bytes, afresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MachineCode, "compile", lambda _: pytest.fail("compiled"))
    with monkeypatch.context() as empty:
        empty.setattr(machine_code, "_folders", lambda: iter([tmp_path]))
        assert native.WALK.made(pays=False) is None
        assert not native.WALK.is_known
    assert native.WALK.made(pays=False) is not None
    assert native.WALK.is_known


@pytest.mark.parametrize(
    "wrong", [np.zeros(4, np.int32), np.zeros(8, np.uint8)[::2], np.zeros((2, 4), np.uint8).T]
)
def test_arrays_of_another_kind_are_refused(wrong: np.ndarray) -> None:
    slots, cells = start.prepared(1)
    with pytest.raises(TypeError, match="uint8"):
        native.scan()(np.zeros(100, np.uint8), wrong, slots, cells, 1, 1)


def test_the_name_depends_on_sources_compilers_and_processor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = [native.WALK.file_name()]
    version = metadata.version
    for package in ("numba", "llvmlite"):
        with monkeypatch.context() as other:
            other.setattr(metadata, "version", lambda p, new=package: "0" if p == new else version(p))
            names.append(native.WALK.file_name())
    with monkeypatch.context() as other:
        other.setattr(llvm, "get_host_cpu_name", lambda: "another")
        names.append(native.WALK.file_name())
    for module in (machine, walk):
        changed = tmp_path / f"{module.__name__}.py"
        changed.write_bytes(Path(str(module.__file__)).read_bytes() + b"\n")
        with monkeypatch.context() as other:
            other.setattr(module, "__file__", str(changed))
            names.append(native.WALK.file_name())
    assert len(set(names)) == len(names) == 6
    assert native.WALK.file_name() == names[0]


def test_a_file_that_is_cut_short_or_changed_is_not_run(kept: bytes, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(machine_code, "_folders", lambda: iter([tmp_path]))
    machine_code._keep("walk", kept)
    whole = (tmp_path / "walk").read_bytes()
    assert machine_code._read(tmp_path / "walk") == kept
    for damaged in (b"", whole[:40], whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        (tmp_path / "walk").write_bytes(damaged)
        assert machine_code._read(tmp_path / "walk") is None
    assert machine_code._read(tmp_path / "other") is None


def test_it_is_kept_where_it_can_be(kept: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(
        machine_code, "_folders", lambda: iter([tmp_path / "file" / "below", tmp_path / "new"])
    )
    machine_code._keep("walk", kept)
    assert machine_code._read(tmp_path / "new" / "walk") == kept
    monkeypatch.setattr(machine_code, "_folders", lambda: iter([tmp_path / "file" / "below"]))
    machine_code._keep("walk", kept)  # nowhere, which costs the next process time


def test_code_that_cannot_stand_alone_runs_where_numba_put_it(
    kept: bytes, afresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine_code._target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(kept.partition(b"\0")[2]))
    engine.finalize_object()
    name = kept.partition(b"\0")[0].decode()
    compiled = SimpleNamespace(
        address=engine.get_function_address(name), native_name=name, inspect_llvm=lambda: "no LLVM", of=engine
    )
    monkeypatch.setattr(native.WALK, "compile", lambda: compiled)
    monkeypatch.setattr(machine_code, "_folders", lambda: iter([tmp_path]))
    assert native.is_compiled()
    assert not list(tmp_path.iterdir())
    labels = np.eye(9, dtype=np.uint8)
    assert (coder.decode(coder.encode(labels)) == labels).all()


def test_without_numba_and_without_a_file_the_walk_is_plain(
    afresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_code, "_folders", lambda: iter([tmp_path]))
    monkeypatch.setitem(sys.modules, "numba", None)
    assert native.scan() is walk.scan
    native.WALK.forget()
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    assert native.scan() is walk.scan
    assert not native.is_compiled()


def test_what_the_code_would_call_becomes_a_trap() -> None:
    text = """
    @outside = external global i8
    declare i32 @raise(ptr, i64) nounwind
    declare i64 @llvm.smax.i64(i64, i64)
    define i64 @kept(i64 %n) {
      %wrong = icmp slt i64 %n, 0
      br i1 %wrong, label %bad, label %good
    bad:
      %x = call i32 @raise(ptr @outside, i64 %n)
      br label %good
    good:
      %most = call i64 @llvm.smax.i64(i64 %n, i64 7)
      ret i64 %most
    }
    """
    code = machine_code._object_code("\n".join(line.strip() for line in text.splitlines()))
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine_code._target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()  # would end the process if a name were missing
    kept = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(engine.get_function_address("kept"))
    assert [kept(3), kept(12)] == [7, 12]


def test_names_that_mean_two_things_are_refused() -> None:
    first, second = ModuleType("first"), ModuleType("second")
    first.SIZE, second.SIZE = 1, 2  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match="SIZE of second"):
        MachineCode((first, second), walk.scan, (np.uint8,)).compile()
