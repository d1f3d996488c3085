"""The renderer of bills: what is on the page, what a template may not do, and how it fails."""

import io
import os
import re
import signal
import subprocess
from datetime import date
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from pypdf import PdfReader
from qrcode import util
from qrcode.main import QRCode

from engine import qr_code
from engine.document_sample import get_sample, get_samples
from engine.document_text import Currency, Writer
from engine.documents import TEMPLATE_BYTES, DocumentError, Renderer

FOLDER = Path(__file__).parents[2] / "addons/isp_billing/data/documents"
REFERENCES = Path(__file__).parents[1] / "data/documents"
SCREENSHOTS = Path(__file__).parents[2] / "docs/screenshots"
PICTURE_PPI = 60
# Two pictures are alike when no square of 12 pixels differs by more than a tenth of black from
# white. A newer Typst may draw the edge of a letter elsewhere; a missing word is far above it.
SQUARE, TOLERANCE = 12, 26
TAKA = Currency("BDT", "৳")


@pytest.fixture(scope="module")
def renderer():
    renderer = Renderer(workers=2)
    yield renderer
    renderer.close()


@pytest.fixture(scope="module")
def templates():
    return {path.stem: path.read_text() for path in FOLDER.glob("*.typ")}


def text_of(content):
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True
    )
    return done.stdout.decode().replace("\u00a0", " ")


def picture(content):
    return Image.open(io.BytesIO(content)).convert("L")


def largest_difference(left, right):
    assert left.size == right.size
    difference = ImageChops.difference(left, right)
    squares = difference.resize((left.width // SQUARE, left.height // SQUARE), Image.Resampling.BOX)
    return squares.getextrema()[1]


# === THE PAGE === #


@pytest.mark.parametrize("language", ["en", "bn"])
@pytest.mark.parametrize("name", ["bill_a4", "receipt_80", "mushak_63"])
def test_page_looks_like_the_reference(renderer, templates, name, language):
    reference = REFERENCES / f"{name}_{language}.png"
    content = renderer.render(templates[name], get_sample(language), "png", PICTURE_PPI)
    if os.environ.get("ISP_NEW_REFERENCES"):
        picture(content).quantize(16).save(reference, optimize=True)
    assert largest_difference(picture(content), Image.open(reference).convert("L")) <= TOLERANCE
    if os.environ.get("ISP_DOCS_SCREENSHOTS") and name == "bill_a4":
        content = renderer.render(templates[name], get_sample(language), "png", 75)
        page = Image.open(io.BytesIO(content)).convert("RGB")
        page.save(SCREENSHOTS / f"bill_{language}.png", optimize=True)


def test_a_missing_word_is_more_than_the_tolerance(renderer, templates):
    sample = get_sample("en")
    sample["customer"]["name"] = ""
    content = renderer.render(templates["bill_a4"], sample, "png", PICTURE_PPI)
    reference = Image.open(REFERENCES / "bill_a4_en.png").convert("L")
    assert largest_difference(picture(content), reference) > TOLERANCE


def test_the_text_of_a_page_can_be_read_back(renderer, templates):
    text = text_of(renderer.render(templates["bill_a4"], get_sample("en")))
    for words in (
        "Padma Net Ltd.",
        "BIN 000123456-0101",
        "INV/2026/00042",
        "1 – 30 November 2026",
        "c00042",
        "Home 20: 2026-11-01 – 2026-11-30",
        "1,200.00",
        "72.50",
        "৳ 1,522.50",
        "-৳ 1,000.00",
        "One thousand five hundred and twenty-two taka and fifty paisa only",
        "203 GB",
        "Page 1 of 1",
    ):
        assert words in text, words


def test_bengali_conjuncts_are_shaped(renderer):
    """A conjunct is one glyph, narrower than its letters; a vowel sign stands before its letter."""
    template = """
#set text(font: "Noto Sans Bengali")
#let parts = ("ক", "ষ", "দ", "দ")
#context {
  assert(measure("ক্ষ").width < measure("ক").width + measure("ষ").width)
  assert(measure("উদ্দিন").width < measure("উদদিন").width)
}
সালাম উদ্দিন ক্ষৌণীশ
"""
    text = text_of(renderer.render(template, {}))
    assert "উদ্দিন" in text
    assert "সালাম" in text


def test_a_bengali_bill_has_bengali_digits_unless_latin_ones_are_chosen(renderer, templates):
    text = text_of(renderer.render(templates["bill_a4"], get_sample("bn")))
    assert "১,৫২২.৫০" in text
    assert "1,522.50" not in text
    text = text_of(renderer.render(templates["bill_a4"], get_sample("bn", native_digits=False)))
    assert "1,522.50" in text
    assert "১,৫২২.৫০" not in text


def test_markup_in_a_name_is_printed_as_it_is(renderer, templates):
    name = r"#let $x_1$ *A* _b_ @c <d> \e `f` ~ // = [g] {h} /* \"i\" 50%"
    sample = get_sample("en")
    sample["customer"]["name"] = name
    sample["lines"][0]["name"] = name
    for template in templates.values():
        text = re.sub(r"\s+", " ", text_of(renderer.render(template, sample)))
        for word in name.split():
            assert word in text, word


def test_two_hundred_lines_are_on_several_pages_that_count(renderer, templates):
    sample = get_sample("en")
    line = sample["lines"][0]
    sample["lines"] = [line | {"no": str(n), "name": f"Device {n:03}"} for n in range(1, 201)]
    content = renderer.render(templates["bill_a4"], sample)
    pages = len(PdfReader(io.BytesIO(content)).pages)
    assert pages > 3
    text = text_of(content)
    for number in range(1, pages + 1):
        assert f"Page {number} of {pages}" in text
    assert all(f"Device {number:03}" in text for number in range(1, 201))
    picture(renderer.render(templates["bill_a4"], sample, "png", PICTURE_PPI))
    # The head of the table stands on every page that has lines.
    assert text.count("Description") >= pages - 1


def test_a_draft_is_marked_and_asks_for_nothing(renderer, templates):
    draft = get_sample("en") | {"state": "draft", "status": None}
    content = renderer.render(templates["bill_a4"], draft)
    # Across the page, where pdftotext sees single letters.
    assert "Draft" in PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert "How to pay" not in text_of(content)


def test_the_same_data_give_the_same_file(renderer, templates):
    one = renderer.render(templates["bill_a4"], get_sample("bn"))
    renderer.render(templates["bill_a4"], get_sample("en"))
    other = Renderer(workers=1)
    try:
        assert other.render(templates["bill_a4"], get_sample("bn")) == one
    finally:
        other.close()


def test_only_fonts_of_the_addon_are_used(renderer, templates):
    content = renderer.render(templates["bill_a4"], get_sample("bn"))
    fonts = subprocess.run(["pdffonts", "-"], input=content, capture_output=True, check=True)
    names = {line.split()[0].split("+")[1] for line in fonts.stdout.decode().splitlines()[2:]}
    assert names <= {
        "NotoSans-Regular",
        "NotoSans-Bold",
        "NotoSansBengali-Regular",
        "NotoSansBengali-Bold",
    }
    with pytest.raises(DocumentError):
        renderer.render('#set text(font: "DejaVu Sans", fallback: false)\n#panic()', {})


def test_many_keep_their_order_and_a_bad_one_its_place(renderer, templates):
    bills = [get_sample("en") | {"number": f"B/{number}"} for number in range(30)]
    bills[7] = {"number": "nothing else"}
    files = renderer.render_many(templates["bill_a4"], bills)
    assert isinstance(files[7], DocumentError)
    for number in (0, 6, 8, 29):
        assert f"B/{number}" in text_of(files[number])


# === WHAT A TEMPLATE MAY NOT DO === #


@pytest.mark.parametrize(
    "template",
    [
        '#read("/etc/passwd")',
        '#read("../../../../../../etc/passwd")',
        '#image("/etc/passwd")',
        '#json("/proc/self/environ")',
        '#include "/etc/passwd"',
        '#import "@preview/cetz:0.3.0": *',
        '#eval("read(\\"/etc/passwd\\")")',
        '#import ("@pre" + "view/cetz:0.3.0")',
        '#bibliography("/etc/passwd")',
        '#plugin("/etc/passwd")',
    ],
)
def test_a_template_reads_neither_files_nor_packages(renderer, template):
    with pytest.raises(DocumentError) as caught:
        renderer.render(f"= Title\n{template}", {})
    assert caught.value.message.startswith("A template can read neither files nor packages")
    assert caught.value.line == 2


def test_the_kernel_lets_a_worker_open_nothing(renderer):
    renderer.render("= Title", {})
    for worker in renderer._idle:
        limits = Path(f"/proc/{worker.process.pid}/limits").read_text()
        assert re.search(r"Max open files\s+0\s+0\s", limits), limits
        opened = {os.readlink(path) for path in Path(f"/proc/{worker.process.pid}/fd").iterdir()}
        assert all(target.startswith(("pipe:", "/dev/null")) for target in opened), opened
        environment = Path(f"/proc/{worker.process.pid}/environ").read_bytes()
        names = {part.partition(b"=")[0] for part in environment.split(b"\0") if part}
        assert names <= {b"RAYON_NUM_THREADS", b"LD_PRELOAD"}


@pytest.mark.parametrize(
    ("template", "line", "words"),
    [
        ("= Bill\n\n#bill.numbr", 3, "does not contain key"),
        ("#let a = 1 +", 1, "expected expression"),
        ("a\n#unknown()", 2, "unknown variable: unknown"),
        ("a\nb\n#table(columns: 2", 3, "unclosed delimiter"),
        ('#panic("No tax")', 1, "No tax"),
    ],
)
def test_an_error_names_the_line(renderer, template, line, words):
    with pytest.raises(DocumentError) as caught:
        renderer.render(template, {"number": "1"})
    assert caught.value.line == line
    assert words in caught.value.message
    assert f"line {line}" in str(caught.value)


def test_an_endless_template_is_stopped(templates):
    renderer = Renderer(workers=1, time_limit_s=1)
    loop = "#{\n  let n = 0\n  for a in range(9000) { for b in range(9000) { n += calc.rem(a, 7) } }\n}"
    try:
        renderer.render("warm", {})
        with pytest.raises(DocumentError, match="stopped after 1 seconds"):
            renderer.render(loop, {})
        assert renderer.render(templates["bill_a4"], get_sample("en"))
    finally:
        renderer.close()


def test_a_template_cannot_take_all_memory(templates):
    renderer = Renderer(workers=1)
    try:
        renderer.render("warm", {})
        with pytest.raises(DocumentError, match="memory"):
            renderer.render('#let big = "x" * 3000000000\n#big', {})
        assert renderer.render(templates["bill_a4"], get_sample("en"))
    finally:
        renderer.close()


def test_what_a_worker_said_last_is_told(monkeypatch):
    monkeypatch.setattr("engine.documents.WORKER", "/nowhere/worker.py")
    renderer = Renderer(workers=1)
    try:
        with pytest.raises(DocumentError, match=r"did not start.*/nowhere/worker\.py"):
            renderer.render("a", {})
    finally:
        renderer.close()


def test_a_worker_that_was_killed_is_replaced():
    renderer = Renderer(workers=1)
    try:
        renderer.render("one", {})
        worker = renderer._idle[0].process
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        assert renderer.render("two", {}).startswith(b"%PDF")
    finally:
        renderer.close()


def test_a_forked_process_has_workers_of_its_own():
    renderer = Renderer(workers=1)
    try:
        renderer.render("one", {})
        child = os.fork()
        if not child:
            is_right = renderer.render("two", {}).startswith(b"%PDF")
            renderer.close()
            os._exit(0 if is_right else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert renderer._idle[0].process.poll() is None
        assert renderer.render("three", {}).startswith(b"%PDF")
    finally:
        renderer.close()


def test_a_template_has_a_length(renderer):
    with pytest.raises(DocumentError, match="longer than"):
        renderer.render("x" * (TEMPLATE_BYTES + 1), {})


def test_every_shipped_template_sets_every_sample(renderer, templates):
    for name, template in templates.items():
        for sample in get_samples():
            content = renderer.render(template, sample)
            assert content.startswith(b"%PDF"), name


# === QR CODES === #


@pytest.mark.parametrize("length", [1, 14, 15, 63, 84, 107, 152, 213, 214, 400, 900])
def test_a_code_is_the_one_of_the_library(length):
    text = "".join(chr(97 + number * 7 % 26) for number in range(length))
    code = QRCode(error_correction=qr_code.LEVEL, mask_pattern=qr_code.MASK, border=0)
    code.add_data(util.QRData(text.encode(), mode=util.MODE_8BIT_BYTE))
    code.make()
    expected = "".join(qr_code._get_runs(code.modules))
    assert qr_code.make(text) == {"size": len(code.modules), "path": expected}


def test_the_code_is_on_the_page(renderer, templates):
    sample = get_sample("en")
    with_code = picture(renderer.render(templates["bill_a4"], sample, "png", PICTURE_PPI))
    sample["pay"]["url"] = None
    without = picture(renderer.render(templates["bill_a4"], sample, "png", PICTURE_PPI))
    darker = ImageStat.Stat(without).sum[0] - ImageStat.Stat(with_code).sum[0]
    # Half of 27 mm square is black.
    assert darker > (27 / 25.4 * PICTURE_PPI) ** 2 * 255 * 0.35


# === HOW VALUES ARE WRITTEN === #

LAKH = Writer("en", groups=(3, 2, 0))
BANGLA = Writer("bn", groups=(3, 2, 0))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (Writer("en").number(1234567.5), "1,234,567.50"),
        (LAKH.number(1234567.5), "12,34,567.50"),
        (LAKH.number(-999), "-999.00"),
        (LAKH.number(-0.001), "0.00"),
        (BANGLA.number(123456.78), "১,২৩,৪৫৬.৭৮"),
        (Writer("bn", native_digits=False).number(1000), "1,000.00"),
        (LAKH.money(-1000, TAKA), "-৳\u00a01,000.00"),
        (LAKH.money(5, Currency("EUR", "€", is_after=True)), "5.00\u00a0€"),
        (LAKH.quantity(1.5), "1.5"),
        (LAKH.quantity(2.0), "2"),
        (LAKH.date(date(2026, 11, 1)), "1 November 2026"),
        (BANGLA.date(date(2026, 11, 1)), "১ নভেম্বর ২০২৬"),
        (LAKH.period(date(2026, 11, 1), date(2026, 11, 30)), "1 – 30 November 2026"),
        (LAKH.period(date(2026, 11, 15), date(2026, 12, 14)), "15 November – 14 December 2026"),
        (LAKH.period(date(2026, 12, 5), date(2027, 1, 4)), "5 December 2026 – 4 January 2027"),
        (LAKH.period(date(2026, 11, 5), date(2026, 11, 5)), "5 November 2026"),
        (
            LAKH.words(123456.05, TAKA),
            "One lakh twenty-three thousand four hundred and fifty-six taka and five paisa only",
        ),
        (BANGLA.words(2460, TAKA), "দুই হাজার চারশত ষাট টাকা মাত্র"),
        (Writer("fr").words(1, TAKA), "One taka only"),
    ],
)
def test_values_are_written_the_way_of_the_language(written, expected):
    assert written == expected


def test_every_language_has_the_same_labels():
    import json

    labels = json.loads((FOLDER / "labels.json").read_text())
    assert {frozenset(words) for words in labels.values()} == {frozenset(labels["en"])}
    assert all(re.search("[\u0980-\u09ff]", labels["bn"][name]) for name in ("total", "date"))
