import logging

from odoo import models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)


class PrivacyRequest(models.Model):
    """Carrying out what was approved: by an engine where there is one, else by hand."""

    _inherit = "privacy.request"

    # === BUSINESS METHODS === #

    def _begin_execution(self, reason):
        """Carry the request out now, as far as that goes by itself.

        What an engine cannot do leaves the request in ``failed``, from where it is tried again.
        """
        self.ensure_one()
        if not self._move_to("executing", reason):
            return
        try:
            with self.env.cr.savepoint():
                result = self._execute()
        except UserError as error:
            self._fail(str(error))
            return
        if result:
            self._finish(result)

    def _execute(self):
        """Carry the request out; called once each time it enters ``executing``.

        Hook: an engine defines ``_execute_<type>``, such as ``_execute_access``. A type that has
        none is done by hand.

        :return: what was done, in words for the answer; nothing when somebody still has to do it
        :raises UserError: when it cannot be done now; all of it is rolled back
        """
        execute = getattr(self, f"_execute_{self.request_type}", self._execute_by_hand)
        return execute()

    def _execute_by_hand(self):
        """Ask the officers to do it, and to note what they did."""
        self._schedule_activities(
            self.env._("Carry out the request and note what was done"), self.date_due
        )

    def _finish(self, result):
        """The request was carried out: tell the person.

        :param result: what was done; part of the letter
        """
        result = (result or "").strip()
        if self._move_to("done", self.env._("Carried out"), result=result):
            self._send_letter("done")

    def _fail(self, message):
        """It could not be carried out now; the officers see why and may try again."""
        if self._move_to("failed", message):
            _logger.warning("Privacy request %s could not be carried out", self.name)
            self._schedule_activities(
                self.env._("Could not be carried out: see the history, then try again"),
                self.company_id._get_privacy_today(),
            )

    # === ACTIVITIES === #

    def _schedule_activities(self, summary, deadline, kind="task"):
        """Put the request on the list of its officer, or of all officers when it has none.

        :param kind: ``task`` for what has to be done, ``clock`` for time that runs out
        """
        # sudo: customers and jobs open requests too, and may not write activities of staff.
        request = self.sudo()
        for user in request._get_watchers():
            request.activity_schedule(
                f"isp_privacy.mail_activity_type_{kind}",
                date_deadline=deadline,
                summary=summary,
                user_id=user.id,
            )

    def _get_watchers(self):
        """Users who look after the request."""
        officers = self.env["res.users"]._privacy_officers(self.company_id)
        return (self.user_id & officers) or officers

    def _unlink_activities(self, *kinds):
        # sudo: customers withdraw requests too, and may not touch the activities of staff.
        self.sudo().activity_unlink([f"isp_privacy.mail_activity_type_{kind}" for kind in kinds])
