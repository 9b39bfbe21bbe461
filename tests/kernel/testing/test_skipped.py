""".ci/skipped.py: what CI would miss."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / ".ci" / "skipped.py"
RAN = (
    '<testcase classname="t" name="a"><properties><property name="needs" value="{}"/></properties></testcase>'
)
SKIPPED = RAN.replace("</testcase>", '<skipped message="no server"/></testcase>')
POSTGRES, BROWSER = RAN.format("postgres"), RAN.format("browser")

REPORTS = [
    # cases, complaints
    ([POSTGRES, BROWSER], []),
    ([POSTGRES, BROWSER, '<testcase name="b"><skipped message="long"/></testcase>'], []),  # needs neither
    ([POSTGRES, BROWSER, SKIPPED.format("postgres")], ["t::a needs postgres and was skipped: no server"]),
    ([BROWSER], ["No test ran with postgres."]),
    ([], ["No test ran with postgres.", "No test ran with browser."]),
]


@pytest.mark.parametrize(("cases", "complaints"), REPORTS)
def test_ci_complains_of_what_was_skipped_or_never_there(
    tmp_path: Path, cases: list[str], complaints: list[str]
) -> None:
    spec = importlib.util.spec_from_file_location("skipped", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    report = tmp_path / "junit.xml"
    report.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    assert module.complaints(report) == complaints
