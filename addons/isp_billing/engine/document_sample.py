"""Sample bills that show every part of a template: for the check on save and for the preview."""

from datetime import date

from .document_text import Currency, Writer

TAKA = Currency("BDT", "৳")


def get_samples():
    """A bill with everything in it, and a draft of a credit note with nothing."""
    return [get_sample("en"), get_sample("bn"), _get_bare_sample()]


def get_sample(language, native_digits=True):
    """A posted bill in ``language`` that fills every block of a template."""
    writer = Writer(language, native_digits)
    money, number = _shorten(writer)
    labels, is_bengali = writer.labels, writer.language == "bn"
    period = writer.period(date(2026, 11, 1), date(2026, 11, 30))
    lines = [("Home 20: 2026-11-01 – 2026-11-30", 1200), ("Static IPv4 address", 250)]
    return {
        "lang": writer.language,
        "labels": labels,
        "digits": writer.digits,
        "company": _get_company(is_bengali),
        "kind": "invoice",
        "state": "posted",
        "title": labels["invoice"],
        "status": labels["partly_paid"],
        "is_paid": False,
        "number": "INV/2026/00042",
        "date": writer.date(date(2026, 11, 1)),
        "time": writer.text("09:30"),
        "due_date": writer.date(date(2026, 11, 10)),
        "period": period,
        "reversed": None,
        "amount_due": money(1747.5),
        "customer": {
            "name": "সালাম উদ্দিন ক্ষৌণীশ" if is_bengali else "Rahima Begum #1 *Sample*",
            "ref": "C00042",
            "address": ["House 7, Road 3", "Mirpur 10", "Dhaka 1216"],
            "phone": "+880 1711-000042",
            "tax_ids": [{"label": "BIN", "value": "000987654-0202"}],
        },
        "services": [
            {
                "number": "S00042",
                "plan": "হোম ২০" if is_bengali else "Home 20",
                "speed": "20 Mbit/s / 10 Mbit/s",
                "username": "c00042",
                "address": "House 7, Road 3, Mirpur 10",
                "period": period,
            }
        ],
        "lines": [
            {
                "no": writer.text(index),
                "name": name,
                "is_note": False,
                "is_title": False,
                "hsn": "998422",
                "quantity": writer.text(1),
                "unit": "Units",
                "unit_price": number(price),
                "discount": None,
                "net": number(price),
                "total": number(price * 1.05),
            }
            for index, (name, price) in enumerate(lines, 1)
        ],
        "taxes": [{"name": "VAT 5%", "amount": number(72.5)}],
        "totals": {
            "net": number(1450),
            "total": money(1522.5),
            "paid": money(500),
            "residual": money(1022.5),
            "words": writer.words(1522.5, TAKA),
        },
        "account": {
            "previous": money(1225),
            "movements": [
                {
                    "kind": "received",
                    "date": writer.date(date(2026, 10, 12)),
                    "amount": money(-1000),
                }
            ],
            "bill": money(1522.5),
            "due": money(1747.5),
        },
        "usage": [
            {
                "label": period,
                "download": writer.text("182 GB"),
                "upload": writer.text("21 GB"),
                "total": writer.text("203 GB"),
                "cap": writer.text("250 GB"),
            }
        ],
        "gst": None,
        "vat": _get_vat(writer, lines),
        "notes": "",
        "pay": {
            "url": "https://bills.example.com/my/invoices/42?access_token="
            "00000000-0000-4000-8000-000000000042",
            "short_url": "bills.example.com/my",
            "qr": None,
            "reference": "INV/2026/00042",
            "text": "bKash 01711-000000 · Sat–Thu 10:00–18:00",
        },
    }


def _shorten(writer):
    return (lambda value: writer.money(value, TAKA)), writer.number


def _get_company(is_bengali):
    return {
        "name": "পদ্মা নেট লিমিটেড" if is_bengali else "Padma Net Ltd.",
        "color": "#0b5c7a",
        "address": ["12 Gulshan Avenue", "Dhaka 1212", "Bangladesh"],
        "contact": ["+880 1711-000000", "billing@example.com"],
        "tax_ids": [{"label": "BIN", "value": "000123456-0101"}],
        "logo": None,
        "logo_ratio": 1,
        "footer": "Padma Net Ltd. · Trade licence 12345",
    }


def _get_vat(writer, lines):
    rows = [
        {
            "no": writer.text(index),
            "name": name,
            "unit": "Units",
            "quantity": writer.text(1),
            "unit_price": writer.number(price),
            "net": writer.number(price),
            "sd_rate": "",
            "sd": writer.number(0),
            "vat_rate": writer.text("5%"),
            "vat": writer.number(price * 0.05),
            "gross": writer.number(price * 1.05),
        }
        for index, (name, price) in enumerate(lines, 1)
    ]
    sums = {"net": 1450, "sd": 0, "vat": 72.5, "gross": 1522.5}
    return {"rows": rows, "sums": {name: writer.number(value) for name, value in sums.items()}}


def _get_bare_sample():
    """A draft credit note of an Indian company: what is optional is missing or different."""
    sample = get_sample("en")
    sample["company"] |= {"address": [], "contact": [], "tax_ids": []}
    sample["customer"] |= {"ref": "", "address": [], "phone": "", "tax_ids": []}
    sample["gst"] = {
        "place_of_supply": "24 Gujarat",
        "reverse_charge": sample["labels"]["no"],
        "kinds": [{"code": "igst", "label": "IGST"}],
        "rows": [
            {"hsn": "998422", "taxable": "1,450.00", "taxes": [{"rate": "18%", "amount": "261.00"}]}
        ],
    }
    sample["totals"] |= {"paid": None}
    sample["pay"] |= {"url": None, "text": ""}
    return sample | {
        "kind": "refund",
        "state": "draft",
        "title": sample["labels"]["refund"],
        "status": None,
        "number": "",
        "period": None,
        "services": [],
        "taxes": [],
        "account": None,
        "usage": [],
        "lines": [{"name": "Note", "is_note": True, "is_title": False, "discount": None}],
    }
