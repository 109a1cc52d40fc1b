#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the modules of each page into one file and its styles into another, in an installed web directory.

usage: bundle.py DIRECTORY

A page of 40 modules takes a browser as many questions over six connections. The bundles are compressed and their names tell what is in them, so browsers keep them for
good and ask for nothing the next time. The modules stay where they are: index.html alone changes, and what is loaded by import() still comes from them.

It understands what our modules do: imports by name, by "* as" or for their effect, exports by declaration or list, all at the beginning of a line and from beside them.
Whatever else begins so is an error, and so is a circle.
"""

import gzip
import hashlib
import os
import re
import sys

PAGES = ("client", "portal", "console", "novnc")
IMPORT = re.compile(r"^import\s+(?:(\{[^}]*\}|\*\s+as\s+\w+)\s+from\s+)?'(\.[^']+)';$", re.M)
EXPORT_FROM = re.compile(r"^export\s+\{([^}]*)\}\s+from\s+'(\.[^']+)';$", re.M)
EXPORT_LIST = re.compile(r"^export\s+\{([^}]*)\};$", re.M)
EXPORT = re.compile(r"^export\s+((?:async\s+)?function\*?|class|const)\s+(\w+|\[[\w, ]*\])", re.M)
DYNAMIC = re.compile(r"\bimport\('(\.[^']+)'\)")
WORKER = re.compile(r"new URL\('(\.[^']+)', import\.meta\.url\)")
UNKNOWN = re.compile(r"^(?:import|export)\b(?!\().*$", re.M)
LINK = re.compile(r"^\t<link rel=\"(stylesheet|modulepreload)\" href=\"([^\"]+)\">\n", re.M)
SCRIPT = re.compile(r"<script type=\"module\" src=\"([^\"]+)\"></script>")


class Problem(Exception):
    pass


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def beside(path, name):
    return os.path.normpath(os.path.join(os.path.dirname(path), name))


def names(text):
    """{a, b as c} as pairs of the name there and the name here."""
    parts = (part.split() for part in text.strip("{} \t\n").split(",") if part.strip())
    return [(part[0], part[-1]) for part in parts]


class Bundle:
    """The modules that one entry needs, those that are imported before those that import."""

    def __init__(self, folder):
        self.folder = folder  # where the bundle will lie
        self.numbers = {}
        self.texts = []
        self.preloads = []

    def add(self, path):
        if self.numbers.get(path) == 0:
            raise Problem("%s: imports itself by a circle" % path)
        if path in self.numbers:
            return
        self.numbers[path] = 0
        text, exports = read(path), []
        for pattern in (IMPORT, EXPORT_FROM):
            for match in pattern.finditer(text):
                self.add(beside(path, match.group(2)))
        body = self.body(path, text, exports)
        self.numbers[path] = len(self.texts) + 1
        self.texts.append("const m%d = (() => {\n%s\nreturn { %s };\n})();\n" % (self.numbers[path], body.strip("\n"), ", ".join(exports)))

    def body(self, path, text, exports):
        def imported(match):
            what, number = match.group(1), self.numbers[beside(path, match.group(2))]
            if not what:
                return ""
            if what.startswith("*"):
                return "const %s = m%d;" % (what.split()[-1], number)
            return "const { %s } = m%d;" % (", ".join("%s: %s" % pair if pair[0] != pair[1] else pair[0] for pair in names(what)), number)

        def passed_on(match):
            number = self.numbers[beside(path, match.group(2))]
            exports.extend("%s: m%d.%s" % (here, number, there) for there, here in names(match.group(1)))
            return ""

        def listed(match):
            exports.extend("%s: %s" % (here, there) for there, here in names(match.group(1)))
            return ""

        def declared(match):
            exports.extend(re.findall(r"\w+", match.group(2)))
            return "%s %s" % (match.group(1), match.group(2))

        text = EXPORT_FROM.sub(passed_on, IMPORT.sub(imported, text))
        text = EXPORT.sub(declared, EXPORT_LIST.sub(listed, text))
        unknown = UNKNOWN.search(text)
        if unknown:
            raise Problem("%s: not understood: %s" % (path, unknown.group(0)))
        text = DYNAMIC.sub(lambda match: "import('%s')" % self.from_here(beside(path, match.group(1))), text)
        return WORKER.sub(lambda match: self.worker(beside(path, match.group(1))), text)

    def from_here(self, path):
        name = os.path.relpath(path, self.folder)
        return name if name.startswith(".") else "./" + name

    def worker(self, path):
        inner = Bundle(os.path.dirname(path))
        inner.add(path)
        name = self.from_here(write(os.path.dirname(path), "js", inner.text()))
        self.preloads.append(name)
        return "new URL('%s', import.meta.url)" % name

    def text(self):
        return "".join(self.texts)


def write(folder, kind, text):
    """Returns the path of the compressed file."""
    data = text.encode()
    path = os.path.join(folder, "bundle-%s.%s.gz" % (hashlib.sha256(data).hexdigest()[:16], kind))
    with open(path, "wb") as f:
        f.write(gzip.compress(data, 9, mtime=0))
    os.chmod(path, 0o644)
    return path


def forget(folder):
    """The bundles of an earlier version."""
    for name in os.listdir(folder):
        if re.fullmatch(r"bundle-[0-9a-f]{16}\.(js|css)\.gz", name):
            os.remove(os.path.join(folder, name))


def styles(paths):
    text = "".join(read(path) for path in paths)
    if re.search(r"url\(|@import", text):
        raise Problem("%s: addresses in styles are not understood" % paths[0])
    return text


def bundle_page(top, page):
    folder = os.path.join(top, page)
    path = os.path.join(folder, "index.html")
    html = read(path)
    entry = SCRIPT.search(html)
    if not entry:
        raise Problem("%s: has no module" % path)
    locate = lambda name: os.path.join(top, name[1:]) if name.startswith("/") else beside(path, name)
    prefix = "/%s/" % page if entry.group(1).startswith("/") else ""
    modules = Bundle(folder)
    modules.add(locate(entry.group(1)))
    script = os.path.basename(write(folder, "js", modules.text()))
    sheet = os.path.basename(write(folder, "css", styles([locate(href) for rel, href in LINK.findall(html) if rel == "stylesheet"])))
    preloads = "".join("\t<link rel=\"preload\" as=\"script\" crossorigin href=\"%s\">\n" % (prefix + name) for name in modules.preloads)
    html = LINK.sub("", html)
    html = SCRIPT.sub(("<script type=\"module\" src=\"%s\"></script>\n\t<link rel=\"stylesheet\" href=\"%s\">\n%s" % (prefix + script, prefix + sheet, preloads)).rstrip("\n"), html)
    # In one step: a page that is being asked for meanwhile is the old one or the new one.
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(html)
    os.chmod(path + ".new", 0o644)
    os.replace(path + ".new", path)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: bundle.py DIRECTORY")
    try:
        for page in PAGES:
            forget(os.path.join(sys.argv[1], page))
        for page in PAGES:
            bundle_page(sys.argv[1], page)
    except (Problem, OSError) as reason:
        sys.exit("bundle.py: %s" % reason)


if __name__ == "__main__":
    main()
