"""What the fixtures find fault with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huijia.testing.broken import make_plugin, on_path

PLUGIN = """
    _ = messages("plot")

    @hookimpl
    def huijia_permissions(): return [Permission("plot.see", _("See it"))]
    """
MODELS = """
    from huijia import plugin_base, pk
    from sqlalchemy import CheckConstraint, String
    from sqlalchemy.orm import mapped_column

    class Plot(plugin_base("plot")):
        __tablename__ = "plot_bed"
        __table_args__ = (CheckConstraint("length(name) > 1", name="named"),)
        id = pk()
        name = mapped_column(String(80), nullable=False)
    """
MIGRATION = """
    import sqlalchemy as sa
    from alembic import op
    revision, down_revision = "0001", None

    def upgrade():
        check = sa.CheckConstraint("length(name) > 1", name="named")
        name = sa.Column("name", sa.String(80), nullable=False)
        op.create_table("plot_bed", sa.Column("id", sa.Uuid, primary_key=True), name, check)

    def downgrade(): op.drop_table("plot_bed")
    """
PO = 'msgid "Plot"\nmsgstr "菜地"\n\nmsgid "See it"\nmsgstr "查看"\n\nmsgid "Beds"\nmsgstr "菜畦"\n'
PAGE = '<h1 title="{{ _("Beds") }}">{{ _(\n"Beds") }}</h1>'
FILES = {
    "plugin.py": PLUGIN,
    "models.py": MODELS,
    "migrations/0001_first.py": MIGRATION,
    "templates/plot/beds.html": PAGE,
    "translations/zh_Hans/LC_MESSAGES/plot.po": PO,
}


@pytest.fixture
def plot(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """`plot("models.py", "80", "90")`: the plugin of that name, with one word in one file changed."""
    files, made = dict(FILES), tmp_path / "plugins"

    def plot(path: str = "plugin.py", old: str = "", new: str = "") -> Any:
        assert old in files[path]
        files[path] = files[path].replace(old, new) if old else files[path]
        make_plugin(made, "plot", files)
        found = on_path(made)
        found.__enter__()
        request.addfinalizer(lambda: found.__exit__(None, None, None))
        return request.getfixturevalue

    return plot


TABLES = [
    # file, word, instead of it, what is found
    ("plugin.py", "", "", ""),
    ("models.py", "String(80)", "String(90)", "modify_type"),
    ("models.py", "nullable=False", "nullable=True", "modify_nullable"),
    ("models.py", "nullable=False", "nullable=False, index=True", "ix_plot_bed_name"),
    ("migrations/0001_first.py", 'name="named"', 'name="ck_plot_bed_named"', "CHECK ck_plot_bed_named"),
    ("models.py", "id = pk()", 'id = pk()\n        more = mapped_column("more", String(1))', "add_column"),
    ("models.py", '"plot_bed"', '"plot_row"', "plot_row"),
]


@pytest.mark.parametrize(("path", "old", "new", "found"), TABLES)
@pytest.mark.usefixtures("both_engines")
def test_tables_that_are_not_the_models_are_listed(
    plot: Any, path: str, old: str, new: str, found: str
) -> None:
    check = plot(path, old, new)("check_tables")
    if found:
        with pytest.raises(AssertionError, match=found):
            check("plot")
    else:
        check("plot")


WORDS = [
    # file, word, instead of it, what is found
    ("plugin.py", "", "", ""),
    ("plugin.py", "See it", "See it all", r"plugin.py:\d+: See it all"),
    ("templates/plot/beds.html", "Beds", "Rows", r"templates/plot/beds.html:\d+: Rows"),
    ("translations/zh_Hans/LC_MESSAGES/plot.po", '"菜畦"', '""', "Beds"),
    ("translations/zh_Hans/LC_MESSAGES/plot.po", 'msgid "Beds"', '#, fuzzy\nmsgid "Beds"', "Beds"),
    ("translations/zh_Hans/LC_MESSAGES/plot.po", '"Plot"', '"Plots"', "title: Plot"),
]


@pytest.mark.parametrize(("path", "old", "new", "found"), WORDS)
def test_words_without_chinese_are_listed(
    plot: Any, check_words: Any, path: str, old: str, new: str, found: str
) -> None:
    plot(path, old, new)
    if found:
        with pytest.raises(AssertionError, match=found):
            check_words("plot")
    else:
        check_words("plot")


NAMES = [
    ({"permissions": {"plot.sea"}}, r"permission plot\.sea\. Meant: plot\.see\?"),
    ({"permissions": {"today.se"}}, r"permission today\.se\. Meant: today\.see\?"),
    ({"permissions": {"plto.see"}}, r"permission plto\.see\. Meant: plot\.see\?"),
    ({"role": "centre.dask"}, r"role centre\.dask\. Meant: centre\.desk\?"),
]


@pytest.mark.parametrize(("held", "words"), NAMES)
def test_a_permission_or_role_that_nobody_declares_is_told_with_the_nearest(
    plot: Any, held: dict[str, Any], words: str
) -> None:
    fixture = plot()
    fixture("enable")("plot")
    assert fixture("staff")(permissions={"plot.see", "today.see"}, role="centre.desk")
    with pytest.raises(AssertionError, match=words):
        fixture("staff")(**held)


def test_a_client_reads_the_language_that_it_is_given(client: Any, staff: Any) -> None:
    wang = staff("wang", permissions={"today.see"})
    assert '<html lang="en"' in client(wang, language="en").get("").text
    assert '<html lang="zh-Hans"' in client(permissions={"today.see"}).get("").text
    stranger = client(None, language="en")
    assert '<html lang="en"' in stranger.get("/signin").text
    assert "ign in" in stranger.api.get("openapi.json").json["detail"]
    with pytest.raises(AssertionError, match="take zh_Hans or en"):
        client(None, language="fr")
