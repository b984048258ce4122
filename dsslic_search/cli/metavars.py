"""What help calls the values of options and arguments: N, MODE, FILE, where typer names types of Python, and
"1 or more" where it writes x>=1."""

from __future__ import annotations

from functools import partial
from typing import Any

NUMBER = "N"

METAVARS = {
    "bpp": "BITS", "keep": "MODE", "port": "PORT", "profile": "PROFILE", "psnr": "DB", "query": "QUERY",
    "stage": "STAGE", "table": "FILE", "tune": "METRIC", "turn": "SECONDS",
}  # fmt: skip
"""Of options, by name, that say nothing else where they are declared and are more than a number."""


def put_into(command: Any) -> None:
    """Has a command of typer, and those within it, show these; and which arguments may be left out by square
    brackets alone, as manuals do."""
    for within in getattr(command, "commands", {}).values():
        put_into(within)
    for parameter in command.params:
        parameter._get_number_range_help_str = partial(range_of, parameter)
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = _nothing
            parameter.get_usage_pieces = _usage(parameter)
        elif parameter.metavar is None and not parameter.is_flag:
            parameter.metavar = METAVARS.get(parameter.name) or _of_number(parameter)


def _of_number(parameter: Any) -> str | None:
    return NUMBER if parameter.bare_type() in ("int", "float", "list[int]") else None


def range_of(parameter: Any) -> str | None:
    """What numbers a parameter takes, None where it does not say."""
    least, most = parameter.min, parameter.max
    if least is None:
        return None if most is None else f"{most:g} or less"
    return f"{least:g} or more" if most is None else f"{least:g} to {most:g}"


def _nothing(**_: Any) -> None:
    """In place of an argument's type, beside its name in the list of arguments."""


def _usage(argument: Any) -> Any:
    name = argument.display_name_raw
    several = "..." if argument.nargs != 1 and "…" not in name else ""
    shown = f"{name}{several}" if argument.required else f"[{name}]{several}"
    return lambda _context: [shown]
