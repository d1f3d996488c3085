from .common import IspBillingCase


class IspDunningCase(IspBillingCase):
    """One bill of 1,000 due on Monday 1 March 2027; days and hours are those of Dhaka."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription()
        cls.message = cls.env.ref("isp_billing.mail_template_dunning_overdue")
        cls.fee_product = cls.env["product.product"].create(
            {"name": "Late fee", "type": "service", "list_price": 50.0, "taxes_id": False}
        )

    @classmethod
    def remind(cls, days, **vals):
        return {"action": "remind", "days": days, "mail_template_id": cls.message.id, **vals}

    @classmethod
    def late_fee(cls, days, **vals):
        return {
            "action": "late_fee",
            "days": days,
            "product_id": cls.fee_product.id,
            "fee_amount": 50.0,
            "charge_from": "2027-01-01",
            **vals,
        }

    def dun(self, moment):
        """Let the job run at ``moment`` of Dhaka, such as ``2027-03-05 10``."""
        day, hour = moment.split()
        with self.at(f"{day} {int(hour) - 6:02}:00:00"), self.enter_registry_test_mode():
            self.env.ref("isp_billing.isp_subscription_cron_suspend").method_direct_trigger()

    def outcomes(self, subscription=None):
        """``[(step, outcome), …]`` as the log has it, oldest first."""
        logs = (subscription or self.subscription).dunning_log_ids.sorted("id")
        return [(log.action, log.outcome) for log in logs]

    def events(self, subscription=None):
        """The words of every dunning event."""
        events = (subscription or self.subscription).event_ids.sorted("id")
        return [event.reason for event in events if event.event_type == "dunning"]

    def mails(self, subscription=None):
        """Messages to the customer that wait to be sent or were sent."""
        subscription = subscription or self.subscription
        return self.env["mail.mail"].search(
            [("model", "=", "isp.subscription"), ("res_id", "=", subscription.id)], order="id"
        )
