import base64

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from odoo.addons.isp_base.encryption import encrypted_char

# So long a document can be fetched after it was opened.
OPEN_MINUTES = 5
DOCUMENTS = ("document", "identity_document")


class PrivacyErasureKept(models.Model):
    """What an erasure leaves for now, because a law or an order asks for it, and until when.

    Records stay where they are, under the pseudonym of the person. Documents, such as bills as they
    were sent, are sealed: encrypted here, opened only for a reason that is written down. On the day
    after its date a job destroys each.
    """

    _name = "privacy.erasure.kept"
    _description = "Kept after an erasure"
    _inherit = ["isp.encrypted.mixin"]
    _order = "keep_until, id"
    _rec_name = "model_name"

    _privacy_subject = None
    _privacy_defaults = {
        "category": "document",
        "purpose": "rights",
        "retention": "audit",
        "erasure": "keep",
        "reason": "Kept by an erasure itself, until the date on it.",
        "export": False,
    }
    _privacy_fields = {
        "content": {},
        "open_reason": {"category": "trace"},
        "opened_by_id": "staff",
    }
    _privacy_free = {
        "Which kind of record, why it is kept, and the number of a document.": "model_name reason "
        "document pseudonym mimetype retention",
    }

    erasure_id = fields.Many2one(
        "privacy.erasure", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="erasure_id.company_id", store=True, index=True)
    pseudonym = fields.Char(related="erasure_id.pseudonym", store=True, index=True)
    model_name = fields.Char("Model", readonly=True, help="All records of this kind.")
    document = fields.Char(readonly=True, help="A sealed document, by the record it belongs to.")
    mimetype = fields.Char(readonly=True)
    content, content_enc, content_bidx, content_last4 = encrypted_char(
        "content", "Sealed content", groups="base.group_system", indexed=False
    )
    retention = fields.Char("Kept as", readonly=True)
    reason = fields.Char(required=True, readonly=True)
    keep_until = fields.Date(
        "Kept until", readonly=True, index=True, help="The last day. Empty: until the hold ends."
    )
    hold_id = fields.Many2one("privacy.hold", readonly=True, ondelete="restrict")
    destroyed_at = fields.Datetime("Destroyed", readonly=True)
    open_reason = fields.Char("Why it is opened", copy=False)
    opened_at = fields.Datetime("Last opened", readonly=True)
    opened_by_id = fields.Many2one("res.users", "Last opened by", readonly=True)

    # === CRUD METHODS === #

    def write(self, vals):
        """All but the reason for opening is written by the methods below."""
        if not self.env.su and set(vals) - {"open_reason"}:
            raise AccessError(self.env._("What is kept cannot be changed by hand."))
        return super().write(vals)

    # === ACTIONS === #

    def action_open(self):
        """Hand a sealed document out, for a reason that goes into the audit chain."""
        self.ensure_one()
        self.check_access("write")
        reason = (self.open_reason or "").strip()
        if not reason:
            raise UserError(self.env._("Enter why the document is opened, then open it."))
        self.env["privacy.audit"]._log(
            "open sealed document", self, fields={"open_reason": reason}, subject=self.pseudonym
        )
        # sudo: these are written by this method only.
        self.sudo().write(
            {
                "open_reason": False,
                "opened_at": fields.Datetime.now(),
                "opened_by_id": self.env.uid,
            }
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/isp_privacy/sealed/{self.id}",
            "target": "new",
        }

    def _read_opened(self):
        """Return the bytes of a document that the user has opened just now, None of any other."""
        self.ensure_one()
        since = fields.Datetime.subtract(fields.Datetime.now(), minutes=OPEN_MINUTES)
        if self.opened_by_id != self.env.user or self.opened_at < since:
            return None
        # sudo: it was opened for a reason; the content itself is closed to everybody.
        return base64.b64decode(self.sudo().content or "")

    # === BUSINESS METHODS === #

    @api.model
    def _keep_model(self, line):
        """Keep the records of a model whole if a law or an order asks for it.

        Only records that would be deleted are kept: of those that stay anyway, what identifies the
        person is not asked for by any law we know; documents are sealed one by one.

        :return: whether they are kept
        """
        run = line.erasure_id
        eraser = run._get_eraser()
        held = self._find_holds(run, line.model_name)
        retention = eraser.retention_of(line.model_name)
        until = eraser.deletes(line.model_name) and run.company_id._privacy_kept_until(retention)
        # Files of documents are sealed one by one, see below.
        if not held and (not until or line.model_name == "ir.attachment"):
            return False
        if not eraser.search(line.model_name, 0, 1):
            return False
        self.create(
            {
                "erasure_id": run.id,
                "model_name": line.model_name,
                "retention": retention,
                "reason": held[:1].reference or self._get_reason(retention),
                "hold_id": held[:1].id,
                "keep_until": False if held else until,
            }
        )
        return True

    def _find_holds(self, run, model):
        """Return the holds in force on records of this kind."""
        found = self.env["privacy.hold"]
        sessions = self.env["privacy.map.entry"]._get_map().models[model].defaults
        for partner in run._get_partners():  # without a partner every hold would be found
            for company in self.env["res.company"].sudo().search([("id", "!=", False)]):
                found |= found._find_for_documents(company, model, partner)
                if sessions.get("retention") == "network":
                    found |= found._find_for_sessions(company, partner)
        return found

    def _get_reason(self, retention):
        labels = dict(
            self.env["privacy.map.entry"]._fields["retention"]._description_selection(self.env)
        )
        return self.env._("The law asks to keep it: %s", labels.get(retention, retention))

    @api.model
    def _wait_for(self, line):
        """Keep some records of a model until somebody else was told of them; tried each day."""
        self.create(
            {
                "erasure_id": line.erasure_id.id,
                "model_name": line.model_name,
                "reason": self.env._("Waits until another company was told to forget it"),
                "keep_until": fields.Date.today(),
            }
        )

    @api.model
    def _seal_documents(self, run, eraser, attachments):
        """Seal those of the files that are documents which a law asks to keep."""
        if attachments._name != "ir.attachment":
            return
        for attachment in attachments.filtered("res_field"):
            model = attachment.res_model
            entry = eraser.datamap.entry(model, attachment.res_field)
            if not entry or entry.category not in DOCUMENTS:
                continue
            until = run.company_id._privacy_kept_until(entry.retention)
            document = f"{model},{attachment.res_id}"
            if not until or run.kept_ids.filtered(lambda k, d=document: k.document == d):
                continue
            self.create(
                {
                    "erasure_id": run.id,
                    "document": document,
                    "mimetype": attachment.mimetype,
                    "content": base64.b64encode(attachment.raw or b"").decode(),
                    "retention": entry.retention,
                    "reason": self._get_reason(entry.retention),
                    "keep_until": until,
                }
            )

    @api.model
    def _cron_destroy(self):
        """Destroy what is not asked for any more."""
        cron = self.env["ir.cron"]
        due = Domain("destroyed_at", "=", False) & (
            Domain("keep_until", "<", fields.Date.today()) | Domain("hold_id", "!=", False)
        )
        todo = self.search(due)
        cron._commit_progress(remaining=len(todo))
        for kept in todo:
            if kept.hold_id.state != "open":
                kept._destroy()
            if not cron._commit_progress(1):
                return

    def _destroy(self):
        """Destroy the content, or erase the records as the map says."""
        self.ensure_one()
        run = self.erasure_id
        if self.model_name:
            if run._find_holds() or self._find_holds(run, self.model_name):
                return  # tried again tomorrow
            eraser, after, waits = run._get_eraser(), 0, False
            while records := eraser.search(self.model_name, after, 500):
                after = records[-1].id
                waits |= bool(eraser.erase(records))
            if waits:
                return
        self.write({"content": False, "destroyed_at": fields.Datetime.now()})
        self.env["privacy.audit"]._log("destroy", self, subject=self.pseudonym)
