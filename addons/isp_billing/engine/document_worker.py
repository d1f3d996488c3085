"""Sets documents by Typst in a process that can open nothing: no file, no socket, no program.

Run by :mod:`documents`, never imported by Odoo. When the fonts are in memory the process gives up
its right to new file descriptors for good, so whatever a template does, the kernel refuses it. Each
request is one JSON object, each answer ``(b"+" + file)`` or ``(b"-" + JSON of the error)``, both
after their length in four bytes.
"""

import importlib.util
import json
import os
import re
import resource
import struct
import sys

LENGTH = struct.Struct(">I")
COUNT = re.compile(rb"/Type/Pages/Count (\d+)")
# A template can make a list of a billion things; it must not take the machine with it.
MEMORY_BYTES = 2 << 30
# Whatever is not read now never will be.
FIRST_PAGE = "".join(
    f'#text(font: "{family}", weight: {weight})[{sample}]\n'
    for family, sample in (
        ("Noto Sans", "a"),
        ("Noto Sans Bengali", "ক"),
        ("Noto Sans Devanagari", "क"),
    )
    for weight in (400, 700)
).encode()


def main(font_folder, empty_folder):
    """Answer requests until the caller closes its end."""
    import typst

    qr_code = load("qr_code")

    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[font_folder]
    )
    compiler = typst.Compiler(
        root=empty_folder,
        font_paths=fonts,
        ignore_system_fonts=True,
        package_path=empty_folder,
        package_cache_path=empty_folder,
    )
    compiler.compile(input=FIRST_PAGE, format="pdf")
    qr_code.make("https://example.com")
    source, target = sys.stdin.buffer, sys.stdout.buffer
    lock_up()
    template, common = "", "{}"
    while header := source.read(LENGTH.size):
        request = json.loads(source.read(*LENGTH.unpack(header)))
        template = request.get("template", template)
        common = request.get("common", common)
        bill = f"#let bill = {read(common)} + {read(request['bill'])};"
        if url := request["code"]:
            bill += f"#(bill.pay.qr = {read(dump(qr_code.make(url)))});"
        try:
            answer = b"+" + set_page(compiler, bill, template, request["options"])
        except typst.TypstError as error:
            answer = b"-" + dump([error.message, error.diagnostic, error.hints]).encode()
        target.write(LENGTH.pack(len(answer)) + answer)
        target.flush()


def set_page(compiler, bill, template, options):
    """The file of one document; of several pictures, one a page, the first.

    Counting pages means setting them twice, so a document is first told that it has one. The data
    stand in the text and are no input of the compiler, whom another input makes forget what it has
    set before; on the template's first line, so that its lines keep their numbers.
    """
    for pages in ("1", "none"):
        text = f"{bill}#(bill.pages = {pages});{template}"
        content = compiler.compile(input=text.encode(), pdf_tags=False, **options)
        contents = content if isinstance(content, list) else [content]
        count = COUNT.search(contents[0])
        if len(contents) == 1 and (not count or count[1] == b"1"):
            break
    return contents[0]


def load(name):
    """A module beside this one, by its path: the name may be anybody's."""
    path = os.path.join(os.path.dirname(__file__), f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dump(value):
    return json.dumps(value, ensure_ascii=False)


def read(text):
    """Typst code that reads ``text``, which is JSON."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'json(bytes("{text}"))'


def lock_up():
    """Keep what is open, and never open anything again; there is no way back."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


if __name__ == "__main__":
    sys.path[:] = json.loads(sys.argv[3])
    main(*sys.argv[1:3])
