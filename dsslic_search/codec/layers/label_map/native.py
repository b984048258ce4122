"""The walk as machine code, made once and kept on disk.

numba compiles it, and could keep it too; but to run what numba kept, a process has to import numba and have
it fill its tables of types, 0.8 s of processor time for a map that decodes in 0.01 s. So what numba made is
taken as LLVM's text, turned into one object file that needs nothing from outside, and kept under the name of
everything that it depends on. From then on llvmlite alone loads it, within 0.01 s. Where there is no numba,
the walk runs as plain Python, to the same bytes.

The file lies in ``__pycache__`` beside the source, or else in the user's cache, as compiled Python and
numba's own code do.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from dsslic_search.codec.layers.label_map import machine, model, walk
from dsslic_search.core.files import write_atomically

Scan = Callable[..., int]  # as `walk.scan`

_MODULES = (machine, model, walk)
_ELEMENTS = (np.uint8, np.uint8, np.uint32, np.int64)  # of plane, data, slots, cells
_DIGEST_BYTES = 32
_DECLARED = re.compile(r"^declare (.*@(?!llvm\.)[^(]+\(.*\))[^)\n]*$", re.MULTILINE)
_EXTERNAL = re.compile(r"^(@\S+ = )external (.*?global (?:ptr|i8\*?|%\S+))\b.*$", re.MULTILINE)
_making = threading.Lock()


def scan() -> Scan:
    """The walk to run: machine code, which takes numpy arrays; or, where there is no numba, `walk.scan`."""
    with _making:
        return _made() or walk.scan


def is_compiled() -> bool:
    """Whether :func:`scan` is machine code."""
    return scan() is not walk.scan


@cache
def _made() -> Scan | None:
    try:
        import llvmlite.binding as llvm

        place = _file_name()
    except ImportError:  # of which metadata.PackageNotFoundError is one
        return None
    with contextlib.suppress(RuntimeError):  # later versions do so by themselves, and say it as an error
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    kept = next((code for folder in _folders() if (code := _read(folder / place)) is not None), None)
    if kept is None:
        try:
            entry = _compile()
        except ImportError:
            return None
        try:
            kept = entry.native_name.encode() + b"\0" + _object_code(entry.inspect_llvm())
        except RuntimeError:  # a text that cannot be made to stand alone
            return _called_at(entry.address, entry)
        _keep(place, kept)
    return _load(kept)


def _file_name() -> str:
    """Named by what the code depends on: the sources, the compilers, the processor."""
    import llvmlite.binding as llvm

    digest = hashlib.sha256()
    for module in (*_MODULES, None):
        digest.update(Path(module.__file__ or "" if module else __file__).read_bytes())
    for package in ("numba", "llvmlite"):
        digest.update(metadata.version(package).encode() + b"\0")
    for part in (llvm.get_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()):
        digest.update(part.encode() + b"\0")
    return f"walk-{digest.hexdigest()[:24]}.machine"


def _folders() -> Iterator[Path]:
    yield Path(__file__).parent / "__pycache__"
    from platformdirs import user_cache_path

    yield user_cache_path("dsslic-search", appauthor=False)


def _read(path: Path) -> bytes | None:
    """What was kept in a file; None where there is none, or not all of it."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, kept = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    return kept if hashlib.sha256(kept).digest() == digest else None


def _keep(name: str, kept: bytes) -> None:
    """In the first folder that can be written; nowhere if none can."""
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / name, hashlib.sha256(kept).digest() + kept)
        except OSError:
            continue
        return


def _compile() -> Any:
    """The walk as a function of C, compiled by numba: pointer and length of each of the four arrays, height
    and width."""
    import numba
    from numba import types

    scope: dict[str, Any] = {name: value for module in _MODULES for name, value in vars(module).items()}
    own = {module.__name__ for module in _MODULES}
    for function in [f for f in scope.values() if isinstance(f, FunctionType) and f.__module__ in own]:
        same = FunctionType(function.__code__, scope, function.__name__)  # calls what the scope holds
        scope[function.__name__] = numba.njit(error_model="numpy")(same)
    compiled, array = scope[walk.scan.__name__], numba.carray  # type: ignore[attr-defined]  # numba has it
    elements = types.uint8, types.uint8, types.uint32, types.int64  # of plane, data, slots, cells
    arrays = [t for element in elements for t in (types.CPointer(element), types.intp)]  # type: ignore[no-untyped-call]  # numba's

    @numba.cfunc(types.int64(*arrays, types.int64, types.int64), error_model="numpy")
    def called(plane, a, data, b, slots, c, cells, d, height, width):  # type: ignore[no-untyped-def]  # nor its pointers
        return compiled(array(plane, a), array(data, b), array(slots, c), array(cells, d), height, width)

    return called


def _object_code(text: str) -> bytes:
    """An object file of LLVM's text that refers to nothing outside. What it would call is numba's and
    Python's way to raise errors, and nothing in the walk raises any: calls to them become a trap."""
    import llvmlite.binding as llvm

    text = _DECLARED.sub(r"define internal \1 { call void @llvm.trap() unreachable }", text)
    text = _EXTERNAL.sub(r"\1internal \2 zeroinitializer", text)
    target = _target(cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3)
    code: bytes = target.emit_object(llvm.parse_assembly(text + "\ndeclare void @llvm.trap()\n"))
    return code


def _target(**options: Any) -> Any:
    import llvmlite.binding as llvm

    return llvm.Target.from_default_triple().create_target_machine(
        codemodel="jitdefault", jit=True, **options
    )


def _load(kept: bytes) -> Scan:
    """A function's name, a zero byte, and the object file that it is in."""
    import llvmlite.binding as llvm

    name, _, code = kept.partition(b"\0")
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return _called_at(engine.get_function_address(name.decode()), engine)


def _called_at(address: int, owner: Any) -> Scan:
    """The function of C at an address, to be called as `walk.scan`; other threads run meanwhile. ``owner``:
    whose code it is, which is kept as long as the function."""
    arguments = [ctypes.c_void_p, ctypes.c_ssize_t] * len(_ELEMENTS) + [ctypes.c_int64] * 2
    function = ctypes.CFUNCTYPE(ctypes.c_int64, *arguments)(address)

    def run(*given: Any) -> int:
        _ = owner
        arrays, size = given[: len(_ELEMENTS)], given[len(_ELEMENTS) :]
        for array, element in zip(arrays, _ELEMENTS, strict=True):
            if array.dtype != element or not array.flags.c_contiguous:
                raise TypeError(f"the walk takes a contiguous array of {element}, not {array.dtype}")
        return int(function(*(n for array in arrays for n in (array.ctypes.data, array.size)), *size))

    return run
