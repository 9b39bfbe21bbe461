"""A service's addresses lie below its own name, and its name is none of the kernel's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huijia.identity.actor import SYSTEM
from huijia.identity.models import Centre
from huijia.installation import Installation
from huijia.registry.catalogue import RESERVED
from huijia.registry.lifecycle import NotReady, enable
from huijia.testing.broken import make_plugin, on_path
from huijia.web.door import Door
from sqlalchemy import select

SOURCE = """
    from huijia import Api
    pages = {blueprint}

    @pages.get("{rule}", public=True)
    def index(): return "mine"

    @hookimpl
    def huijia_blueprints(): return [pages]
    """
PAGES = 'Pages("shiny", __name__, prefix="{}")'
API = 'Api("shiny", __name__, prefix="{}")'
GROUNDS = [
    # blueprint, rule, whether it may be, remark
    ('Pages("shiny", __name__)', "/", True, "its own pages"),
    ('Pages("shiny", __name__)', "", True, "without a slash"),
    ('Api("shiny", __name__)', "/things/<int:number>", True, "its own routes for programs"),
    (PAGES.format("/c/<slug:centre>/shiny/deep"), "/", True, "deeper down"),
    (PAGES.format(""), "/", False, "the first page of all"),
    (PAGES.format(""), "/signin", False, "the way in"),
    (PAGES.format("/c/<slug:centre>"), "/staff", False, "a page of the kernel's"),
    (PAGES.format("/c/<slug:centre>"), "/rooms/", False, "another service's"),
    (PAGES.format("/c/<slug:centre>"), "/<path:rest>", False, "everything at a centre"),
    (PAGES.format("/c/<slug:centre>/shinyother"), "/", False, "a name that begins alike"),
    (PAGES.format("/c/<slug:place>/shiny"), "/", False, "a centre that the door does not know"),
    (API.format("/api/v1/centres"), "/<slug:centre>/services", False, "a route of the kernel's"),
    (API.format("/api/v1/shiny"), "/", False, "at no centre"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "plugins").mkdir()
    with on_path(tmp_path / "plugins") as found:
        yield found


@pytest.mark.parametrize(("blueprint", "rule", "fine", "_remark"), GROUNDS)
def test_a_service_with_an_address_outside_its_own_is_not_switched_on(
    folder: Path, installation: Installation, blueprint: str, rule: str, fine: bool, _remark: str
) -> None:
    make_plugin(folder, "shiny", {"plugin.py": SOURCE.format(blueprint=blueprint, rule=rule)})
    opened = Installation.open(installation.config, clock=installation.clock, only=["shiny"])
    try:
        with opened.reading() as session:
            centre_id = session.scalars(select(Centre.id)).first()
        if fine:
            assert enable(opened, centre_id, "shiny", SYSTEM)  # type: ignore[arg-type]
        else:
            with pytest.raises(NotReady, match="/c/<slug:centre>/shiny/"):
                enable(opened, centre_id, "shiny", SYSTEM)  # type: ignore[arg-type]
    finally:
        opened.close()


@pytest.mark.parametrize("below", ["/c/<slug:centre>/", "/api/v1/centres/<slug:centre>/"])
def test_no_service_may_be_called_like_an_address_of_the_kernel(app: Door, below: str) -> None:
    rules = [
        r.rule for r in app.url_map.iter_rules() if r.endpoint.partition("_")[0].partition(".")[0] != "tiny"
    ]
    taken = {rule.removeprefix(below).partition("/")[0] for rule in rules if rule.startswith(below)}
    assert {"services", "openapi.json"} & taken
    assert {name for name in taken if name.isalpha()} - RESERVED == set()


def test_no_service_may_be_called_like_a_part_of_the_kernel(app: Door) -> None:
    assert {name for name in app.blueprints if name.isalpha()} - RESERVED == {"tiny"}
