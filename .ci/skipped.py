"""Fail where a test that needs PostgreSQL or a browser was skipped, or where none was run at all.

    python .ci/skipped.py junit.xml

Which those are says the property `needs`, which tests/conftest.py writes beside each such test.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

NEEDS = ("postgres", "browser")


def complaints(report: Path) -> list[str]:
    """One sentence per thing that should have run and did not."""
    run: dict[str, int] = dict.fromkeys(NEEDS, 0)
    found = []
    for case in ET.parse(report).iter("testcase"):
        needs = {p.get("value") for p in case.iter("property") if p.get("name") == "needs"} & set(NEEDS)
        skipped = case.find("skipped")
        for need in needs:
            if skipped is None:
                run[need] += 1
            else:
                name = f"{case.get('classname')}::{case.get('name')}"
                found.append(f"{name} needs {need} and was skipped: {skipped.get('message')}")
    return found + [f"No test ran with {need}." for need, count in run.items() if not count]


if __name__ == "__main__":
    lines = complaints(Path(sys.argv[1]))
    print("\n".join(lines) or "Nothing that needs PostgreSQL or a browser was skipped.")
    sys.exit(bool(lines))
