"""The interface as it is documented: every address in docs/http-api.md, and no request, however strange, that
the server does not answer as its own documentation says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dsslic_search.web.limits import Limits
from tests.web.conftest import Served, serving

DOCS = Path(__file__).parents[2] / "docs" / "http-api.md"
EXAMPLES = int(os.environ.get("DSS_API_EXAMPLES", "12"))
"""Requests that are made up for each endpoint."""
OPERATIONS = 40
"""At most; each is asked in a test of its own."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def own(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of an archive that requests may change."""
    import shutil

    copy = tmp_path_factory.mktemp("strange") / "archive"
    shutil.copytree(archive, copy)
    with serving(copy, Limits(rate=100_000)) as server:
        yield server


@pytest.fixture(scope="module")
def schema(own: Served) -> dict[str, Any]:
    found: dict[str, Any] = own.get("/api/openapi.json")
    return found


def operations(schema: dict[str, Any]) -> list[str]:
    return sorted(
        f"{method.upper()} {path}" for path, methods in schema["paths"].items() for method in methods
    )


def test_every_address_is_documented(schema: dict[str, Any]) -> None:
    told = re.findall(r"^### ((?:GET|POST|PUT|DELETE) /\S+)$", DOCS.read_text(), re.M)
    assert sorted(told) == operations(schema)


def test_every_limit_is_documented() -> None:
    text = DOCS.read_text()
    for each in fields(Limits):
        shown = "half of the processors" if each.name == "decoders" else each.default
        assert f"| `DSS_SERVE_{each.name.upper()}` | {shown} |" in text, each.name
    assert Limits().decoders == max(1, (os.cpu_count() or 1) // 2)


def test_parameters_are_documented(schema: dict[str, Any]) -> None:
    sections = re.split(r"^### ", DOCS.read_text(), flags=re.M)
    of = {section.partition("\n")[0]: section for section in sections}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            section = of[f"{method.upper()} {path}"]
            for each in operation.get("parameters", ()):
                assert each["in"] == "path" or f"`{each['name']}`" in section, (path, each["name"])


def test_no_operation_is_there_twice(schema: dict[str, Any]) -> None:
    names = [op["operationId"] for methods in schema["paths"].values() for op in methods.values()]
    assert len(names) == len(set(names))
    assert "422" not in str(
        {code for m in schema["paths"].values() for op in m.values() for code in op["responses"]}
    )


@pytest.mark.parametrize("number", range(OPERATIONS))
def test_strange_requests_are_answered_as_documented(own: Served, number: int) -> None:
    every = schemathesis.openapi.from_url(f"{own.base}/api/openapi.json")
    found = [each.ok() for each in every.get_all_operations()]
    assert len(found) <= OPERATIONS
    if number >= len(found):
        return
    operation = found[number]

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @operation_given(operation)
    def ask(case: Any) -> None:
        if operation.path == "/api/ingest/events":
            case.query = {**(case.query or {}), "once": "true"}
        case.call_and_validate(checks=CHECKS, timeout=60)

    ask()


def operation_given(operation: Any) -> Any:
    from hypothesis import given

    return given(case=operation.as_strategy())
