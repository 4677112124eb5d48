# SPDX-License-Identifier: MIT
"""Spoils labelled lines one at a time, and sees whether the tests with the label notice.

The object files of src/ are made once, without optimisation, and each mutant costs one of them, a
link of each program that has a test with the label, and its run. A mutant is killed by a label when
a test with that label fails, crashes or never ends. It is enough that one mutant is.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

LAYERS = ("base", "wire", "tcp", "net", "sock", "sim")
FLAGS = ["-std=c11", "-O1", "-w", "-Iinclude", "-Isrc", "-D_GNU_SOURCE=", "-DNDEBUG="]
SETTINGS = "include/parley/setting.h"
RUN_SECONDS = 60

SWAPS = [("<=", ">"), (">=", "<"), ("==", "!="), ("!=", "=="), ("&&", "||"), ("||", "&&"),
         ("seq_gt(", "seq_leq("), ("seq_leq(", "seq_gt("), ("seq_geq(", "seq_lt("),
         ("seq_lt(", "seq_geq("), ("seq_max(", "seq_sub("), ("<<", ">>"), ("true", "false"),
         ("false", "true")]
PATTERNS = [(r" < ", " >= "), (r" > ", " <= "), (r" \+ ", " - "), (r" - ", " + "),
            (r" & ", " | "), (r" \| ", " ^ "), (r" \* ", " + "), (r" / ", " * "),
            (r" \+= ", " -= "), (r" -= ", " += "), (r" \|= ", " &= "), (r" &= ", " |= ")]
CONTROL = re.compile(r"^(\s*(?:\} else )?(?:if|while) \()(.*)\)( \{)?$")
OPEN_CONTROL = re.compile(r"^(\s*(?:\} else )?(?:if|while) \()(.*(?:&&|\|\|))$")


def without_comments(line):
    return re.sub(r"/\*.*?\*/", "", line).rstrip()


def controls(line):
    """The condition of an if or while the other way round."""
    whole = CONTROL.match(line)
    if whole:
        yield f"{whole.group(1)}!({whole.group(2)})){whole.group(3) or ''}"
    part = OPEN_CONTROL.match(line)
    if part:
        condition, operator = part.group(2)[:-2].rstrip(), part.group(2)[-2:]
        if condition.count("(") == condition.count(")"):
            yield f"{part.group(1)}!({condition}) {operator}"


def exchanges(line):
    for found in list(re.finditer(r"(?<![\w ] )(?<!^)(\(\w+\))?\b[a-z_0-9]+\([^()]*\)", line))[:3]:
        yield line[:found.start()] + "0" + line[found.end():]
    for old, new in SWAPS:
        if old in line:
            yield line.replace(old, new, 1)
    for old, new in PATTERNS:
        for found in list(re.finditer(old, line))[:2]:
            yield line[:found.start()] + new + line[found.end():]
    for found in list(re.finditer(r"\b(?<!\.)\d+\b(?!\.)", line))[:2]:
        yield line[:found.start()] + str(int(found.group()) + 1) + line[found.end():]
    choice = re.match(r"(.* \? )([^?:]+) : ([^?:]+?)([;,)].*)$", line)
    if choice:
        yield f"{choice.group(1)}{choice.group(3)} : {choice.group(2)}{choice.group(4)}"


def deletions(line):
    """The statement left out, or a value of nothing instead."""
    indent = line[:len(line) - len(line.lstrip())]
    bare = line.strip()
    if re.match(r"return .*;$", bare):
        yield indent + "return 0;"
        yield f"{indent}return !({bare[7:-1]});"
    elif re.match(r"[\w>.\-\[\]\s*]+ [|&+\-*]?= .*;$", bare) and "==" not in bare.split("=")[0]:
        if re.match(r"[\w>.\-\[\]]+ [|&+\-*]?= ", bare):
            yield indent + ";"
        else:
            yield f"{indent}{bare.split(' = ')[0]} = 0;"
    elif re.match(r"\(?\w+\)?\(.*\);$", bare) or re.match(r"\w+(\+\+|--);$", bare):
        yield indent + ";"
    field = re.match(r"(\.\w+ = ).*,$", bare)
    if field:
        yield f"{indent}{field.group(1)}0,"
    if re.match(r"^\(?\w+\(.*\) (\|\||&&)$", bare) or re.match(r"return .* (\|\||&&)$", bare):
        yield re.sub(r"(return )?(\S.*) (\|\||&&)$",
                     lambda m: f"{m.group(1) or ''}!({m.group(2)}) {m.group(3)}", line, count=1)


def mutants_of_row(line):
    """Of a row of the table of settings: the values behind the label."""
    head, end, values = line.partition("*/")
    for number in list(re.finditer(r"\b\d+\b", values)):
        for value in (0, 1, 1000000):
            if value != int(number.group()):
                yield head + end + values[:number.start()] + str(value) + values[number.end():]


def mutants_of_line(line):
    line, seen = without_comments(line), set()
    for change in (controls, deletions, exchanges):
        for mutant in change(line):
            if mutant != line and mutant not in seen:
                seen.add(mutant)
                yield mutant


def is_comment(line):
    bare = without_comments(line).strip()
    return not bare or bare.startswith(("/*", "* ", "*/"))


def is_code(line):
    bare = without_comments(line).strip()
    return bool(bare) and not bare.startswith(("/*", "*", "case ", "{", "}", "default:")) and \
        not re.match(r"(static|struct|enum|const|bool|uint\w+_t) [^=]*;$", bare)


def labelled_lines(lines, label):
    """Numbers of the lines that a label stands at: its own, the next, or the function below."""
    for number, line in enumerate(lines):
        if not re.search(rf"\b{label}\b", line):
            continue
        if is_comment(line):
            below = number
            while is_comment(lines[below]) and below + 1 < len(lines):
                below += 1
            if lines[below][:1].isspace():
                yield from range(below, min(below + 3, len(lines)))
            else:
                end = lines.index("}", below)
                yield from range(lines.index("{", below, end) + 1, end)
        else:
            yield number
            # A statement or condition that goes on in the next lines is one.
            if not re.search(r"[;{]\s*(/\*.*)?$", line):
                yield from range(number + 1, min(number + 3, len(lines)))


class Workshop:
    """A copy of the tree with all object files."""

    def __init__(self, root):
        self.root = tempfile.mkdtemp()
        for name in ("include", "src", "tests"):
            shutil.copytree(os.path.join(root, name), os.path.join(self.root, name))
        self.sources = [p for layer in LAYERS for p in self.find(f"src/{layer}/*.c")
                        if not p.endswith("must_release.c")]
        for path in self.sources:
            if not self.compile(path):
                raise OSError(f"{path} does not compile")
        self.programs = {}

    def find(self, pattern):
        found = glob.glob(os.path.join(self.root, pattern))
        return sorted(os.path.relpath(p, self.root) for p in found)

    def close(self):
        shutil.rmtree(self.root)

    def command(self, *args):
        return subprocess.run(args, cwd=self.root, capture_output=True, check=False).returncode

    def compile(self, path):
        return self.command("gcc", *FLAGS, "-c", path, "-o", path + ".o") == 0

    def support(self, program):
        """The object files of a test program: its own, and those that help the tests beside it."""
        if program not in self.programs:
            folder = os.path.dirname(program)
            helpers = [p for p in self.find(folder + "/*.c")
                       if not os.path.basename(p).startswith("test_")]
            for path in [program] + helpers:
                if not self.compile(path):
                    raise OSError(f"{path} does not compile")
            self.programs[program] = [path + ".o" for path in [program] + helpers]
        return self.programs[program]

    def run(self, program):
        """(ended well, what was said) of one test program with the objects of now."""
        # From an archive only what is wanted is taken: a test may bring its own parley_*().
        objects = [p + ".o" for p in self.sources]
        if self.command("ar", "crsP", "all.a", *objects) or \
                self.command("gcc", "-o", "a.out", *self.support(program), "all.a", "-lcmocka",
                             "-lcjson"):
            raise OSError(f"{program} does not link")
        try:
            run = subprocess.run(["./a.out"], cwd=self.root, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=RUN_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            return False, (error.stdout or b"").decode(errors="replace")
        return run.returncode == 0, run.stdout.decode(errors="replace")


def failed_tests(said):
    """The tests that failed, and the one that did not come to an end."""
    failed = set(re.findall(r"^\[  FAILED  \] (?!\d+ test)(.+)$", said, re.M))
    begun = re.findall(r"^\[ RUN      \] (.+)$", said, re.M)
    if begun and f"[       OK ] {begun[-1]}" not in said:
        failed.add(begun[-1])
    return failed


def kills(workshop, tests):
    """The first test with the label that fails, or None."""
    for program in sorted({test.split(":")[0] for test in tests}):
        names = {test.split(":")[1] for test in tests if test.startswith(program + ":")}
        well, said = workshop.run(program)
        failed = failed_tests(said)
        if not well and (names & failed or (failed and "/test_cells_" in program)):
            return f"{program}:{min(names & failed or failed)}"
    return None


def try_label(workshop, row, files):
    """(number of mutants tried, what killed the last of them or None)."""
    tried = 0
    for path in files:
        full = os.path.join(workshop.root, path)
        with open(full, encoding="utf-8") as file:
            text = file.read()
        lines, object_of = text.split("\n"), "src/tcp/settings.c" if path == SETTINGS else path
        for number in dict.fromkeys(labelled_lines(lines, row.label)):
            if not is_code(lines[number]):
                continue
            make = mutants_of_row if path == SETTINGS else mutants_of_line
            for mutant in make(lines[number]):
                spoilt = lines[:number] + [mutant] + lines[number + 1:]
                with open(full, "w", encoding="utf-8") as file:
                    file.write("\n".join(spoilt))
                compiled = workshop.compile(object_of)
                killer = kills(workshop, row.tests) if compiled else None
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
                tried += compiled
                if killer:
                    workshop.compile(object_of)
                    return tried, f"{path}:{number + 1} `{mutant.strip()}` by {killer}"
        workshop.compile(object_of)
    return tried, None


def run_mutants(root, table, wanted):
    """Reports on each requirement that is done; returns how many survived."""
    workshop, survived, done = Workshop(root), 0, 0
    try:
        for row in table.values():
            if not row.code or not row.tests or (wanted and row.label not in wanted):
                continue
            files = list(dict.fromkeys(place.split(":")[0] for place in row.code))
            tried, killer = try_label(workshop, row, files)
            done += 1
            survived += not killer
            print(f"{row.label}: " + (f"killed: {killer}" if killer
                                      else f"SURVIVED, {tried} mutants"), flush=True)
    finally:
        workshop.close()
    print(f"{done} labels, {survived} survived")
    return survived


if __name__ == "__main__":
    sys.exit("run scripts/requirements --mutants")
