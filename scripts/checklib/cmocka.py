# SPDX-License-Identifier: MIT
"""Which tests a cmocka program runs."""
import re


def run_by_main(text):
    """The names in a program's tables of tests, and of those that run with a name for each cell."""
    tables = re.findall(r"struct CMUnitTest \w+\[\] = \{(.*?)\n\t*\};", text, re.S)
    names = {name for table in tables for name in re.findall(r"\b\w+\((\w+)", table)}
    return names | set(re.findall(r"\bcells_add\(&?\w+, (\w+)", text))
