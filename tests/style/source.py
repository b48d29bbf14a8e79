# tests/style/source.py - SPDX-License-Identifier: MIT
"""C text as the rules see it: without comments and strings, cut into functions and statements."""

import re
from dataclasses import dataclass

HIDDEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
TOKEN = re.compile(r'[A-Za-z_]\w*|\d[\w.]*|\S')
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
OPENING, CLOSING = '([{', ')]}'
LOOPS = {'for', 'while', 'switch'}


@dataclass
class Token:
    text: str
    line: int


@dataclass
class Function:
    name: str
    line: int       # of its return type
    length: int     # to its closing brace, both lines counted
    nesting: int    # of control statements
    deepest: int    # line of the innermost one


def blank(text):
    """Spaces of the same extent, so that lines and columns stay."""
    return re.sub(r'[^\n]', ' ', text)


def hide_comments(text):
    return HIDDEN.sub(lambda m: blank(m[0]) if m[0][0] == '/' else m[0], text)


def hide_comments_and_strings(text):
    return HIDDEN.sub(lambda m: blank(m[0]) if m[0][0] == '/' else '""' + blank(m[0][2:]), text)


def hide_preprocessor(code):
    """Hides directives with their continuations, and every branch of an #if but the first."""
    lines = code.split('\n')
    branches = []   # one for each open #if: whether its first branch is over
    directive = False
    for number, line in enumerate(lines):
        word = None if directive else re.match(r'\s*#\s*(\w*)', line)
        if word:
            if word[1].startswith('if'):
                branches.append(False)
            elif word[1] in ('else', 'elif') and branches:
                branches[-1] = True
            elif word[1] == 'endif' and branches:
                branches.pop()
        hidden = word or directive or any(branches)
        directive = bool(word or directive) and line.rstrip().endswith('\\')
        if hidden:
            lines[number] = ''
    return '\n'.join(lines)


def list_includes(text):
    """(line, whether in quotes, name) of every #include."""
    shown = hide_comments(text)
    return [(shown.count('\n', 0, match.start(1)) + 1, match[1] == '"', match[2])
            for match in INCLUDE.finditer(shown)]


def tokenize(code):
    return [Token(match[0], number) for number, line in enumerate(code.split('\n'), 1)
            for match in TOKEN.finditer(line)]


def skip_group(tokens, index):
    """Index behind the group that opens at `index`."""
    depth = 0
    while index < len(tokens):
        depth += (tokens[index].text in OPENING) - (tokens[index].text in CLOSING)
        index += 1
        if depth == 0:
            break
    return index


class Body:
    """Walks the statements of one function and keeps the deepest nesting of control statements."""

    def __init__(self, tokens, index):
        self.tokens = tokens
        self.nesting = 0
        self.deepest = tokens[index].line
        self.end = self.statement(index, 0)

    def text(self, index):
        return self.tokens[index].text if index < len(self.tokens) else '}'

    def enter(self, index, depth):
        if depth > self.nesting:
            self.nesting = depth
            self.deepest = self.tokens[index].line
        return depth

    def statement(self, index, depth):
        """Index behind the statement that begins at `index`."""
        word = self.text(index)
        if word == '{':
            return self.block(index, depth)
        if word == 'if':
            return self.choice(index, depth)
        if word in LOOPS:
            inner = self.enter(index, depth + 1)
            return self.statement(skip_group(self.tokens, index + 1), inner)
        if word == 'do':
            inner = self.enter(index, depth + 1)
            return self.simple(self.statement(index + 1, inner))
        if word in ('case', 'default'):
            while self.text(index) not in ':}':
                index += 1
            return index + 1
        if self.text(index + 1) == '(':
            behind = skip_group(self.tokens, index + 1)
            if self.text(behind) == '{':    # a loop written as a macro
                return self.statement(behind, self.enter(index, depth + 1))
        return self.simple(index)

    def block(self, index, depth):
        index += 1
        while self.text(index) != '}':
            index = self.statement(index, depth)
        return index + 1

    def choice(self, index, depth):
        inner = self.enter(index, depth + 1)
        index = self.statement(skip_group(self.tokens, index + 1), inner)
        if self.text(index) != 'else':
            return index
        return self.statement(index + 1, depth if self.text(index + 1) == 'if' else inner)

    def simple(self, index):
        while self.text(index) not in ';}':
            index = skip_group(self.tokens, index) if self.text(index) in OPENING else index + 1
        return index + (self.text(index) == ';')


def name_before(tokens, brace):
    """The name in front of the parameter list that ends before the brace."""
    depth = 0
    for index in range(brace - 1, -1, -1):
        depth += (tokens[index].text in CLOSING) - (tokens[index].text in OPENING)
        if depth == 0:
            return tokens[index - 1].text if index else ''
    return ''


def first_line(lines, line, after):
    """Where the definition around `line` begins: its lines hang together without a blank one."""
    while line - 1 > after and lines[line - 2].strip():
        line -= 1
    return line


def list_functions(text):
    code = hide_preprocessor(hide_comments_and_strings(text))
    lines, tokens = code.split('\n'), tokenize(code)
    functions, index, after, is_value = [], 0, 0, False
    while index < len(tokens):
        token = tokens[index]
        if token.text == '{' and index and tokens[index - 1].text == ')' and not is_value:
            body = Body(tokens, index)
            start = first_line(lines, token.line, after)
            last = tokens[min(body.end, len(tokens)) - 1].line
            functions.append(Function(name_before(tokens, index), start, last - start + 1,
                                      body.nesting, body.deepest))
            index, after = body.end, last
        elif token.text in OPENING:
            index = skip_group(tokens, index)
        else:
            is_value = token.text == '=' or is_value and token.text != ';'
            after = token.line if token.text == ';' else after
            index += 1
    return functions
