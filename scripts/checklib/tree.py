# SPDX-License-Identifier: MIT
"""The tree that is checked: its files, its layers, and the list of findings.

A finding is printed as `path:line: rule: what`.
"""
import os
import subprocess
from typing import NamedTuple

from . import shape, tokens

ENGINE = ("base", "wire", "tcp", "net")
# What each layer may include, besides <parley/...> (docs/ARCHITECTURE.md).
LAYERS = {
    "base": ("base",),
    "wire": ("base", "wire"),
    "tcp": ("base", "wire", "tcp"),
    "net": ENGINE,
    "sock": ENGINE + ("sock",),
    "sim": ENGINE + ("sock", "sim"),
    "drill": ENGINE + ("sock", "sim", "drill"),
    "dev": ENGINE + ("dev",),
    "run": ENGINE + ("sock", "dev", "run"),
    "tool": ENGINE + ("sock", "sim", "drill", "dev", "run", "tool"),
}
# Tests stand one step outside: those of tcp may use a host, which only net has.
TEST_LAYERS = dict(LAYERS, tcp=ENGINE)


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    what: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"


class File:
    """A C file: its text, tokens and functions, each worked out when first asked for."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            self.text = file.read()
        self.parts = path.split("/")
        self.source = tokens.scan(self.text)
        self.functions = shape.functions(self.source.tokens)

    @property
    def top(self):
        return self.parts[0]

    @property
    def layer(self):
        """The layer of a file in src/ or tests/, else None."""
        if self.top in ("src", "tests") and len(self.parts) > 2 and self.parts[1] in LAYERS:
            return self.parts[1]
        return None

    @property
    def engine(self):
        return self.top == "src" and self.layer in ENGINE

    @property
    def public(self):
        return self.top == "include"

    def all_tokens(self):
        return self.source.tokens + self.source.directive_tokens


class Tree:
    """All that is checked below one root."""

    def __init__(self, root):
        self.root = root
        self.paths = list_paths(root)
        self.files = [File(root, p) for p in self.paths if is_c(p)]
        self.findings = []

    def found(self, path, line, rule, what):
        self.findings.append(Finding(path, line, rule, what))

    def read(self, path):
        """A text file's content, or None if it is not there or no text."""
        try:
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                return file.read()
        except (OSError, UnicodeDecodeError):
            return None

    def sources(self, layers):
        """The .c files of some layers of src/."""
        return [
            f for f in self.files
            if f.top == "src" and f.layer in layers and f.path.endswith(".c")
        ]


def is_c(path):
    return path.endswith((".c", ".h")) and path.split("/")[0] in (
        "src", "include", "tests", "examples", "fuzz", "lab"
    )


def list_paths(root):
    """What git tracks or would track; without git, what lies there."""
    command = ["git", "-C", root, "ls-files", "-co", "--exclude-standard"]
    if os.path.exists(os.path.join(root, ".git")):
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        paths = listed.splitlines()
    else:
        paths = [
            os.path.relpath(os.path.join(folder, name), root)
            for folder, _, names in os.walk(root)
            for name in names
        ]
    return sorted(p for p in set(paths) if os.path.isfile(os.path.join(root, p)))
