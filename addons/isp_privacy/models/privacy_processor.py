import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}|\d+(\.\d+){3}")


class PrivacyProcessor(models.Model):
    """A third party that handles personal data for the company, under a contract."""

    _name = "privacy.processor"
    _description = "Processor"
    _inherit = ["privacy.expiring", "privacy.register"]
    _order = "name, id"
    _end_field = "contract_to"

    _privacy_fields = {"partner_id": "subject"}
    _privacy_free = {
        "Of a firm under contract.": "name service data_categories contract_reference hosts",
    }

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    partner_id = fields.Many2one("res.partner", "Contact", check_company=True)
    role = fields.Selection(
        [
            ("processor", "Processor: acts on our instructions"),
            ("joint", "Joint controller: decides with us"),
            ("controller", "Controller of its own"),
        ],
        required=True,
        default="processor",
        tracking=True,
    )
    service = fields.Char("What it does for us")
    data_categories = fields.Char(help="Such as: name, phone number, amount paid.")
    country_id = fields.Many2one("res.country", "Where the data is")
    contract_reference = fields.Char()
    contract_from = fields.Date("Contract from", tracking=True)
    contract_to = fields.Date("Contract until", tracking=True, help="The last day. Empty: open.")
    notice_days = fields.Integer(
        "Notice of changes (days)",
        help="How long before a change, such as a new sub-processor, we must be told.",
    )
    hosts = fields.Text(
        help="The computers our software talks to, one name a line: “api.example.com”, or "
        "“*.example.com” for all below."
    )
    parent_id = fields.Many2one(
        "privacy.processor",
        "Sub-processor of",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    child_ids = fields.One2many("privacy.processor", "parent_id", "Sub-processors")
    transfer_ids = fields.One2many("privacy.transfer", "processor_id")
    evidence_ids = fields.One2many("privacy.evidence", "processor_id")
    state = fields.Selection(
        [
            ("none", "No contract"),
            ("coming", "Not yet"),
            ("valid", "Valid"),
            ("ended", "Ended"),
        ],
        "Contract",
        compute="_compute_state",
    )

    _contract_order = models.Constraint(
        "CHECK (contract_to >= contract_from)",
        "The contract ends before it begins: correct one of the dates.",
    )
    _notice_positive = models.Constraint(
        "CHECK (notice_days >= 0)", "The notice of changes cannot be negative."
    )

    # === COMPUTE AND CONSTRAINT METHODS === #

    @api.depends("contract_from", "contract_to", "company_id")
    def _compute_state(self):
        for processor in self:
            today = processor._today()
            if not processor.contract_from:
                processor.state = "none"
            elif processor.contract_from > today:
                processor.state = "coming"
            elif processor.contract_to and processor.contract_to < today:
                processor.state = "ended"
            else:
                processor.state = "valid"

    @api.constrains("parent_id")
    def _check_parent(self):
        if self._has_cycle():
            raise ValidationError(self.env._("A processor cannot be its own sub-processor."))

    @api.constrains("hosts")
    def _check_hosts(self):
        for processor in self:
            for host in processor._get_hosts():
                if not _HOST.fullmatch(host):
                    raise ValidationError(
                        self.env._(
                            "“%s” is not the name of a computer. Enter one name a line, without "
                            "https:// and without a path.",
                            host,
                        )
                    )

    # === BUSINESS METHODS === #

    def _get_reminder(self):
        """Return what officers are told before it ends."""
        return self.env._("Renew the contract on personal data with %s", self.name)

    def _get_hosts(self):
        """Return the hosts as a list of names in lower case."""
        self.ensure_one()
        return [line.strip().lower() for line in (self.hosts or "").splitlines() if line.strip()]

    @api.model
    def _find_valid(self, company, host):
        """Return the processors of ``company`` whose contract covers ``host`` today."""
        processors = self.search([("company_id", "=", company.id), ("hosts", "!=", False)])
        return processors.filtered(
            lambda processor: processor.state == "valid" and processor._covers(host.lower())
        )

    def _covers(self, host):
        return any(
            host == name or (name.startswith("*.") and host.endswith(name[1:]))
            for name in self._get_hosts()
        )
