"""The sample provider of `make run`, loaded through `odoo shell` into a fresh database.

A made-up provider in Dhaka: its subscribers are imported from the shipped file, last month is
billed, most customers pay, and who did not is suspended by the same job that runs every day. This
month is left for you to bill. The logins go to ISP_LOGINS_FILE.
"""

import os
import secrets
from datetime import timedelta
from pathlib import Path

from odoo import fields

PLANS = [
    # name, code, Mbit/s, price without VAT
    ("Shurjo 10", "S10", 10, 500.0),
    ("Shurjo 20", "S20", 20, 800.0),
    ("Shurjo 30", "S30", 30, 1000.0),
    ("Megh 50", "M50", 50, 1500.0),
    ("Megh 100", "M100", 100, 2500.0),
    ("Office 100", "O100", 100, 6000.0),
]
# Every seventh bill stays unpaid.
UNPAID_EVERY = 7


def main(env):
    company = set_up_company(env)
    set_up_languages(env)
    set_up_plans(env, company)
    last_month = (company._get_isp_today().replace(day=1) - timedelta(days=1)).replace(day=1)
    import_subscribers(env, last_month)
    keep(env)
    bill(env, last_month)
    keep(env)
    pay_most(env, last_month)
    keep(env)
    suspend_overdue(env, company)
    logins = set_up_users(env, company)
    logins += set_up_router(env)
    write_logins(logins)
    env["isp.report.refresh"]._refresh(full=True)
    keep(env)


def keep(env):
    """Commit, and let PostgreSQL know the new sizes: its guesses for empty tables are very slow."""
    env.cr.commit()
    env.cr.execute("ANALYZE")


def set_up_company(env):
    company = env.company
    company.write(
        {
            "name": "Meghna Net",
            "street": "House 12, Road 7, Dhanmondi",
            "city": "Dhaka",
            "zip": "1205",
            "phone": "+880 2 5550 0100",
            "email": "billing@meghna.example",
            "isp_username_pattern": "mn{number}",
        }
    )
    company.partner_id.tz = "Asia/Dhaka"
    return company


def set_up_languages(env):
    env["res.lang"]._activate_lang("bn_IN")
    installed = env["ir.module.module"].search([("state", "=", "installed")])
    installed._update_translations(["bn_IN"])


def set_up_plans(env, company):
    vat = env["account.tax"].search(
        [
            ("company_id", "=", company.id),
            ("type_tax_use", "=", "sale"),
            ("amount_type", "=", "percent"),
            ("amount", "=", 5.0),
        ],
        limit=1,
    )
    env["isp.plan"].create(
        [
            {
                "name": name,
                "code": code,
                "price": price,
                "download_kbps": mbps * 1024,
                "upload_kbps": mbps * 1024,
                "tax_ids": [fields.Command.set(vat.ids)],
                "framed_pool": "pool-customers",
            }
            for name, code, mbps, price in PLANS
        ]
    )


def import_subscribers(env, bill_from):
    sample = Path(env["isp.import"]._get_sample_path())
    imported = env["isp.import"]._run_file(sample, "Sample provider", bill_from=bill_from)
    print(imported.summary)
    assert not imported.rejected_count, imported.warnings


def bill(env, day):
    run = env["isp.billing.run"].create({"target_date": day, "invoice_date": day})
    run._run_to_end()
    print(f"{run.invoice_count} invoices, {run.amount_total:,.2f} {run.currency_id.name}")


def pay_most(env, day):
    """Most customers pay within a week; one payment a customer and bill."""
    moves = env["account.move"].search([("isp_charge_ids", "!=", False)], order="id")
    paid = moves.filtered(lambda move: list(moves).index(move) % UNPAID_EVERY)
    env["account.payment.register"].with_context(
        active_model="account.move", active_ids=paid.ids
    ).create({"payment_date": day + timedelta(days=5), "group_payment": False})._create_payments()
    print(f"{len(paid)} of {len(moves)} invoices paid")


def suspend_overdue(env, company):
    """Run the job of the latest working day: today may be a rest day, or early in the morning."""
    now = company._get_isp_now().replace(hour=23)
    calendar = company.isp_dunning_policy_id._get_calendar()
    while calendar.is_rest(now.date()):
        now -= timedelta(days=1)
    env["isp.subscription"]._dun_company(company, now)


def set_up_users(env, company):
    """The administrator becomes the manager; an accountant and one customer beside."""
    password = {role: new_password() for role in ("manager", "accountant", "customer")}
    env.ref("base.user_admin").write(
        {"name": "Nasrin Akter", "login": "manager", "password": password["manager"]}
    )
    env["res.users"].create(
        {
            "name": "Rafiq Islam",
            "login": "accountant",
            "email": "accountant@meghna.example",
            "password": password["accountant"],
            "group_ids": [fields.Command.set(env.ref("isp_base.group_isp_accountant").ids)],
        }
    )
    suspended = env["isp.subscription"].search(
        [("state", "=", "suspended"), ("suspend_reason", "=", "overdue")], limit=1
    )
    env["res.users"].with_context(no_reset_password=True).create(
        {
            "name": suspended.partner_id.name,
            "login": "customer",
            "partner_id": suspended.partner_id.id,
            "password": password["customer"],
            "group_ids": [fields.Command.set(env.ref("base.group_portal").ids)],
        }
    )
    return [
        "",
        "  Who           Login        Password",
        f"  Manager       manager      {password['manager']}",
        f"  Accountant    accountant   {password['accountant']}",
        f"  Customer      customer     {password['customer']}   (suspended: pay, and look again)",
        "",
        "  Pay as the customer with bKash, Nagad or a card (SSLCommerz): all three are simulated on",
        "  this machine, no money moves. The PIN is filled in already.",
    ]


def set_up_router(env):
    """This machine as a router, so that radtest gets an answer; two logins to try."""
    secret = env["isp.nas"]._ensure_local_nas().secret
    port = os.environ.get("RADIUS_AUTH_PORT", "1812")
    lines = ["", "  RADIUS by hand:"]
    for state, remark in (("active", "full speed"), ("suspended", "payment page only")):
        subscription = env["isp.subscription"].search([("state", "=", state)], limit=1)
        lines.append(
            f"  radtest {subscription.username} {subscription.password} 127.0.0.1:{port} 0 {secret}"
            f"   # {remark}"
        )
    return lines


def new_password():
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "".join(secrets.choice(alphabet) for _position in range(12))


def write_logins(lines):
    """For this machine's owner only: the file opens the sample database."""
    path = Path(os.environ["ISP_LOGINS_FILE"])
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")


main(env)  # noqa: F821  # pylint: disable=undefined-variable; `odoo shell` defines it
