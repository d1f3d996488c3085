"""What each role may do with each model is written down, in data/role_matrix.csv.

A line is a model, a column a role, a cell the operations: ``r`` read, ``w`` write, ``c`` create and
``d`` delete, ``-`` none. A right that somebody adds or takes away fails the test until the cell says
the same, so that it is looked at.
"""

import csv
import logging

from odoo.tests import tagged
from odoo.tools import file_open

from odoo.addons.isp_base.encryption import EncryptedChar
from odoo.addons.isp_base.tests.promises import proves

from .role_common import ROLES, RoleCase

_logger = logging.getLogger(__name__)

MATRIX = "isp_privacy/tests/data/role_matrix.csv"
OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink"}
# Models of Odoo that hold people, money, messages or rights, where they are installed.
CORE = (
    *("account.account", "account.bank.statement.line", "account.journal", "account.move"),
    *("account.move.line", "account.payment", "account.tax", "bus.bus", "discuss.channel"),
    *("helpdesk.ticket", "helpdesk.ticket.stage", "helpdesk.ticket.team"),
    *("ir.attachment", "ir.config_parameter", "ir.cron", "ir.default", "ir.exports", "ir.logging"),
    *("ir.mail_server", "ir.model.access", "ir.rule", "ir.sequence", "ir.ui.view"),
    *("mail.activity", "mail.mail", "mail.message", "mail.template", "payment.provider"),
    *("payment.token", "payment.transaction", "product.product", "queue.job", "res.company"),
    *("res.groups", "res.partner", "res.partner.bank", "res.users", "res.users.apikeys"),
    *("res.users.log", "sms.sms"),
)
MONEY = {
    *("account.move", "account.move.line", "account.payment", "account.bank.statement.line"),
    *("payment.transaction", "isp.charge", "isp.subscription.fee"),
    *("isp.subscription.discount", "isp.subscription.recharge", "isp.coupon", "isp.dunning.log"),
    *("isp.billing.run", "isp.document.batch", "isp.gateway.event", "isp.gateway.receipt"),
    *("isp.gateway.settlement", "isp.wallet.charge", "isp.report.fact", "isp.voucher"),
}
# What a subscription owes is money too, wherever it is shown.
OWED = ("amount_due", "amount_overdue", "paid_until", "unpaid_since", "unpaid_amount")


@tagged("post_install", "-at_install")
class TestRoleMatrix(RoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = cls.create_users(ROLES)
        with file_open(MATRIX) as file:
            cls.rows = {row["model"]: row for row in csv.DictReader(file)}

    def wanted_models(self):
        return sorted({*self.own_models(), *(name for name in CORE if name in self.env)})

    def rights(self, model, role):
        """Return the letters of what a role may do."""
        records = self.env[model].with_user(self.users[role])
        return "".join(c for c, name in OPERATIONS.items() if records.has_access(name)) or "-"

    def line(self, model):
        return ",".join(
            [
                self.env[model]._original_module,
                model,
                *(self.rights(model, role) if role in self.users else "" for role in ROLES),
            ]
        )

    def differences(self):
        """Return the lines that the file should have, and those that it should not."""
        found = []
        for model in self.wanted_models():
            row = self.rows.get(model)
            if row is None or any(self.rights(model, role) != row[role] for role in self.users):
                found.append(self.line(model))
        modules = self.env["ir.module.module"]._installed()
        found += [
            f"gone: {model}"
            for model, row in self.rows.items()
            if model not in self.env and row["addon"] in modules
        ]
        return found

    # === TESTS === #

    @proves("P-18")
    def test_each_role_has_the_rights_that_are_written_down(self):
        self.assertEqual(set(ROLES), set(next(iter(self.rows.values()))) - {"addon", "model"})
        models = self.wanted_models()
        differences = self.differences()
        _logger.info(
            "Roles: %s models (%s of the suite) × %s roles × %s operations = %s rights",
            len(models),
            len(self.own_models()),
            len(self.users),
            len(OPERATIONS),
            len(models) * len(self.users) * len(OPERATIONS),
        )
        self.assertFalse(
            differences,
            f"Not as in {MATRIX}. If it is right so, put in:\n" + "\n".join(differences),
        )

    def test_a_model_that_nobody_wrote_down_is_noticed(self):
        row = self.rows.pop("privacy.hold")
        self.addCleanup(self.rows.__setitem__, "privacy.hold", row)
        self.assertEqual(self.differences(), [self.line("privacy.hold")])

    def test_a_right_that_somebody_adds_is_noticed(self):
        self.env["ir.model.access"].create(
            {
                "name": "holds for everybody",
                "model_id": self.env["ir.model"]._get_id("privacy.hold"),
                "group_id": self.env.ref("base.group_user").id,
                "perm_read": True,
            }
        )
        self.assertEqual(self.differences(), [self.line("privacy.hold")])

    # === WHAT THE ROLES ARE FOR === #

    def holders(self, models, operations, roles):
        """Return ``(role, model, rights)`` where a role may do one of some operations."""
        return [
            (role, model, rights)
            for role in roles
            if role in self.users
            for model in sorted(models)
            if model in self.env and set(rights := self.rights(model, role)) & set(operations)
        ]

    def test_the_first_line_and_the_network_see_no_money(self):
        roles = ("public", "employee", "first_line", "network", "auditor", "officer")
        self.assertEqual(self.holders(MONEY, "rwcd", roles), [])
        if "isp.subscription" in self.env:
            subscriptions = self.env["isp.subscription"]
            for role, sees in (("first_line", False), ("network", False), ("support", True)):
                seen = subscriptions.with_user(self.users[role])
                for name in OWED:
                    with self.subTest(role=role, field=name):
                        self.assertEqual(seen._has_field_access(seen._fields[name], "read"), sees)

    def test_support_changes_no_money(self):
        self.assertEqual(self.holders(MONEY, "wcd", ("support",)), [])

    def test_an_auditor_changes_nothing(self):
        records = {name for name in self.own_models() if not self.env[name]._transient}
        self.assertEqual(self.holders(records, "wcd", ("auditor",)), [])

    def test_nobody_changes_what_is_evidence(self):
        evidence = {
            *("privacy.audit", "privacy.audit.seal", "privacy.consent", "privacy.request.event"),
            *("privacy.suppression", "privacy.mass.export", "isp.subscription.event"),
            *("isp.address.log", "isp.dunning.log", "isp.entitlement"),
        }
        self.assertEqual(self.holders(evidence, "wcd", ROLES), [])

    def test_who_has_no_role_sees_nothing_of_the_suite(self):
        for role, allowed in (
            ("public", set()),
            ("portal", {"privacy.request"}),
            ("employee", {"privacy.request"}),
        ):
            seen = {
                model for _role, model, _rights in self.holders(self.own_models(), "rwcd", (role,))
            }
            with self.subTest(role=role):
                self.assertEqual(seen, allowed)

    def test_an_administrator_of_the_machine_sees_no_subscriber_of_the_suite(self):
        own = {
            *("isp.subscription", "isp.charge", "isp.entitlement", "isp.radius.session"),
            *("isp.usage.day", "isp.ip.assignment", "isp.import", "privacy.request.event"),
            *("privacy.consent", "privacy.hold", "privacy.disclosure", "privacy.export"),
        }
        self.assertEqual(self.holders(own, "rwcd", ("administrator",)), [])

    def test_secrets_are_for_those_who_need_them(self):
        """Nobody reads a secret of a connection, a router or a gateway but who works with it."""
        needed = {
            "isp.subscription.password": {"clerk", "billing", "accountant", "manager"},
        }
        for name in self.own_models():
            for field in self.env[name]._fields.values():
                if not isinstance(field, EncryptedChar):
                    continue
                readers = {
                    role
                    for role, user in self.users.items()
                    if self.env[name].with_user(user).has_access("read")
                    and self.env[name].with_user(user)._has_field_access(field, "read")
                }
                with self.subTest(field=str(field)):
                    self.assertEqual(
                        readers & {"public", "portal", "employee", "first_line"}, set()
                    )
                    if str(field) in needed:
                        self.assertEqual(readers, needed[str(field)])
