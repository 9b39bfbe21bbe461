"""The interface is as its own description says: schemathesis sends what fits it and what does not.

`HUIJIA_LONG=1` sends far more. Examples are derived from the description alone, so each run sends the same.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from probe import House
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

pytestmark = pytest.mark.grows
EXAMPLES = 400 if os.environ.get("HUIJIA_LONG") else 15  # of what fits, and as many of what does not
# Its id is of a file, and none is kept here.
NEVER_WELL = {"GET /api/v1/centres/{centre}/files/{file_id}"}
CONTENT = {"application/json", "application/problem+json", "application/octet-stream"}


@pytest.fixture
def document(chinese: House) -> dict[str, Any]:
    """The description as a program gets it."""
    return chinese.client.api.get("openapi.json").json


def test_the_description_is_openapi(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    """What a program needs to know of each: a name, a sentence, who may, and each answer's content."""
    names = []
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            if not isinstance(operation, dict):
                continue
            about = f"{verb} {path}"
            names.append(operation["operationId"])
            assert operation.get("summary"), f"{about} has no sentence"
            assert operation.get("security") is not None, f"{about} does not say who may"
            answers = operation["responses"]
            assert "default" in answers, f"{about} does not say what a refusal looks like"
            for code, answer in answers.items():
                found = answer if "$ref" not in answer else _part(document, answer["$ref"])
                assert code == "204" or found.get("content", {}).keys() & CONTENT, f"{about}: {code} is what?"
    assert len(names) == len(set(names))


def _part(document: dict[str, Any], reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


@pytest.mark.parametrize("fits", [True, False], ids=["what fits", "what does not"])
def test_answers_are_as_described(chinese: House, document: dict[str, Any], fits: bool) -> None:
    token = chinese.factories.token(chinese.admin, {"*"}, chinese.centre)
    for operation in _operations(chinese, document, fits):
        answered = _send(chinese, operation, token, fits)
        if fits and operation.label not in NEVER_WELL:
            assert any(status < 400 for status in answered), f"{operation.label} never went well: {answered}"


def _operations(house: House, document: dict[str, Any], fits: bool) -> list[Any]:
    if not fits:
        document = {**document, "paths": dict(_spoilable(house, document["paths"]))}
    schema = schemathesis.openapi.from_dict(document)
    schema.app = house.app
    # Switching rooms off comes last: the others ask for it.
    return sorted(
        (found.ok() for found in schema.get_all_operations()), key=lambda one: one.method == "DELETE"
    )


def _spoilable(house: House, paths: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The operations that take a body or a question, at real addresses: those are to be spoilt."""
    for path, item in paths.items():
        kept = {}
        for verb, operation in item.items():
            if isinstance(operation, dict):
                asked = [one for one in operation.get("parameters", ()) if one.get("in") != "path"]
                if asked or "requestBody" in operation:
                    kept[verb] = {**operation, "parameters": asked, "security": []}  # the token stays good
        if kept:
            yield house.fill(path), kept


def _send(house: House, operation: Any, token: str, fits: bool) -> Counter[int]:
    """Send examples of one operation; how often each status came back."""
    checked = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
        checks.response_headers_conformance,
        *(() if fits else (checks.negative_data_rejection,)),
    ]
    mode = GenerationMode.POSITIVE if fits else GenerationMode.NEGATIVE
    answered: Counter[int] = Counter()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        if fits:
            _make_real(case, house, answered.total())
        answer = case.call(headers={"Authorization": f"Bearer {token}"})
        answered[answer.status_code] += 1
        case.validate_response(answer, checks=checked)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's code
        send()
    return answered


def _make_real(case: Any, house: House, number: int) -> None:
    """Put ids of records and times to come where any would fit, so that it gets further than `not found`."""
    case.path_parameters = {
        name: house.values.get(name, case.path_parameters[name]) for name in case.path_parameters
    }
    if isinstance(case.body, dict):
        times = {
            "starts_at": f"2026-12-{number % 28 + 1:02d}T10:00:00+08:00",
            "room_id": house.ids["room_id"],
        }
        times["ends_at"] = times["starts_at"].replace("T10", "T12")
        case.body = {name: times.get(name, value) for name, value in case.body.items()}
