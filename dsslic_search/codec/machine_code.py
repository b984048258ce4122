"""Loops as machine code, made once and kept on disk.

numba compiles them, and could keep them too; but to run what numba kept, a process has to import numba and
have it fill its tables of types, 0.8 s of processor time for a map that decodes in 0.01 s. So what numba made
is taken as LLVM's text, turned into one object file that needs nothing from outside, and kept under the name
of everything that it depends on. From then on llvmlite alone loads it, within 0.01 s. Where there is no
numba, the loops run as plain Python, to the same bytes.

The file lies in ``__pycache__`` beside this module, or else in the user's cache, as compiled Python and
numba's own code do.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from dsslic_search.core.files import write_atomically

Loop = Callable[..., int]

_DIGEST_BYTES = 32
_DECLARED = re.compile(r"^declare (.*@(?!llvm\.)[^(]+\(.*\))[^)\n]*$", re.MULTILINE)
_EXTERNAL = re.compile(r"^(@\S+ = )external (.*?global (?:ptr|i8\*?|%\S+))\b.*$", re.MULTILINE)
_making = threading.Lock()


class MachineCode:
    """Functions of several modules behind one, ``entry``, of flat arrays whose ``elements`` are numpy's
    types, then of ``integers`` int64; it returns an integer. All are written in what numba takes, allocate
    nothing and raise nothing; where modules share a name, it means the same in all."""

    def __init__(
        self, modules: tuple[ModuleType, ...], entry: Loop, elements: tuple[type, ...], integers: int = 0
    ) -> None:
        self.modules, self.entry, self.elements, self.integers = modules, entry, elements, integers
        self._known: list[Loop | None] = []

    def made(self, pays: bool = True) -> Loop | None:
        """The entry as machine code, which takes numpy arrays; None where there is no numba, and where it
        would have to be compiled first though that does not pay."""
        with _making:
            if not self._known:
                made = self._make(pays)
                if made is None and not pays:
                    return None
                self._known.append(made)
            return self._known[0]

    def forget(self) -> None:
        """As in a process that has not asked for it yet."""
        self._known.clear()

    @property
    def is_known(self) -> bool:
        """Whether it has been asked for."""
        return bool(self._known)

    def _make(self, pays: bool) -> Loop | None:
        try:
            import llvmlite.binding as llvm

            place = self.file_name()
        except ImportError:  # of which metadata.PackageNotFoundError is one
            return None
        with contextlib.suppress(RuntimeError):  # later versions do so by themselves, and say it as an error
            llvm.initialize()
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        kept = next((code for folder in _folders() if (code := _read(folder / place)) is not None), None)
        if kept is None and not pays:
            return None
        if kept is None:
            try:
                entry = self.compile()
            except ImportError:
                return None
            try:
                kept = entry.native_name.encode() + b"\0" + _object_code(entry.inspect_llvm())
            except RuntimeError:  # a text that cannot be made to stand alone
                return self._called_at(entry.address, entry)
            _keep(place, kept)
        return self._load(kept)

    def file_name(self) -> str:
        """Named by what the code depends on: the sources, the compilers, the processor."""
        import llvmlite.binding as llvm

        digest = hashlib.sha256()
        for module in (*self.modules, None):
            digest.update(Path(module.__file__ or "" if module else __file__).read_bytes())
        for package in ("numba", "llvmlite"):
            digest.update(metadata.version(package).encode() + b"\0")
        for part in (
            llvm.get_default_triple(),
            llvm.get_host_cpu_name(),
            llvm.get_host_cpu_features().flatten(),
        ):
            digest.update(part.encode() + b"\0")
        return f"{self.entry.__name__}-{digest.hexdigest()[:24]}.machine"

    def compile(self) -> Any:
        """The entry as a function of C, compiled by numba: pointer and length of each array, and the
        integers."""
        import numba
        from numba import types

        scope: dict[str, Any] = {}
        for module in self.modules:
            for name, value in vars(module).items():
                known = scope.setdefault(name, value)
                if isinstance(value, int) and known != value:
                    raise AssertionError(f"{name} of {module.__name__} means something else elsewhere")
        for name, value in scope.items():
            if type(value) is int:  # which would make a function of its own of each constant that it is given
                scope[name] = np.int64(value)
        own = {module.__name__ for module in self.modules}
        # called by each other alone, never from Python or C
        bare: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        inner = numba.njit(error_model="numpy", **bare)
        for function in [f for f in scope.values() if isinstance(f, FunctionType) and f.__module__ in own]:
            same = FunctionType(function.__code__, scope, function.__name__)  # calls what the scope holds
            scope[function.__name__] = inner(same)
        count = len(self.elements)
        names = [f"{part}{place}" for place in range(count) for part in ("p", "n")]
        given = [f"array(p{place}, n{place})" for place in range(count)]
        whole = [f"i{place}" for place in range(self.integers)]
        text = f"def called({', '.join(names + whole)}):\n    return entry({', '.join(given + whole)})\n"
        called: dict[str, Any] = {"entry": scope[self.entry.__name__], "array": numba.carray}  # type: ignore[attr-defined]  # numba has it
        exec(text, called)  # as many arguments as there are arrays, which numba cannot take as a list
        elements = [types.CPointer(numba.from_dtype(np.dtype(each))) for each in self.elements]  # type: ignore[no-untyped-call]  # numba's
        arrays = [t for element in elements for t in (element, types.intp)]
        signature = types.int64(*arrays, *(types.int64 for _ in range(self.integers)))
        return numba.cfunc(signature, error_model="numpy")(called["called"])

    def _load(self, kept: bytes) -> Loop:
        """A function's name, a zero byte, and the object file that it is in."""
        import llvmlite.binding as llvm

        name, _, code = kept.partition(b"\0")
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return self._called_at(engine.get_function_address(name.decode()), engine)

    def _called_at(self, address: int, owner: Any) -> Loop:
        """The function of C at an address, to be called as the entry; other threads run meanwhile. ``owner``:
        whose code it is, which is kept as long as the function."""
        elements, count = self.elements, len(self.elements)
        arguments = [ctypes.c_void_p, ctypes.c_ssize_t] * count + [ctypes.c_int64] * self.integers
        function = ctypes.CFUNCTYPE(ctypes.c_int64, *arguments)(address)

        def run(*given: Any) -> int:
            _ = owner
            arrays, whole = given[:count], given[count:]
            for array, element in zip(arrays, elements, strict=True):
                if array.dtype != element or not array.flags.c_contiguous:
                    raise TypeError(f"the loop takes a contiguous array of {element}, not {array.dtype}")
            return int(function(*(n for array in arrays for n in (array.ctypes.data, array.size)), *whole))

        return run


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


def _object_code(text: str) -> bytes:
    """An object file of LLVM's text that refers to nothing outside. What it would call is numba's and
    Python's way to raise errors, and nothing in the loops raises any: calls to them become a trap."""
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
