from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..routeros import desired, errors, menus
from ..routeros.connection import parse_row

# An emptied router differs in every row; people read a few hundred at most.
_KEPT = 500
_KEEP_DAYS = 90
_MASK = "••••••"
# What a person may take over from the router, and where it belongs.
_ADOPTED = {
    "password": "password",
    "name": "username",
    "remote-address": "ipv4_address",
    "address": "ipv4_address",
    "remote-ipv6-prefix": "delegated_prefix",
    "caller-id": "mac_addresses",
    "mac-address": "mac_addresses",
}


class IspNasDifference(models.Model):
    """One property of a router's configuration that is not as it should be."""

    _name = "isp.nas.difference"
    _description = "Difference on a router"
    _order = "is_open desc, id desc"
    _rec_name = "label"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {
        "category": "network",
        "purpose": "network",
        "retention": "network",
        "erasure": "delete",
    }
    _privacy_fields = {"label marker wanted found message": {"export": False}}
    _privacy_free = {"Where it stands on the router.": "menu row_ref property_name"}
    _privacy_retention = {"anchor": "write_date", "domain": [("is_open", "=", False)]}

    nas_id = fields.Many2one(
        "isp.nas", "Router", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="nas_id.company_id", store=True, index=True)
    menu = fields.Char(readonly=True)
    label = fields.Char("Row", readonly=True)
    marker = fields.Char(readonly=True)
    row_ref = fields.Char("Number on the router", readonly=True)
    subscription_id = fields.Many2one("isp.subscription", readonly=True, ondelete="set null")
    kind = fields.Selection(
        [
            ("missing", "Missing on the router"),
            ("extra", "Not wanted any more"),
            ("changed", "Changed on the router"),
            ("clash", "Name used by another row"),
        ],
        required=True,
        readonly=True,
    )
    property_name = fields.Char("Property", readonly=True)
    wanted = fields.Char("Should be", readonly=True)
    found = fields.Char("Is", readonly=True)
    message = fields.Char("What the router said", readonly=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("queued", "Being corrected"),
            ("corrected", "Corrected"),
            ("adopted", "Adopted"),
        ],
        required=True,
        default="open",
        readonly=True,
    )
    is_open = fields.Boolean(compute="_compute_is_open", store=True, index=True)

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_is_open(self):
        for one in self:
            one.is_open = one.state in ("open", "queued")

    # === ACTION METHODS === #

    def action_correct(self):
        """Let the router be made as it should be, in the background.

        A row with a taken name becomes ours: it is marked, and set like the others.
        """
        self._check_may_settle()
        # sudo: the right to write the router was checked; the state belongs to the mechanism.
        todo_sudo = self.sudo().filtered("is_open")
        todo_sudo._of_same_rows().state = "queued"
        self.env["isp.nas.sync"]._try_at_once(todo_sudo.nas_id)
        for nas in todo_sudo.nas_id:
            nas._enqueue_reconcile(full=True)

    def action_adopt(self):
        """Take what is on the router for right."""
        self._check_may_settle()
        for one in self.filtered("is_open"):
            try:
                one._adopt()
            except errors.RouterError as error:
                raise UserError(one.nas_id._explain_router_error(error)) from None

    def _check_may_settle(self):
        self.check_access("read")
        self.nas_id.check_access("write")

    # === BUSINESS METHODS - ADOPTING === #

    def _adopt(self):
        """Carry one difference over to the subscription, or give a row up."""
        self.ensure_one()
        if self.kind == "extra":
            self._release()
        elif self.kind == "clash":
            self._adopt_row()
            return  # it is being corrected: the row still has to be marked
        elif self.kind == "changed" and self.property_name in _ADOPTED and self.subscription_id:
            self._adopt_property(self._read_row())
        else:
            raise UserError(
                self.env._(
                    "“%(property)s” of %(row)s follows from the plan and the bills, so it cannot be "
                    "taken over from the router. Change it there, or correct the router.",
                    property=self.property_name or self.menu,
                    row=self.label,
                )
            )
        # sudo: see action_correct.
        self.sudo().state = "adopted"

    def _release(self):
        """Leave the row to the router: it loses our marker."""
        row = self._read_row()
        if self.menu == menus.HOTSPOT_PROFILE:
            raise UserError(self.env._("A profile of ours cannot be left to the router."))
        note = menus.split_marker(row.get("comment", ""))[1]
        with self.nas_id._open_router() as session:
            session.call(f"{self.menu}/set", f"=.id={self.row_ref}", f"=comment={note}")

    def _adopt_row(self):
        """Take over a row of others with its password; the rest follows from the plan."""
        if self.menu not in (menus.PPP_SECRET, menus.HOTSPOT_USER) or not self.subscription_id:
            raise UserError(
                self.env._("Only logins can be taken over. Correct the router, or rename its row.")
            )
        row = self._read_row()
        if row.get("password"):
            # sudo: network staff settles differences without the right to passwords.
            self.subscription_id.sudo().password = row["password"]
        self.action_correct()

    def _adopt_property(self, row):
        field = _ADOPTED[self.property_name]
        value = row.get(self.property_name, "")
        if field == "password" and not value:
            raise UserError(self.env._("The router shows no password, so none can be taken over."))
        # sudo: network staff settles differences without the right to change subscriptions.
        subscription_sudo = self.subscription_id.sudo()
        subscription_sudo.write({field: value or False})
        if field != "password":
            return
        subscription_sudo._log_event("password", self.env._("Password taken over from the router"))

    def _read_row(self):
        """The row as it is on the router at this moment."""
        menu = menus.MENUS[self.menu]
        with self.nas_id._open_router() as session:
            rows = session.print_rows(self.menu, menu.proplist(), (f"?.id={self.row_ref}",))
        if not rows:
            raise UserError(self.env._("The row is no longer on the router. Look at it again."))
        return parse_row(rows[0])

    # === BUSINESS METHODS - RECORDING === #

    @api.model
    def _get_queued_markers(self, nas):
        """Markers of the rows that a person wants corrected."""
        return set(
            self.search([("nas_id", "=", nas.id), ("state", "=", "queued")]).mapped("marker")
        )

    def _of_same_rows(self):
        """All open differences of the same rows."""
        return self.search(
            [
                ("nas_id", "in", self.nas_id.ids),
                ("marker", "in", self.mapped("marker")),
                ("is_open", "=", True),
            ]
        )

    @api.model
    def _replace(self, nas, differences, messages=None, scope=None, state="open"):
        """Write down what differs now, instead of what was open before.

        :param messages: ``{Difference: what the router said}``
        :param scope: subscriptions that were looked at, ``None`` for the whole router
        """
        domain = [("nas_id", "=", nas.id), ("is_open", "=", True)]
        if scope is not None:
            domain.append(("subscription_id", "in", scope.ids))
        self.search(domain).unlink()
        vals_list = []
        for one in differences[:_KEPT]:
            vals_list += self._prepare_vals(nas, one, state, (messages or {}).get(one))
        self.create(vals_list)

    @api.model
    def _record_run(self, nas, outcome, scope, drifted, settled):
        """Keep what a run could not or should not settle, and what had drifted.

        :param drifted: differences that no change of ours explains
        :param settled: function of a difference: whether the run was to settle it
        """
        messages = dict(outcome.failures)
        left = [one for one in outcome.differences if not settled(one)]
        left = list(dict.fromkeys([*left, *messages, *outcome.left]))
        self._replace(nas, left, messages, scope)
        if scope is None:
            self.env["isp.nas.sync"]._of(nas).drift_count = len(drifted)
        corrected = [one for one in drifted if one not in left][:_KEPT]
        self.create(
            [vals for one in corrected for vals in self._prepare_vals(nas, one, "corrected", None)]
        )

    @api.model
    def _prepare_vals(self, nas, difference, state, message):
        """Values of one record a property; one alone where a row is missing, extra or in the way."""
        subscription_id = desired.service_id_of(difference.marker)
        common = {
            "nas_id": nas.id,
            "menu": difference.path,
            "label": difference.label,
            "marker": difference.marker,
            "row_ref": difference.row_id,
            "kind": difference.kind,
            "subscription_id": self.env["isp.subscription"].browse(subscription_id).exists().id
            if subscription_id
            else False,
            "state": state,
            "message": message,
        }
        if difference.kind != "changed":
            return [common]
        by_name = menus.MENUS[difference.path].by_name
        vals_list = []
        for name, found, wanted in difference.changes:
            secret = name in by_name and by_name[name].secret
            vals_list.append(
                dict(
                    common,
                    property_name=name,
                    found=_MASK if secret and found else found,
                    wanted=_MASK if secret and wanted else wanted,
                )
            )
        return vals_list

    @api.autovacuum
    def _gc_settled(self):
        """Forget what was settled long ago."""
        limit = fields.Datetime.now() - timedelta(days=_KEEP_DAYS)
        self.search([("is_open", "=", False), ("write_date", "<", limit)]).unlink()
