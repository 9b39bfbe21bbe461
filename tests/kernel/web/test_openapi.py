"""The interface described: valid, cut to what a centre has, with problems and sign-in."""

from __future__ import annotations

from typing import Any

from huijia.web.door import Door
from openapi_spec_validator import OpenAPIV31SpecValidator

DOCUMENT = "/api/v1/centres/{}/openapi.json"


def test_the_document_is_openapi_3_1(client: Any) -> None:
    document = client("tiny.see").get(DOCUMENT.format("duling")).json
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_each_operation_says_who_may_and_how_errors_look(client: Any) -> None:
    document = client("tiny.see").get(DOCUMENT.format("duling")).json
    make = document["paths"]["/api/v1/centres/{centre}/tiny/things"]["post"]
    assert (make["x-permission"], make["tags"], make["operationId"]) == (
        "tiny.add",
        ["tiny"],
        "tiny_api.make",
    )
    assert {"Idempotency-Key"} == {p["name"] for p in make["parameters"] if p.get("in") == "header"}
    assert make["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}
    assert list(document["components"]["responses"]["DEFAULT_ERROR"]["content"]) == [
        "application/problem+json"
    ]
    assert make["security"] == [{"token": []}, {"session": []}]


def test_a_centre_sees_its_own_services_only(client: Any) -> None:
    with_tiny = client("tiny.see").get(DOCUMENT.format("duling")).json
    without = client("tiny.see", at="quiet").get(DOCUMENT.format("quiet")).json
    assert any("/tiny/" in path for path in with_tiny["paths"])
    assert not any("/tiny/" in path for path in without["paths"])
    assert {n for n in with_tiny["components"]["schemas"] if n.startswith("tiny.")} == {"tiny.Thing"}
    assert {n for n in without["components"]["schemas"] if n.startswith("tiny.")} == set()


def test_the_document_is_made_once_for_centres_that_have_the_same(client: Any, app: Door) -> None:
    for slug in ("duling", "huayuan"):
        client("tiny.see", at=slug).get(DOCUMENT.format(slug))
    assert len(app.documents) == 1


def test_the_reference_is_a_page_without_scripts_of_its_own(client: Any) -> None:
    answer = client("tiny.see").get("/c/duling/api")
    assert answer.status_code == 200
    assert "/api/v1/centres/{centre}/tiny/things" in answer.text
    assert answer.text.count("<script") == answer.text.count('<script src="/static/')
