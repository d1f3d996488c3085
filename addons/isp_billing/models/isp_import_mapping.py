from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine.problems import Problem
from ..engine.subscriber_columns import guess_targets, heading_fingerprint
from ..engine.subscriber_row import Rule, parse_value_map
from .isp_import_reasons import explain


class IspImportMapping(models.Model):
    """What the columns of a provider's file mean; remembered by name and by its headings."""

    _name = "isp.import.mapping"
    _description = "Import mapping"
    _order = "name, id"

    _privacy_free = "Which column of a file is which field."

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    heading_fingerprint = fields.Char(
        readonly=True, copy=False, help="Recognises files with the same headings."
    )
    line_ids = fields.One2many("isp.import.mapping.line", "mapping_id", "Columns", copy=True)

    _name_uniq = models.UniqueIndex(
        "(company_id, lower(name))", "The company has another mapping of this name."
    )

    @api.model
    def _find_or_create(self, company, columns, file_name):
        """The company's mapping for files with these headings, a new one when there is none."""
        fingerprint = heading_fingerprint(columns)
        known = self.search(
            [("company_id", "=", company.id), ("heading_fingerprint", "=", fingerprint)],
            order="write_date desc, id desc",
            limit=1,
        )
        return known or self.create(
            {
                "name": self._get_free_name(company, file_name),
                "company_id": company.id,
                "heading_fingerprint": fingerprint,
                "line_ids": [fields.Command.create(vals) for vals in self._propose_lines(columns)],
            }
        )

    @api.model
    def _propose_lines(self, columns):
        """Values of one line for each column, with the target that its heading suggests."""
        targets = {column: target for target, column in guess_targets(columns).items()}
        return [
            {"source": column, "target": targets.get(column, False), "sequence": position}
            for position, column in enumerate(columns, 1)
        ]

    @api.model
    def _get_free_name(self, company, file_name):
        base = (file_name or self.env._("Subscribers")).rsplit(".", 1)[0][:100]
        taken = self.with_context(active_test=False).search([("company_id", "=", company.id)])
        names = {name.lower() for name in taken.mapped("name")}
        name, number = base, 2
        while name.lower() in names:
            name, number = f"{base} {number}", number + 1
        return name

    def _get_rules(self):
        """The engine's rules of the mapped lines."""
        return [line._get_rule() for line in self.line_ids if line.target]


class IspImportMappingLine(models.Model):
    """One value of a subscriber and the column it comes from."""

    _name = "isp.import.mapping.line"
    _description = "Import mapping line"
    _order = "mapping_id, sequence, id"
    _rec_name = "source"

    _privacy_free = "Which column of a file is which field."

    mapping_id = fields.Many2one(
        "isp.import.mapping", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="mapping_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=100)
    source = fields.Char("Column", help="Heading of the column in the file.")
    sample = fields.Char(
        "Example", compute="_compute_sample", help="From the first row of the file that waits."
    )
    target = fields.Selection(
        [
            ("customer_name", "Customer: name"),
            ("customer_ref", "Customer: external id"),
            ("phone", "Customer: phone"),
            ("email", "Customer: e-mail"),
            ("street", "Customer: street"),
            ("street2", "Customer: street 2"),
            ("city", "Customer: city"),
            ("zip", "Customer: postcode"),
            ("lang", "Customer: language"),
            ("external_ref", "Subscription: external id"),
            ("plan", "Subscription: plan (code or name)"),
            ("price", "Subscription: price of a period"),
            ("state", "Subscription: state"),
            ("date_start", "Subscription: start date"),
            ("date_end", "Subscription: end date"),
            ("opening_billed_through", "Subscription: billed before"),
            ("anchor_day", "Subscription: billing day"),
            ("username", "Connection: username"),
            ("password", "Connection: password"),
            ("ipv4_address", "Connection: static IPv4"),
            ("mac_addresses", "Connection: locked to MAC"),
            ("note", "Subscription: internal note"),
        ],
        "Is",
        help="Left empty, the column is not imported.",
    )
    fixed_value = fields.Char("Fixed value", help="Taken for every row when no column is given.")
    value_map = fields.Text(
        "Translations",
        help="One per line, such as Yes=terminated. A line “=x” is for empty cells, “*=x” for all "
        "other values; a plan translated to nothing, such as “No=”, makes a contact without "
        "subscription.",
    )

    _target_uniq = models.UniqueIndex(
        "(mapping_id, target) WHERE target IS NOT NULL",
        "Two columns have the same meaning. Keep one of them.",
    )

    @api.depends("source", "target", "mapping_id")
    def _compute_sample(self):
        for mapping, lines in self.grouped("mapping_id").items():
            waiting = self.env["isp.import"].search(
                [("mapping_id", "in", mapping.ids), ("has_file", "=", True)],
                order="id desc",
                limit=1,
            )
            samples = waiting._get_samples()
            for line in lines:
                sample = samples.get(line.source, False)
                line.sample = "••••" if sample and line.target == "password" else sample

    @api.constrains("value_map")
    def _check_value_map(self):
        for line in self:
            try:
                parse_value_map(line.value_map)
            except Problem as problem:
                raise ValidationError(explain(self.env, problem)) from None

    def _get_rule(self):
        self.ensure_one()
        return Rule(
            target=self.target,
            source=self.source or "",
            fixed=self.fixed_value or "",
            value_map=parse_value_map(self.value_map),
        )
