import json

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.isp_base.encryption import encrypted_char, get_keyring

from ..engine.identifiers import Identifier, Patterns
from ..eraser import Eraser

STEPS = [
    ("stop", "Logins, network and saved payments stop"),
    ("tell", "Processors are told"),
    ("letter", "The person is told"),
    ("models", "Records are erased"),
    ("files", "Files are destroyed"),
    ("redact", "Names and numbers in other records are replaced"),
    ("ledger", "The ledger is written"),
    ("sweep", "What is left is searched"),
    ("close", "The request is closed"),
]


class PrivacyErasure(models.Model):
    """One erasure of a person: its steps, how far it is, and what it found.

    It is worked on by a job, in batches that are committed one by one; what is written here is all
    that a crash needs to go on. See ``privacy_erasure_work``.
    """

    _name = "privacy.erasure"
    _description = "Erasure"
    _inherit = ["isp.encrypted.mixin"]
    _order = "id desc"
    _rec_name = "pseudonym"

    # An erasure is the proof that somebody, now a pseudonym, was erased; nothing leads to it from
    # the person. What the person was recognised by is emptied by the run itself when it closes.
    _privacy_subject = None
    _privacy_defaults = {"category": "proof", "purpose": "rights", "retention": "audit"}
    _privacy_retention = {"never": "Who it was is emptied when the erasure is done."}
    _privacy_fields = {
        "partner_id": "subject",
        "identifiers": "secret",
        "problem": {"category": "trace", "erasure": "null", "export": False},
    }
    _privacy_free = {"A keyed digest of the number of a partner.": "pseudonym"}

    request_id = fields.Many2one(
        "privacy.request", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    partner_id = fields.Many2one("res.partner", "Contact", readonly=True, ondelete="restrict")
    pseudonym = fields.Char(
        required=True, readonly=True, index=True, help="Stands for the person, the same everywhere."
    )
    is_replay = fields.Boolean(
        "Again after a restore",
        readonly=True,
        help="The backup was older than the erasure, so it was carried out again.",
    )
    state = fields.Selection(
        [
            ("running", "Running"),
            ("held", "On hold"),
            ("failed", "Failed"),
            ("done", "Done"),
        ],
        required=True,
        readonly=True,
        default="running",
        index=True,
    )
    step = fields.Selection(STEPS, required=True, readonly=True, default="stop")
    attempts = fields.Integer(readonly=True, help="Of the present step.")
    problem = fields.Char(readonly=True, help="What has to be done before it can go on.")
    started_at = fields.Datetime("Started", required=True, readonly=True)
    executed_at = fields.Datetime("Erased", readonly=True)
    closed_at = fields.Datetime("Closed", readonly=True)
    identifiers, identifiers_enc, identifiers_bidx, identifiers_last4 = encrypted_char(
        "identifiers",
        "Identifiers",
        groups="base.group_system",
        indexed=False,
        help="What is searched. Encrypted, and emptied when the erasure is closed.",
    )
    shared_count = fields.Integer(
        "Shared with others",
        readonly=True,
        help="So many names, numbers and addresses are another customer's as well, such as the "
        "phone of a family. They are not searched in what belongs to others.",
    )
    line_ids = fields.One2many("privacy.erasure.line", "erasure_id", "Records", readonly=True)
    finding_ids = fields.One2many(
        "privacy.erasure.finding", "erasure_id", "What is left", readonly=True
    )
    notice_ids = fields.One2many(
        "privacy.erasure.notice", "erasure_id", "Processors", readonly=True
    )
    kept_ids = fields.One2many("privacy.erasure.kept", "erasure_id", "Kept for now", readonly=True)
    redacted_count = fields.Integer("Other records", readonly=True)
    row_count = fields.Integer("Records erased", compute="_compute_counts")
    progress = fields.Integer("Progress (%)", compute="_compute_counts")
    open_finding_count = fields.Integer("Not explained", compute="_compute_counts")
    ledger_ids = fields.One2many("privacy.erasure.ledger", "erasure_id", readonly=True)

    _open_uniq = models.UniqueIndex(
        "(pseudonym) WHERE state <> 'done'", "This person is being erased already."
    )

    # === COMPUTE METHODS === #

    @api.depends("line_ids.done", "line_ids.row_count", "step", "state", "finding_ids.is_explained")
    def _compute_counts(self):
        order = [code for code, _label in STEPS]
        for run in self:
            run.row_count = sum(run.line_ids.mapped("row_count"))
            run.open_finding_count = len(run.finding_ids.filtered(lambda f: not f.is_explained))
            done = order.index(run.step)
            if run.step == "models" and run.line_ids:
                done += len(run.line_ids.filtered("done")) / len(run.line_ids)
            run.progress = 100 if run.state == "done" else int(100 * done / len(order))

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("An erasure is proof that it was done: it is never deleted."))

    # === ACTIONS === #

    def action_retry(self):
        """Go on with an erasure that has failed, where it stopped."""
        for run in self:
            if run.request_id.state == "failed":
                run.request_id.action_proceed()
            elif not run.request_id:
                self.env["privacy.request"].check_access("write")
                run.sudo()._continue()

    def action_open_request(self):
        """Show the request."""
        self.ensure_one()
        return self.request_id.get_formview_action()

    # === BUSINESS METHODS === #

    @api.model
    def _start(self, company, partner, request=None, is_replay=False):
        """Begin to erase a person; a job does the work.

        :param partner: the person, an empty record when only the address of a request is known
        :return: the run, the one that is open already if there is one
        """
        # sudo: runs are written by their own methods only; officers read them.
        runs = self.sudo()
        pseudonym = runs._make_pseudonym(partner, request)
        run = runs.search([("pseudonym", "=", pseudonym), ("state", "!=", "done")])
        if not run:
            partner._privacy_check_erasable()
            run = runs.create(
                {
                    "request_id": request.id if request else False,
                    "company_id": company.id,
                    "partner_id": partner.id,
                    "pseudonym": pseudonym,
                    "is_replay": is_replay,
                    "started_at": fields.Datetime.now(),
                }
            )
            run._collect()
        run._continue()
        return run

    @api.model
    def _make_pseudonym(self, partner, request):
        if partner:
            return self.env["privacy.audit"]._pseudonym(partner)
        return get_keyring(self.env).blind_index("privacy.subject", f"request {request.id}")[:16]

    def _continue(self):
        """Let the job go on with these runs."""
        self.write({"state": "running", "problem": False, "attempts": 0})
        self.env.ref("isp_privacy.privacy_erasure_cron_work")._trigger()

    def _get_partners(self):
        """Return the person with the addresses below."""
        self.ensure_one()
        return self.partner_id._privacy_family()

    def _get_eraser(self):
        return Eraser(self.env, self._get_partners(), self.pseudonym)

    # === WHAT THE PERSON IS RECOGNISED BY === #

    def _get_identifiers(self):
        """Return the identifiers as :class:`Identifier` objects."""
        self.ensure_one()
        return [Identifier(*pair) for pair in json.loads(self.identifiers or "[]")]

    def _get_patterns(self):
        return Patterns(self._get_identifiers())
