# SPDX-License-Identifier: MIT
"""The rules that need nothing but the text: size, layers, purity, banned calls, dead files."""
import re

from .tree import ENGINE, LAYERS, TEST_LAYERS

ENGINE_LINES = 600
FILE_LINES = 800
FUNCTION_LINES = 70
COLUMNS = 100
NESTING = 4

BANNED = {"strcpy", "strcat", "sprintf", "vsprintf", "gets", "atoi", "strtok"}
PURE_HEADERS = {"<stddef.h>", "<stdint.h>", "<stdbool.h>", "<stdalign.h>", "<limits.h>"}
IMPURE_NAMES = {
    "__int128": "128-bit arithmetic",
    "__int128_t": "128-bit arithmetic",
    "__uint128_t": "128-bit arithmetic",
    "float": "floating point",
    "double": "floating point",
    "_Thread_local": "a global",
    "__thread": "a global",
    "__DATE__": "a clock",
    "__TIME__": "a clock",
}
CONDITIONALS = {"if", "ifdef", "ifndef", "elif"}
# Written in pieces, lest this file break its own rule.
MACHINE_PATH = re.compile(r"(?<![\w.$}\-])/(?:wo" r"rk|ro" r"ot|tmp/br" r"ief|home/\w+)/")


def columns(line):
    """How wide a line is with tab stops every 8 columns."""
    return len(line.rstrip("\n").expandtabs(8))


def is_script(path):
    return path.endswith((".py", ".sh", ".js")) or path.startswith(("scripts/", ".ci/"))


def check_size(tree):
    for file in tree.files:
        limit = ENGINE_LINES if file.engine else FILE_LINES
        check_lines(tree, file.path, file.text, limit)
        for function in file.functions:
            check_function(tree, file, function)
    for path in tree.paths:
        if is_script(path) and not path.endswith(".exceptions"):
            check_lines(tree, path, tree.read(path) or "", FILE_LINES)


def check_lines(tree, path, text, limit):
    lines = text.splitlines()
    if len(lines) > limit:
        tree.found(path, len(lines), "file-length", f"{len(lines)} lines, at most {limit}")
    for number, line in enumerate(lines, 1):
        if columns(line) > COLUMNS:
            what = f"{columns(line)} columns, at most {COLUMNS}"
            tree.found(path, number, "line-length", what)


def check_function(tree, file, function):
    lines = function.last - function.first + 1
    if lines > FUNCTION_LINES:
        what = f"{function.name} has {lines} lines, at most {FUNCTION_LINES}"
        tree.found(file.path, function.first, "function-length", what)
    if function.depth > NESTING:
        what = f"{function.name} nests {function.depth} deep, at most {NESTING}"
        tree.found(file.path, function.deepest, "nesting", what)


def check_layers(tree):
    for file in tree.files:
        for directive in file.source.directives:
            if directive.name == "include":
                check_include(tree, file, directive)


def check_include(tree, file, directive):
    target = directive.rest
    if target.startswith("<"):
        return
    name = target.strip('"')
    if file.public:
        tree.found(file.path, directive.line, "layer", f"{target}: write <parley/...>")
        return
    if file.layer is None:
        return
    allowed = (LAYERS if file.top == "src" else TEST_LAYERS)[file.layer]
    folder = name.split("/")[0]
    beside = file.top == "tests" and (name.startswith("../") or "/" not in name)
    if beside:
        return
    if folder not in LAYERS:
        tree.found(file.path, directive.line, "layer", f'{target}: write "layer/noun.h"')
    elif folder not in allowed:
        what = f"{file.layer} may not include {target}"
        tree.found(file.path, directive.line, "layer", what)


def check_purity(tree):
    for file in tree.files:
        if not (file.engine or file.public):
            continue
        for directive in file.source.directives:
            target = directive.rest
            if directive.name == "include" and target.startswith("<"):
                if target not in PURE_HEADERS and not target.startswith("<parley/"):
                    tree.found(file.path, directive.line, "purity", f"includes {target}")
        for token in file.all_tokens():
            if token.kind == "name" and token.text in IMPURE_NAMES:
                what = f"{token.text}: {IMPURE_NAMES[token.text]}"
                tree.found(file.path, token.line, "purity", what)
        check_conditionals(tree, file)
    for file in tree.files:
        if file.engine and len(file.parts) != 3:
            what = f"the engine's files lie directly in src/{file.layer}"
            tree.found(file.path, 1, "flat", what)


def guard_of(file):
    """The directive that begins a header's guard, or None."""
    directives = file.source.directives
    if not file.path.endswith(".h") or len(directives) < 3:
        return None
    first, second, last = directives[0], directives[1], directives[-1]
    guarded = (
        first.name == "ifndef"
        and second.name == "define"
        and second.rest == first.rest
        and last.name == "endif"
    )
    return first if guarded else None


def check_conditionals(tree, file):
    guard = guard_of(file)
    for directive in file.source.directives:
        if directive.name not in CONDITIONALS or directive is guard:
            continue
        if file.public and directive.name == "ifdef" and directive.rest == "__cplusplus":
            continue
        what = f"#{directive.name} {directive.rest}: only a header's guard may be conditional"
        tree.found(file.path, directive.line, "conditional", what)
    if file.path.endswith(".h") and guard is None:
        tree.found(file.path, 1, "conditional", "this header has no guard")


def check_banned(tree):
    for file in tree.files:
        code = file.all_tokens()
        for token, after in zip(code, code[1:]):
            if token.text in BANNED and token.kind == "name" and after.text == "(":
                tree.found(file.path, token.line, "banned-call", token.text)


def listed_names(tree, folder):
    """All names in quotes in the meson.build files of a folder, relative to that folder."""
    names = set()
    for path in tree.paths:
        if path.endswith("meson.build") and path.startswith(folder + "/"):
            inner = path[len(folder) + 1 : -len("meson.build")]
            text = re.sub(r"#[^\n]*", "", tree.read(path) or "")
            names |= {inner + name for name in re.findall(r"'([^'\n]+)'", text)}
    return names


def check_built(tree):
    """Every C file is built by Meson, every header is included by somebody."""
    included = set()
    for file in tree.files:
        for directive in file.source.directives:
            if directive.name == "include":
                included.add(directive.rest.strip('"<>'))
    tails = {name.split("/")[-1] for name in included}
    listed = {top: listed_names(tree, top) for top in ("src", "tests")}
    for file in tree.files:
        if file.top not in listed:
            continue
        inside = file.path[len(file.top) + 1 :]
        if file.path.endswith(".h"):
            there = inside in included if file.top == "src" else file.parts[-1] in tails
            if not there:
                tree.found(file.path, 1, "unbuilt", "nothing includes this header")
        elif inside not in listed[file.top] and noun_of(inside) not in listed[file.top]:
            tree.found(file.path, 1, "unbuilt", "no meson.build lists this file")


def noun_of(inside):
    """tests list nouns: base/test_seq.c stands there as base/seq."""
    folder, _, name = inside.rpartition("/")
    if name.startswith("test_") and name.endswith(".c"):
        return f"{folder}/{name[5:-2]}"
    return None


def check_machine_paths(tree):
    for path in tree.paths:
        for number, line in enumerate((tree.read(path) or "").splitlines(), 1):
            match = MACHINE_PATH.search(line)
            if match:
                what = f"{match.group()} is a path of one machine"
                tree.found(path, number, "machine-path", what)


RULES = (check_size, check_layers, check_purity, check_banned, check_built, check_machine_paths)
NAMES = (
    "file-length", "line-length", "function-length", "nesting", "layer", "purity", "flat",
    "conditional", "banned-call", "unbuilt", "machine-path",
)
assert set(ENGINE) < set(LAYERS)
