"""How many lines of Python some work runs, counted in machine code: a tracer in Python would take three times
what it watches, and this one takes as much again."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable
from functools import cache

import llvmlite.binding as llvm
from llvmlite import ir

_count = ctypes.c_int64()
_kept: list[object] = []  # the machine code, for as long as the process runs


@cache
def _tracer() -> int:
    """The address of a Py_tracefunc, ``int f(PyObject *, PyFrameObject *, int, PyObject *)``, which adds one
    to the count and lets go on."""
    pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(number, [pointer, pointer, number, pointer]), "traced")
    code = ir.IRBuilder(function.append_basic_block())
    wide = ir.IntType(64)
    count = code.inttoptr(ir.Constant(wide, ctypes.addressof(_count)), wide.as_pointer())
    code.store(code.add(code.load(count), ir.Constant(wide, 1)), count)
    code.ret(ir.Constant(number, 0))
    with contextlib.suppress(RuntimeError):  # later versions do so by themselves, and say it as an error
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(str(module)), machine)
    engine.finalize_object()
    _kept.append(engine)
    return int(engine.get_function_address("traced"))


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python are run, and functions entered and left, for ``work``: the same on every
    machine. A tracer that is there already, such as coverage's, sees nothing of it."""
    trace = ctypes.pythonapi.PyEval_SetTrace
    trace.argtypes, trace.restype = (ctypes.c_void_p, ctypes.c_void_p), None
    tracer, before = _tracer(), sys.gettrace()
    _count.value = 0
    trace(tracer, None)
    try:
        work()
    finally:
        trace(None, None)
        counted = _count.value
        sys.settrace(before)
    return counted
