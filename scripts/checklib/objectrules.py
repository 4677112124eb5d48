# SPDX-License-Identifier: MIT
"""The rules that need object files: what the engine imports, holds and exports, and which
functions are used by nobody else. Everything is compiled here, into a folder that vanishes.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile

from .tree import ENGINE, LAYERS

GCC, CLANG, NM, SIZE = "gcc", "clang-14", "llvm-nm-14", "llvm-size-14"
TOOLS = (GCC, CLANG, NM, SIZE)

COMMON = ["-std=c11", "-Iinclude", "-Isrc", "-Wall", "-Wextra", "-Werror", "-c"]
FREESTANDING = ["-O2", "-ffreestanding"]
# Position independent, because that is where constant tables with pointers differ from others.
TARGETS = {
    "gcc": [GCC, "-fPIC"] + FREESTANDING,
    "clang": [CLANG, "-fPIC"] + FREESTANDING,
    "aarch64": [CLANG, "--target=aarch64-linux-gnu", "-fPIC"] + FREESTANDING,
    "wasm32": [CLANG, "--target=wasm32"] + FREESTANDING,
}
HOSTED = [GCC, "-O0", "-D_GNU_SOURCE=", "-w"]
LIBRARIES = ("libseccomp", "libcjson", "libpcap")

MEMORY = {"memcpy", "memmove", "memset", "memcmp"}
# What a linker defines by itself.
LINKER = {
    "_GLOBAL_OFFSET_TABLE_", "__stack_pointer", "__indirect_function_table", "__linear_memory",
    "__memory_base", "__table_base",
}
SYMBOLS = "src/parley.symbols"


class Object:
    """One compiled file: where it came from, what it defines for others and wants from them."""

    def __init__(self, file, target, path):
        self.file = file
        self.target = target
        self.path = path
        self.defined = set()
        self.undefined = set()
        self.commons = set()

    def read_symbols(self):
        for line in run([NM, "--format=posix", "--no-weak", self.path]).stdout.splitlines():
            fields = line.split()
            if len(fields) < 2:
                continue
            name, kind = fields[0], fields[1]
            if kind == "U":
                self.undefined.add(name)
            elif kind == "C":
                self.commons.add(name)
            elif kind.isupper():
                self.defined.add(name)


def run(command, cwd=None):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def library_flags():
    """Where the libraries' headers are, as far as pkg-config knows them."""
    flags = []
    for library in LIBRARIES:
        flags += run(["pkg-config", "--cflags", library]).stdout.split()
    return flags


def compile_one(tree, file, target, command, folder):
    """The Object, or None and a finding."""
    path = os.path.join(folder, target + "-" + file.path.replace("/", "_") + ".o")
    done = run(command + COMMON + [file.path, "-o", path], cwd=tree.root)
    if done.returncode:
        first = re.search(r"^(\S+?):(\d+):\d+: .*?error: (.*)$", done.stderr, re.MULTILINE)
        where = (first.group(1), int(first.group(2))) if first else (file.path, 1)
        what = first.group(3) if first else done.stderr.strip().split("\n")[0]
        tree.found(where[0], where[1], "compile", f"for {target}: {what}")
        return None
    made = Object(file, target, path)
    made.read_symbols()
    return made


def compile_all(tree, folder):
    """The engine's objects for each target, the others' once; None stands for a failure."""
    jobs = []
    for file in tree.sources(ENGINE):
        jobs += [(file, target, command) for target, command in TARGETS.items()]
    hosted = HOSTED + library_flags()
    others = [layer for layer in LAYERS if layer not in ENGINE]
    jobs += [(file, "hosted", hosted) for file in tree.sources(others)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return list(pool.map(lambda job: compile_one(tree, *job, folder), jobs))


def check_imports(tree, objects):
    """The engine's objects want nothing but each other and the four memory functions."""
    for target in TARGETS:
        mine = [o for o in objects if o.target == target]
        known = MEMORY | LINKER
        for one in mine:
            known = known | one.defined
        for one in mine:
            for name in sorted(one.undefined - known):
                tree.found(one.file.path, 1, "import", f"for {target}: wants {name}")


def check_data(tree, objects):
    """The engine has no variables outside what it is handed."""
    for one in objects:
        if one.target not in TARGETS or one.target == "wasm32":
            continue
        for line in run([SIZE, "-A", one.path]).stdout.splitlines():
            fields = line.split()
            if len(fields) < 2 or not fields[1].isdigit() or fields[1] == "0":
                continue
            section = fields[0]
            variable = section.startswith((".data", ".bss", ".tdata", ".tbss"))
            if variable and not section.startswith(".data.rel.ro"):
                what = f"for {one.target}: {section} holds {fields[1]} bytes"
                tree.found(one.file.path, 1, "data", what)
        for name in sorted(one.commons):
            tree.found(one.file.path, 1, "data", f"for {one.target}: {name} is a variable")


def check_linkage(tree, objects):
    """What no other file uses is static. Tests and examples count as users."""
    outside = set()
    for file in tree.files:
        if file.top != "src" and not file.public:
            outside |= {t.text for t in file.all_tokens() if t.kind == "name"}
    native = [o for o in objects if o.target in ("gcc", "hosted")]
    for one in native:
        wanted = set(outside)
        for other in native:
            if other is not one:
                wanted |= other.undefined
        for name in sorted(one.defined - wanted - {"main"}):
            if name.startswith("parley_") and one.file.engine:
                continue
            what = f"{name} is used in this file alone: make it static, or remove it"
            tree.found(one.file.path, line_of(one.file, name), "linkage", what)


def line_of(file, name):
    for function in file.functions:
        if function.name == name:
            return function.first
    lines = [t.line for t in file.source.tokens if t.text == name]
    return lines[0] if lines else 1


def declared_functions(file):
    """{name: line} of the functions that a public header declares."""
    found, depth, head = {}, 0, []
    for token in file.source.tokens:
        if token.text == "{" and [t.text for t in head] != ["extern", '"C"']:
            depth += 1
        elif token.text == "}":
            depth = max(0, depth - 1)
        if token.text in ("{", "}", ";"):
            head = []
            continue
        texts = {t.text for t in head}
        if depth == 0 and token.text == "(" and head and not texts & {"static", "typedef", "("}:
            if head[-1].text.startswith("parley_"):
                found[head[-1].text] = head[-1].line
        head.append(token)
    return found


def check_symbols(tree, objects):
    """The interface: headers declare, objects define and the committed list names the same."""
    defined = {}
    for one in objects:
        if one.target == "gcc":
            defined.update({n: one.file for n in one.defined if n.startswith("parley_")})
    declared = {}
    for file in tree.files:
        if file.public:
            lines = declared_functions(file)
            declared.update({name: (file.path, line) for name, line in lines.items()})
    for name in sorted(set(declared) - set(defined)):
        path, line = declared[name]
        tree.found(path, line, "interface", f"{name} is declared and nowhere defined")
    for name in sorted(set(defined) - set(declared)):
        file = defined[name]
        what = f"{name} is exported, and no header in include/ declares it"
        tree.found(file.path, line_of(file, name), "interface", what)
    check_list(tree, set(defined))


def check_list(tree, defined):
    listed = (tree.read(SYMBOLS) or "").split("\n")
    names = [line for line in listed if line]
    if names != sorted(set(names)):
        tree.found(SYMBOLS, 1, "symbols", "the list is not sorted, or names something twice")
    for name in sorted(set(names) - defined):
        tree.found(SYMBOLS, listed.index(name) + 1, "symbols", f"{name} is not exported")
    for name in sorted(defined - set(names)):
        tree.found(SYMBOLS, 1, "symbols", f"{name} is exported and not listed")


RULES = (check_imports, check_linkage, check_symbols)
NAMES = ("compile", "import", "data", "linkage", "interface", "symbols")


def missing_tools():
    return [tool for tool in TOOLS if not shutil.which(tool)]


def check_objects(tree):
    with tempfile.TemporaryDirectory(prefix="parley-check-") as folder:
        objects = compile_all(tree, folder)
        check_data(tree, [one for one in objects if one])
        if None in objects:
            return  # who uses what cannot be told from a part of the objects
        for rule in RULES:
            rule(tree, objects)
