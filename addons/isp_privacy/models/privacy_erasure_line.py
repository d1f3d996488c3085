from odoo import api, fields, models


class PrivacyErasureLine(models.Model):
    """How far an erasure is with the records of one model.

    Only numbers are written down, never which records: a customer may have millions.
    """

    _name = "privacy.erasure.line"
    _description = "Erasure of a model"
    _order = "erasure_id, sequence, id"
    _rec_name = "model_name"

    _privacy_free = "Names of models and numbers of records."

    erasure_id = fields.Many2one(
        "privacy.erasure", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="erasure_id.company_id", store=True, index=True)
    sequence = fields.Integer(readonly=True)
    model_name = fields.Char("Model", required=True, readonly=True)
    model_label = fields.Char("Records", compute="_compute_model_label")
    # A text: the numbers of sessions do not fit into an integer of the database.
    last_id = fields.Char("Last record", readonly=True, help="Up to here it is done.")
    row_count = fields.Integer("Done", readonly=True)
    waiting_count = fields.Integer("Kept", readonly=True)
    done = fields.Boolean("Complete", readonly=True)

    @api.depends("model_name")
    def _compute_model_label(self):
        for line in self:
            # sudo: auditors may not read the list of models.
            line.model_label = self.env["ir.model"].sudo()._get(line.model_name).name

    # === BUSINESS METHODS === #

    def _erase_batch(self, limit):
        """Erase the next records of the model; note the last of them, from where it goes on.

        :return: whether there was anything to do
        """
        self.ensure_one()
        run = self.erasure_id
        if run.kept_ids._keep_model(self):
            self.done = True
            return True
        eraser = run._get_eraser()
        records = eraser.search(self.model_name, int(self.last_id or 0), limit)
        if not records:
            self.done = True
            return False
        last, count = records[-1].id, len(records)
        run.kept_ids._seal_documents(run, eraser, records)
        waiting = eraser.erase(records)
        if waiting:
            run.kept_ids._wait_for(self)
        self.write(
            {
                "last_id": str(last),
                "row_count": self.row_count + count - len(waiting),
                "waiting_count": self.waiting_count + len(waiting),
                "done": count < limit,
            }
        )
        return True
