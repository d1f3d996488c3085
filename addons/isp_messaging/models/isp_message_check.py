from odoo import models

from ..engine import dlt, numbers, placeholders
from ..engine.words import is_bangla


class IspMessage(models.Model):
    """Whether a message may go out, and when: asked when it is queued and again when it is sent."""

    _inherit = "isp.message"

    def _settle(self, now):
        """Hold a message back, refuse it, or say when it goes out; ``now`` is naive UTC.

        :return: whether it may go out at ``now``
        """
        self.ensure_one()
        if reason := self._find_suppression():
            self._move_to("suppressed", reason)
            return False
        if problem := self._find_problem():
            self._fail(problem, now)
            return False
        release = self._find_release(now)
        if release is None:
            self._fail(self.env._("The rule of the country leaves no hour for advertising."), now)
            return False
        self.release_at = max(release, self.release_at or now)
        if release > now:
            self.reason = self.env._("Advertising waits for the hours of the country.")
        self._wake()
        return self.release_at <= now

    def _find_suppression(self):
        """Return why the message is held back for good, None when it is not.

        Hook: consents and objections.
        """
        return None

    def _get_rule(self):
        """Return the rule of the number's country, which may have none; mail goes by the company's."""
        rules = self.env["isp.message.rule"]
        if self.channel == "email":
            return rules._find(self.company_id.country_id.code, self.company_id)
        return rules._find(numbers.country_of(self.recipient), self.company_id)

    def _find_release(self, now):
        """Return when the message may go out at the earliest, None when never."""
        if self.message_class != "promotional":
            return now
        home = self.company_id.country_id.code
        rule = self._get_rule() or self.env["isp.message.rule"]._find(home, self.company_id)
        return rule._get_release(now)

    def _find_problem(self):
        """Return why the message cannot be sent as it is, None when it can."""
        if not self.recipient:
            return (
                self.env._("The customer has no e-mail address.")
                if self.channel == "email"
                else self.env._("The customer has no valid phone number.")
            )
        if self.channel not in self.company_id._get_isp_channels():
            return self.env._("The company has no gateway for this channel.")
        if self.channel == "email" and self.mail_template_id:
            return None
        return self._find_text_problem() or self._find_country_problem()

    def _find_text_problem(self):
        if not (self.body or "").strip():
            return self.env._("The message has no text.")
        if placeholders.left_over(self.body):
            return self.env._("The text has placeholders that nothing was put in for.")
        found = self.env["isp.message.word"]._find(self.body)
        if found and self.message_class != "promotional":
            return self.env._(
                "Customers cannot refuse this message, so it must not advertise: %s.",
                ", ".join(found),
            )
        return None

    def _find_country_problem(self):
        if self.channel != "sms":
            return None
        rule = self._get_rule()
        if (
            rule.promo_bangla_only
            and self.message_class == "promotional"
            and not is_bangla(self.body)
        ):
            return self.env._(
                "Advertising in %s has to be in Bangla; this text is not.", rule.country_id.name
            )
        if rule.dlt_required:
            return self._find_dlt_problem()
        return None

    def _find_dlt_problem(self):
        text = self.text_id
        if not text.dlt_template_id:
            return self.env._(
                "Operators of India pass on registered texts only, and this one has no template id "
                "(DLT). Enter it at a new version of the text."
            )
        if dlt.match(text.dlt_text, self.body) is None:
            return self.env._(
                "The message differs from the text that is registered as %s, so operators would "
                "not pass it on.",
                text.dlt_template_id,
            )
        return None

    # === BUSINESS METHODS - THE NEXT CHANNEL === #

    def _fail(self, reason, now):
        """The channel failed: try the next one that the customer can be reached by, or give up."""
        self.ensure_one()
        names = dict(self._fields["channel"]._description_selection(self.env))
        left = [name for name in (self.channels_left or "").split(",") if name]
        while left:
            channel = left.pop(0)
            address = self.partner_id._get_isp_address(channel, self.company_id)
            if not address or channel not in self.company_id._get_isp_channels():
                continue
            self.write(
                {
                    "state": "queued",
                    "channel": channel,
                    "channels_left": ",".join(left),
                    "recipient": address,
                    "attempts": 0,
                    "release_at": now,
                    "reason": self.env._(
                        "%(failed)s failed: %(reason)s Next: %(next)s.",
                        failed=names[self.channel],
                        reason=reason,
                        next=names[channel],
                    ),
                }
            )
            self._wake()
            return
        self._move_to("failed", reason, channels_left=False)
