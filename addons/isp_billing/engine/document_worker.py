"""Sets documents by Typst in a process that can open nothing: no file, no socket, no program.

Run by :mod:`documents`, never imported by Odoo. When the fonts are in memory the process gives up
its right to new file descriptors for good, so whatever a template does, the kernel refuses it. Each
request is one JSON object, each answer ``(b"+" + file)`` or ``(b"-" + JSON of the error)``, both
after their length in four bytes.
"""

import importlib.util
import json
import os
import resource
import struct
import sys

LENGTH = struct.Struct(">I")
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
        code = ""
        if url := request["code"]:
            code = f"#(bill.pay.qr = {read(dump(qr_code.make(url)))});"
        # In the text and not as an input of the compiler: other inputs make it forget what it has
        # set before. On the template's first line, so that lines keep their numbers.
        text = f"#let bill = {read(common)} + {read(request['bill'])};{code}{template}"
        try:
            options = request["options"]
            content = compiler.compile(input=text.encode(), pdf_tags=False, **options)
            # Pictures come one a page.
            answer = b"+" + (content[0] if isinstance(content, list) else content)
        except typst.TypstError as error:
            answer = b"-" + dump([error.message, error.diagnostic, error.hints]).encode()
        target.write(LENGTH.pack(len(answer)) + answer)
        target.flush()


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
