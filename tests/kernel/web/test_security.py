"""Whose address counts: what a proxy says is believed only of a proxy that the operator named."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from huijia.web.security import caller_address
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

PROXIES = ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.7", None, "192.0.2.7"),  # nobody in between
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),  # a stranger may write what they like
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),  # our proxy says who asked
        (
            "10.0.0.1",
            "198.51.100.1, 192.0.2.7",
            "192.0.2.7",
        ),  # what was written before our proxy is not believed
        ("10.0.0.1", "192.0.2.7, 10.0.0.2", "192.0.2.7"),  # two of ours in a row
        ("10.0.0.1", None, ""),  # it says nothing
    ],
)
def test_the_address_is_that_of_whoever_asked_our_proxies(
    peer: str, forwarded: str | None, found: str
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    config = SimpleNamespace(web=SimpleNamespace(trusted_proxies=PROXIES))
    builder = EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert caller_address(Request(builder.get_environ()), config) == found
