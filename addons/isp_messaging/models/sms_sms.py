from odoo import fields, models

from odoo.addons.sms.tools.sms_api import SmsApiBase

# What Odoo's own list of failures has for what the outbox says.
_FAILURES = {
    "suppressed": "sms_optout",
    "failed": "sms_server",
    "unknown": "sms_server",
}


class SmsApiOutbox(SmsApiBase):
    """Puts Odoo's messages into the outbox, from which the gateway of the company sends them."""

    PROVIDER_TO_SMS_FAILURE_TYPE = SmsApiBase.PROVIDER_TO_SMS_FAILURE_TYPE | {
        "isp_suppressed": "sms_optout",
        "isp_failed": "sms_server",
        "isp_unknown": "sms_server",
    }

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        """Queue each number once; the state follows when the gateway has answered."""
        sent = self.env["sms.sms"]
        return [
            sent._isp_queue(self.company, number["uuid"], number["number"], message["content"])
            for message in messages
            for number in message["numbers"]
        ]


class SmsSms(models.Model):
    """Odoo's own text messages go through the company's gateway, by each of their two ways."""

    _inherit = "sms.sms"

    # The name that Odoo's own addon for another gateway gives the same field.
    record_company_id = fields.Many2one(
        "res.company", "Company", ondelete="set null", default=lambda self: self.env.company
    )

    def _get_sms_company(self):
        # The queue runs as nobody of the company, so the message has to know.
        return (
            self.mail_message_id.record_company_id
            or self.record_company_id
            or super()._get_sms_company()
        )

    def _split_by_api(self):
        """Go company by company: Odoo would send all of them by its own service."""
        for company, own in self.grouped(lambda sms: sms._get_sms_company()).items():
            if company._get_sms_gateway():
                api = SmsApiOutbox(self.env)
                api._set_company(company)
                yield api, own
            else:
                yield from super(SmsSms, own)._split_by_api()

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Split the queue by company as ``send`` does: Odoo's job dies of a mixed one."""
        options = {
            "unlink_failed": unlink_failed,
            "unlink_sent": unlink_sent,
            "raise_exception": raise_exception,
        }
        if self.env.context.get("sms_api"):
            return super()._send(**options)
        for api, own in self._split_by_api():
            super(SmsSms, own.with_context(sms_api=api))._send(**options)
        return None

    def _isp_queue(self, company, uuid, number, body):
        """Put one message into the outbox; return what Odoo's own service would answer."""
        sms = self.sudo().search([("uuid", "=", uuid)], limit=1)
        outbox = self.env["isp.message"].sudo()
        # What sells something is advertising, whoever wrote it: hours, language and consent count.
        is_promo = bool(self.env["isp.message.word"]._find(body))
        message = outbox._queue(
            company,
            f"sms:{uuid}",
            address=number,
            partner_id=sms.partner_id.id,
            body=body,
            message_class="promotional" if is_promo else "service",
            text_id=self.env["isp.message.text"]._find_registered(company, body).id,
            sms_uuid=uuid,
        )
        if message.state == "failed" and message.may_resend and sms.failure_type:
            message.action_resend()
        state = {
            "accepted": "success",
            "delivered": "delivered",
            "failed": "isp_failed",
            "suppressed": "isp_suppressed",
            "unknown": "isp_unknown",
        }.get(message.state, "processing")
        answer = {"uuid": uuid, "state": state}
        return {**answer, "failure_reason": message.reason} if message.reason else answer


class IspMessage(models.Model):
    """Tells Odoo's own message what became of it."""

    _inherit = "isp.message"

    def _follow_up(self):
        result = super()._follow_up()
        known = {"accepted": "pending", "delivered": "sent", **dict.fromkeys(_FAILURES, "error")}
        if self.sms_uuid and self.state in known:
            # sudo: Odoo's rows belong to administrators, the states in them are ours.
            sms = self.env["sms.sms"].sudo().search([("uuid", "=", self.sms_uuid)])
            failure = _FAILURES.get(self.state, False)
            sms.sms_tracker_id._action_update_from_sms_state(
                known[self.state], failure_type=failure, failure_reason=self.reason
            )
            sms.write({"state": known[self.state], "failure_type": failure})
        return result
