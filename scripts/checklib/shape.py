# SPDX-License-Identifier: MIT
"""The shape of C functions: where each begins and ends, and how deep its statements nest.

Depth counts control statements (if, for, while, do, switch) and bare blocks around a statement;
the function's own braces and the chain of an `else if` count nothing. Braces of initialisers and
of compound literals are no blocks.
"""
from typing import List, NamedTuple

OPEN = {"(": ")", "[": "]", "{": "}"}


class Function(NamedTuple):
    name: str
    first: int  # line on which the definition begins
    last: int  # line of the closing brace
    depth: int
    deepest: int  # line of the deepest statement


class Cursor:
    """A place in a list of tokens."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.at = 0

    def peek(self, ahead=0):
        where = self.at + ahead
        return self.tokens[where].text if where < len(self.tokens) else ""

    def line(self):
        where = min(self.at, len(self.tokens) - 1)
        return self.tokens[where].line

    def done(self):
        return self.at >= len(self.tokens)

    def skip_balanced(self):
        """From an opening bracket to behind the one that closes it."""
        depth = 0
        while not self.done():
            text = self.peek()
            self.at += 1
            if text in OPEN:
                depth += 1
            elif text in OPEN.values():
                depth -= 1
                if depth == 0:
                    return


class Body:
    """Walks one function's statements and remembers the deepest."""

    def __init__(self, cursor):
        self.cursor = cursor
        self.depth = 0
        self.deepest = cursor.line()

    def enter(self, depth):
        if depth > self.depth:
            self.depth = depth
            self.deepest = self.cursor.line()

    def block(self, depth):
        """From `{` to behind its `}`; the statements within stand at the given depth."""
        self.cursor.at += 1
        while not self.cursor.done() and self.cursor.peek() != "}":
            self.statement(depth)
        self.cursor.at += 1

    def inner(self, depth):
        """What a control statement controls."""
        if self.cursor.peek() == "{":
            self.block(depth)
        else:
            self.statement(depth)

    def statement(self, depth):
        cursor, text = self.cursor, self.cursor.peek()
        if text == "{":
            self.enter(depth + 1)
            self.block(depth + 1)
        elif text == "if":
            self.conditional(depth)
        elif text in ("for", "while", "switch"):
            self.enter(depth + 1)
            cursor.at += 1
            cursor.skip_balanced()
            self.inner(depth + 1)
        elif text == "do":
            self.enter(depth + 1)
            cursor.at += 1
            self.inner(depth + 1)
            self.simple()
        elif text in ("case", "default"):
            while not cursor.done() and cursor.peek() != ":":
                cursor.at += 1
            cursor.at += 1
        else:
            self.other(depth)

    def conditional(self, depth):
        cursor = self.cursor
        self.enter(depth + 1)
        cursor.at += 1
        cursor.skip_balanced()
        self.inner(depth + 1)
        if cursor.peek() != "else":
            return
        cursor.at += 1
        if cursor.peek() == "if":
            self.conditional(depth)
        else:
            self.inner(depth + 1)

    def other(self, depth):
        """A label, a macro that heads a block, or an expression or declaration."""
        cursor = self.cursor
        kind = cursor.tokens[cursor.at].kind
        if kind == "name" and cursor.peek(1) == ":":
            cursor.at += 2
            return
        if kind == "name" and cursor.peek(1) == "(":
            start = cursor.at
            cursor.at += 1
            cursor.skip_balanced()
            if cursor.peek() == "{":
                self.enter(depth + 1)
                self.block(depth + 1)
                return
            cursor.at = start
        self.simple()

    def simple(self):
        """To behind the next `;`, over all brackets; stops before a `}` that is not its own."""
        cursor = self.cursor
        while not cursor.done():
            text = cursor.peek()
            if text in OPEN:
                cursor.skip_balanced()
                continue
            if text == "}":
                return
            cursor.at += 1
            if text == ";":
                return


def function_name(head):
    """The name of the function that these tokens before a `{` declare, or None."""
    texts = [token.text for token in head]
    if "=" in texts or "(" not in texts or texts[0] == "typedef":
        return None
    if texts[-1] != ")" and head[-1].kind != "name":
        return None
    where = texts.index("(")
    # int (*f(void))(int): the name lies in the first bracket.
    while where > 0 and head[where - 1].kind != "name" and where + 1 < len(head):
        inner = [i for i in range(where + 1, len(head)) if head[i].kind == "name"]
        return head[inner[0]].text if inner else None
    return head[where - 1].text if where > 0 else None


def functions(tokens) -> List[Function]:
    """All function definitions among a file's tokens."""
    found = []
    cursor = Cursor(tokens)
    head = []
    while not cursor.done():
        text = cursor.peek()
        if text == "{" and [t.text for t in head] in (["extern", '"C"'],):
            head = []
            cursor.at += 1
        elif text == "{":
            name = function_name(head) if head else None
            if name is None:
                cursor.skip_balanced()
                head.append(tokens[cursor.at - 1])
                continue
            body = Body(cursor)
            body.block(0)
            last = tokens[min(cursor.at, len(tokens)) - 1].line
            found.append(Function(name, head[0].line, last, body.depth, body.deepest))
            head = []
        elif text in (";", "}"):
            head = []
            cursor.at += 1
        else:
            head.append(tokens[cursor.at])
            cursor.at += 1
    return found
