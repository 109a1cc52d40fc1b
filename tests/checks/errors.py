# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors: what a function returns says whether it failed, and one that succeeds leaves err as it was (base/err.h)."""
import re

import tree

# path and parameter: why it may be asked whether it holds an error.
EXCEPTIONS = {("broker/hypervisor/disk/overlay.c", "first"): "it keeps the first error of many, and begins without one"}

# An error that is handed in as const is a value like others; this is one that the function fills.
PARAMETER = re.compile(r"(?<!const )struct pst_err \*\s*(\w+)\s*[,)]")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
INITIALIZER = re.compile(r"^\s+(?:const )?\w[\w ]*? \*?\w+ = pst_err_(?:set|sys|wrap)\(", re.M)
DROPPED = re.compile(r"\(void\)\s*[\w.>-]+\(")


def blank(match):
    """As many lines as before, and nothing in them."""
    return '""' if match[0][0] in "\"'" else "\n" * match[0].count("\n")


def functions(text):
    """(line, head, body) of each, as they stand here: the braces of a function alone begin a line."""
    end = 0
    for match in re.finditer(r"^\{\n(.*?)^\}", text, re.M | re.S):
        head = re.split(r"\n\s*\n|^\}.*\n|;\s*\n", text[end:match.start()], flags=re.M)[-1]
        end = match.end()
        yield text.count("\n", 0, match.start(1)) + 1, head, match[1]


def call_end(text, at):
    """Behind the parenthesis that closes the one before at."""
    depth = 1
    while depth and at < len(text):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def conditions(name):
    """Asking an error whether there is one, and taking one back; a PST_E… in the question is fine."""
    code = rf"(?<![\w>.&]){name}->code"
    return (
        (re.compile(rf"{code}\s*(?:[<>]=?|[!=]=)\s*0|!{code}|{code}\s*(?:\?|&&|\|\|)|(?:&&|\|\|)\s*{code}\s*\)|(?:if|while) \({code}\)"),
            "a condition on {name}->code: ask the result of the call"),
        (re.compile(rf"(\w+) < 0 \? \1 : {code};"), "{name}->code is what a success returns"),
        (re.compile(rf"{code}\s*=\s*0\b|(?<!\w)\*{name}\s*=\s*\(struct pst_err\)\s*PST_ERR_INIT"),
            "{name} is taken back: give what may fail an error of its own"),
    )


def look(path):
    text = STRING.sub(blank, COMMENT.sub(blank, tree.text(path)))
    for first, head, body in functions(text):
        names = {name for name in PARAMETER.findall(head) if (path, name) not in EXCEPTIONS}
        rules = [(pattern, words.format(name=name)) for name in sorted(names | {r"\w+->err"}) for pattern, words in conditions(name)]
        if names:
            rules.append((INITIALIZER, "the error is filled before anything has failed"))
        for pattern, words in rules:
            for match in pattern.finditer(body):
                yield first + body.count("\n", 0, match.start()), words.replace(r"\w+->", "…->")
        for match in DROPPED.finditer(body) if names else ():
            given = body[match.end():call_end(body, match.end())]
            for name in names & set(re.findall(r"(?<![\w>.&])\w+(?=\s*[,)])", given)):
                yield first + body.count("\n", 0, match.start()), f"the result of a call that fills {name} is dropped"


findings = [f"{path}:{line}: {words}" for path in tree.files(tree.PROGRAM_DIRS, (".c",)) for line, words in look(path)]

tree.finish("errors", findings, "Decide by what the call returned. Whoever tries and recovers gives the try an error of its own "
            "(struct pst_err why = PST_ERR_INIT) and hands that up with pst_err_pass.")
