"""Every sentence of the kernel's pages is translated, and no page carries styles or scripts of its own."""

from __future__ import annotations

import re
from pathlib import Path

import huijia
import pytest
from babel.messages.extract import extract_python
from huijia.i18n import catalogue

HOME = Path(huijia.__file__).parent
TEMPLATES = sorted((HOME / "templates" / "huijia").glob("*.html"))
SENTENCE = re.compile(r"""\b_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


def sentences() -> set[str]:
    found = {quoted[1:-1] for path in TEMPLATES for quoted in SENTENCE.findall(path.read_text("utf-8"))}
    for path in (HOME / "admin").rglob("*.py"):
        with path.open("rb") as source:
            found |= {
                words
                for _line, _name, words, _notes in extract_python(source, ["_"], [], {})
                if isinstance(words, str)
            }
    return found


def test_every_sentence_of_the_pages_is_there_in_chinese():
    assert sorted(sentences() - catalogue("huijia", "zh_Hans").keys()) == []


def test_a_translation_keeps_the_values_of_its_sentence():
    braces = re.compile(r"\{(\w+)\}")
    chinese = catalogue("huijia", "zh_Hans")
    differing = [s for s in sentences() if set(braces.findall(s)) != set(braces.findall(chinese.get(s, s)))]
    assert differing == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_style_or_script_stands_in_a_template(path):
    text = path.read_text("utf-8")
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?! src=)", text)
