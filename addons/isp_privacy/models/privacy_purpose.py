from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import catalogue

ROLES = [("controller", "Controller"), ("processor", "Processor"), ("none", "None")]


class PrivacyPurpose(models.Model):
    """What personal data is used for, and on which ground: an activity of Article 30.

    The data map names purposes by their code. What a purpose processes is read from the map, so the
    record of processing cannot differ from what is declared beside the fields.
    """

    _name = "privacy.purpose"
    _description = "Purpose of processing"
    _order = "sequence, name"

    _privacy_subject = None
    _privacy_defaults = {"category": "proof", "purpose": "rights", "retention": "audit"}
    _privacy_fields = {"owner_id": "staff"}
    _privacy_free = {
        "What the operator says to all about a purpose.": "code name description subjects "
        "recipients transfer_instrument security_measures interest",
    }

    code = fields.Char(
        required=True, copy=False, help="By this code the data map names the purpose."
    )
    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=100)
    description = fields.Text("What is done", translate=True)
    lawful_basis = fields.Selection(catalogue.LAWFUL_BASES, required=True)
    interest = fields.Text(
        "Interest and its balance",
        translate=True,
        help="Which interest it is, and why the interests of the people concerned do not outweigh it.",
    )
    operator_role = fields.Selection(
        ROLES,
        "Role of the operator",
        required=True,
        default="controller",
        help="The operator is whose customers these are.",
    )
    platform_role = fields.Selection(
        ROLES,
        "Role of the platform",
        required=True,
        default="processor",
        help="The platform is who runs this system for the operator.",
    )
    subjects = fields.Char(
        "People concerned", translate=True, help="Customers, visitors, members of staff."
    )
    recipients = fields.Text(translate=True, help="To whom the data goes, as kinds of companies.")
    country_ids = fields.Many2many("res.country", string="Countries it goes to")
    transfer_instrument = fields.Char(help="What allows the data to leave the country.")
    security_measures = fields.Text(translate=True)
    owner_id = fields.Many2one("res.users", "Answered for by", domain="[('share', '=', False)]")
    review_date = fields.Date("Next review")

    # === FIELDS - FROM THE DATA MAP === #
    entry_ids = fields.One2many("privacy.map.entry", "purpose_id", "Data map")
    entry_count = fields.Integer("Fields", compute="_compute_from_map")
    data_categories = fields.Char("Categories of data", compute="_compute_from_map")
    retention_classes = fields.Char("Kept as", compute="_compute_from_map")
    other_bases = fields.Char(
        "Other lawful bases",
        compute="_compute_from_map",
        help="Of single fields, where it differs from that of the purpose.",
    )

    _code_uniq = models.Constraint("UNIQUE(code)", "There is a purpose with this code already.")

    # === COMPUTE METHODS === #

    @api.depends("lawful_basis")
    def _compute_from_map(self):
        Entry = self.env["privacy.map.entry"]
        labels = {
            name: dict(Entry._fields[name]._description_selection(self.env))
            for name in ("category", "retention", "lawful_basis")
        }
        found = Entry._read_group(
            [("purpose_id", "in", self.ids)],
            ["purpose_id", "category", "retention", "lawful_basis"],
            ["__count"],
        )
        for purpose in self:
            rows = [row for row in found if row[0] == purpose]

            def spell(position, name, rows=rows):
                values = {row[position] for row in rows if row[position]}
                return ", ".join(label for code, label in labels[name].items() if code in values)

            purpose.entry_count = sum(row[-1] for row in rows)
            purpose.data_categories = spell(1, "category")
            purpose.retention_classes = spell(2, "retention")
            others = [row for row in rows if row[3] != purpose.lawful_basis]
            purpose.other_bases = spell(3, "lawful_basis", others)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """The map says which purposes there are, so it is read anew."""
        purposes = super().create(vals_list)
        self._forget_map()
        return purposes

    def write(self, vals):
        """A code that the data map uses stays; see :meth:`create`."""
        if "code" in vals and any(purpose.code != vals["code"] for purpose in self):
            self._check_unused()
        result = super().write(vals)
        if {"code", "lawful_basis"} & vals.keys():
            self._forget_map()
        return result

    def unlink(self):
        """See :meth:`create`."""
        result = super().unlink()
        self._forget_map()
        return result

    @api.ondelete(at_uninstall=False)
    def _check_unused(self):
        used = self.filtered("entry_count")
        if used:
            raise UserError(
                self.env._(
                    "The data map uses %(purposes)s, so the code must stay. Archive the purpose if "
                    "nothing is done for it any more.",
                    purposes=", ".join(used.mapped("name")),
                )
            )

    def _forget_map(self):
        self.env.registry.clear_cache("stable")
        self.env["privacy.map.entry"].invalidate_model()

    # === ACTIONS === #

    def action_open_entries(self):
        """Show the fields that are processed for this purpose."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_privacy.privacy_map_entry_action"
        )
        return {
            **action,
            "domain": [("purpose_id", "=", self.id)],
            "context": {},
        }
