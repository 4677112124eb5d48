# SPDX-License-Identifier: MIT
"""C source as tokens and preprocessor lines, which is all of C that the rules need to see.

A token keeps its line number. Comments vanish, literals become one token each, a backslash before
a newline joins lines. Nothing is expanded or included.
"""
import re
from typing import List, NamedTuple


class Token(NamedTuple):
    kind: str  # "name", "number", "string" or "punct"
    text: str
    line: int


class Directive(NamedTuple):
    name: str  # "include", "if", "define", ...
    rest: str  # what follows, without comments
    line: int


class Source(NamedTuple):
    tokens: List[Token]  # outside preprocessor lines
    directives: List[Directive]
    directive_tokens: List[Token]  # inside preprocessor lines


PATTERN = re.compile(
    r"""
    (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"|[uUL]?'(?:\\.|[^'\\\n])*')
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<newline>\n)
  | (?P<space>[ \t\f\v\r]+)
  | (?P<punct>->|\+\+|--|<<=|>>=|<<|>>|[<>=!&|+\-*/%^]=|&&|\|\||\.\.\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def raw_tokens(text):
    """All tokens with newlines, comments dropped, lines counted as in the file."""
    # A joined line is marked with a character that C does not have, so that it can be counted.
    text = text.replace("\\\n", "\x00")
    line = 1
    for match in PATTERN.finditer(text):
        kind, piece = match.lastgroup, match.group()
        if kind == "punct" and piece == "\x00":
            line += 1
            continue
        if kind not in ("comment", "space"):
            yield Token(kind, piece.replace("\x00", ""), line)
        line += piece.count("\n") + piece.count("\x00")


def directive_of(tokens):
    """The Directive that a line's tokens (from '#' on) make."""
    name = tokens[1].text if len(tokens) > 1 else ""
    rest = tokens[2:]
    joined = "".join(t.text if name == "include" else t.text + " " for t in rest)
    return Directive(name, joined.strip(), tokens[0].line)


def scan(text):
    """Splits a file into its tokens and its preprocessor lines."""
    tokens, directives, inside = [], [], []
    line_tokens = []

    def finish():
        if line_tokens and line_tokens[0].text == "#":
            directives.append(directive_of(line_tokens))
            inside.extend(line_tokens)
        else:
            tokens.extend(line_tokens)
        line_tokens.clear()

    for token in raw_tokens(text):
        if token.kind == "newline":
            finish()
        else:
            line_tokens.append(token)
    finish()
    return Source(tokens, directives, inside)
