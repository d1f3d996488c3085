"""Tax documents with real charts of accounts: GST in India (l10n_in), Mushak 6.3 in Bangladesh."""

import base64
import json
import re
import subprocess

import pytest

from harness import databases
from harness.server import run_shell

INDIA = """
import base64, json
from odoo.fields import Command
india = env.ref("base.in")
company = env["res.company"].create({
    "name": "Sabarmati Net Pvt Ltd", "country_id": india.id, "currency_id": env.ref("base.INR").id,
    "state_id": env.ref("base.state_in_gj").id, "vat": "24AAGCC7144L6ZE",
    "street": "7 Ashram Road", "city": "Ahmedabad", "zip": "380009", "isp_print_after_run": False,
})
env.user.company_ids |= company
env["account.chart.template"].try_loading("in", company=company, install_demo=False)
env = env(context=dict(env.context, allowed_company_ids=company.ids, tracking_disable=True))
company = env["res.company"].browse(company.id)
company.partner_id.tz = "Asia/Kolkata"
gst = env["account.tax"].search([
    ("company_id", "=", company.id), ("type_tax_use", "=", "sale"), ("amount_type", "=", "group"),
    ("children_tax_ids.amount", "=", 9), ("l10n_in_reverse_charge", "=", False),
], limit=1)
plan = env["isp.plan"].create({"name": "Fibre 100", "price": 1333.33, "tax_ids": [Command.set(gst.ids)]})
plan.product_id.l10n_in_hsn_code = "998422"
addon = env["product.product"].create({
    "name": "Set-top box", "type": "consu", "list_price": 100.01, "l10n_in_hsn_code": "852871",
    "taxes_id": [Command.set(gst.ids)], "company_id": company.id,
})
customers = {
    "inside": {"name": "Jethalal Gada", "state_id": env.ref("base.state_in_gj").id,
               "l10n_in_gst_treatment": "consumer"},
    "outside": {"name": "Mehta & Sons", "state_id": env.ref("base.state_in_mh").id,
                "l10n_in_gst_treatment": "regular", "vat": "27DJMPM8965E1ZE"},
}
result = {}
for name, vals in customers.items():
    partner = env["res.partner"].create({"country_id": india.id, "company_id": company.id, **vals})
    subscription = env["isp.subscription"].create({
        "partner_id": partner.id, "plan_id": plan.id, "date_start": "2027-03-01", "company_id": company.id,
        "line_ids": [Command.create({"product_id": addon.id, "price_unit": 100.01})],
    })
    subscription._activate()
    run = env["isp.billing.run"].create(
        {"target_date": "2027-03-01", "invoice_date": "2027-03-01", "company_id": company.id}
    )
    run._run_to_end()
    assert not run.exception_ids, run.exception_ids[0].reason
    bill = subscription.charge_ids.move_id
    template = env["isp.document.template"]._get_for("bill", company)
    data = bill._get_document_data(template, "en_US")[1][0]
    result[name] = {
        "pdf": base64.b64encode(bill._render_documents()[bill]).decode(),
        "gst": data["gst"],
        "name": bill.name,
        "untaxed": bill.amount_untaxed,
        "total": bill.amount_total,
        "taxes": {
            line.tax_line_id.l10n_in_gst_tax_type: -line.amount_currency
            for line in bill.line_ids if line.display_type == "tax"
        },
    }
env.cr.commit()
print("RESULT", json.dumps(result))
"""

BANGLADESH = """
import base64, json
from odoo.fields import Command
company = env.company
company.write({"name": "Padma Net Ltd.", "street": "12 Gulshan Avenue", "city": "Dhaka",
               "vat": "000123456-0101", "isp_print_after_run": False})
company.partner_id.tz = "Asia/Dhaka"
vat = env["account.tax"].search([("type_tax_use", "=", "sale"), ("amount", "=", 5)], limit=1)
vat.sequence = 9
duty = env["account.tax"].create({
    "name": "SD 10%", "amount": 10, "type_tax_use": "sale", "sequence": 1, "include_base_amount": True,
    "isp_is_supplementary_duty": True,
})
plan = env["isp.plan"].create({"name": "Fibre 30", "price": 749.55, "tax_ids": [Command.set((duty | vat).ids)]})
addon = env["product.product"].create({"name": "Static address", "type": "service",
                                       "taxes_id": [Command.set(vat.ids)]})
partner = env["res.partner"].create({
    "name": "Dhaka Traders", "vat": "000987654-0202", "street": "House 7, Road 3", "city": "Dhaka",
    "country_id": env.ref("base.bd").id,
})
subscription = env["isp.subscription"].create({
    "partner_id": partner.id, "plan_id": plan.id, "date_start": "2027-03-01",
    "line_ids": [Command.create({"product_id": addon.id, "price_unit": 33.33})],
})
subscription._activate()
run = env["isp.billing.run"].create({"target_date": "2027-03-01", "invoice_date": "2027-03-01"})
run._run_to_end()
assert not run.exception_ids, run.exception_ids[0].reason
bill = subscription.charge_ids.move_id
template = env["isp.document.template"]._get_for("vat", company)
data = bill._get_document_data(template, "en_US", "vat")[1][0]
print("RESULT", json.dumps({
    "pdf": base64.b64encode(bill._render_documents("vat")[bill]).decode(),
    "vat": data["vat"],
    "name": bill.name,
    "untaxed": bill.amount_untaxed,
    "total": bill.amount_total,
    "taxes": [[line.tax_line_id.isp_is_supplementary_duty, -line.amount_currency]
              for line in bill.line_ids if line.display_type == "tax"],
}))
"""


def run(database, code):
    output = run_shell(database, code)
    return json.loads(output.split("RESULT ")[-1])


def text_of(result, screenshots, name):
    content = base64.b64decode(result["pdf"])
    screenshots.mkdir(parents=True, exist_ok=True)
    picture = ["pdftoppm", "-png", "-r", "80", "-singlefile", "-", screenshots / name]
    subprocess.run(picture, input=content, check=True)
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True)
    return re.sub(r"\s+", " ", done.stdout.decode())


def number(text):
    return float(text.replace(",", ""))


@pytest.fixture(scope="module")
def indian(module_db):
    databases.run_odoo("module", "install", "-d", module_db, "l10n_in")
    return run(module_db, INDIA)


@pytest.mark.parametrize(("name", "kinds"), [("inside", ["cgst", "sgst"]), ("outside", ["igst"])])
def test_gst_follows_the_place_of_supply(indian, screenshots, name, kinds):
    bill = indian[name]
    assert [kind["code"] for kind in bill["gst"]["kinds"]] == kinds
    assert {row["hsn"] for row in bill["gst"]["rows"]} == {"998422", "852871"}
    # Every column adds up to the ledger.
    assert sum(number(row["taxable"]) for row in bill["gst"]["rows"]) == pytest.approx(
        bill["untaxed"]
    )
    for index, kind in enumerate(kinds):
        total = sum(number(row["taxes"][index]["amount"]) for row in bill["gst"]["rows"])
        assert total == pytest.approx(bill["taxes"][kind])
    assert bill["untaxed"] + sum(bill["taxes"].values()) == pytest.approx(bill["total"])
    assert set(bill["taxes"]) == set(kinds)

    text = text_of(bill, screenshots, f"gst_{name}")
    state = {"inside": "24 Gujarat", "outside": "27 Maharashtra"}[name]
    for words in ("Tax invoice", "GSTIN 24AAGCC7144L6ZE", state, "998422", "852871", bill["name"]):
        assert words in text, words
    for row in bill["gst"]["rows"]:
        for words in [row["taxable"], *(tax["amount"] for tax in row["taxes"])]:
            assert words in text, words
    assert ("27DJMPM8965E1ZE" in text) is (name == "outside")
    assert ("IGST" in text) is (name == "outside")
    assert f"{bill['total']:,.2f}" in text


def test_mushak_adds_up_to_the_ledger(new_database, screenshots):
    bill = run(new_database(), BANGLADESH)
    sums = {name: number(text) for name, text in bill["vat"]["sums"].items()}
    for name, total in sums.items():
        rows = sum(number(row[name]) for row in bill["vat"]["rows"])
        assert rows == pytest.approx(total), name
    assert sums["net"] == pytest.approx(bill["untaxed"])
    assert sums["gross"] == pytest.approx(bill["total"])
    assert sums["sd"] == pytest.approx(sum(amount for is_sd, amount in bill["taxes"] if is_sd))
    assert sums["vat"] == pytest.approx(sum(amount for is_sd, amount in bill["taxes"] if not is_sd))
    assert sums["sd"] == 74.96
    rates = {row["net"]: (row["sd_rate"], row["vat_rate"]) for row in bill["vat"]["rows"]}
    assert rates == {"749.55": ("10%", "5%"), "33.33": ("", "5%")}

    text = text_of(bill, screenshots, "mushak")
    for words in ("মূসক-৬.৩", "000123456-0101", "000987654-0202", "Dhaka Traders", bill["name"]):
        assert words in text, words
    for row in bill["vat"]["rows"]:
        for name in ("unit_price", "net", "sd", "vat", "gross"):
            assert row[name] in text, name
