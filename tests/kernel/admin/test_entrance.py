"""Where signing in leads to: a page of ours, whatever the address says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("goal", "leads_to"),
    [
        ("/c/duling/audit", "/c/duling/audit"),  # a page of ours
        ("//elsewhere.example", "/"),  # another host
        ("/\\elsewhere.example", "/"),  # which browsers read as the same
        ("/\t/elsewhere.example", "/"),  # and this, once the tab is dropped
        ("/\n/elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("", "/"),  # nothing asked
    ],
)
def test_signing_in_leads_to_a_page_of_ours(client: Callable[..., Any], goal: str, leads_to: str) -> None:
    answer = client(permissions={"audit.see"}).get("/signin", query_string={"next": goal})
    assert (answer.status_code, answer.location) == (303, leads_to)
