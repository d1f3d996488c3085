"""Payments at gateways."""

PAY_LOG = {"category": "financial", "purpose": "billing", "retention": "pay_log"}
OF_THE_OPERATOR = "What the operator tells all customers about a gateway."

MODULES = {
    "payment": {
        "payment.transaction": {
            "subject": "partner_id",
            "defaults": PAY_LOG,
            "fields": {
                "partner_name": {"category": "identity", "erasure": "null"},
                "partner_email partner_phone": {"category": "contact", "erasure": "null"},
                "partner_address partner_zip partner_city": {
                    "category": "address",
                    "erasure": "null",
                },
                "partner_id": "subject",
                "state_message": {"erasure": "null"},
                # The page it leads back to, with the key that opens it.
                "landing_route": {"category": "credential", "erasure": "null", "export": False},
                "provider_reference": {
                    "erasure": "keep",
                    "reason": "The gateway's number of the payment, to settle what it disputes.",
                },
            },
            "facts": "reference amount currency_id state last_state_change",
            # One that is under way is not settled, however old it is.
            "retention": {
                "anchor": "last_state_change",
                "domain": [("state", "in", ("done", "cancel", "error"))],
            },
        },
        "payment.token": {
            "subject": "partner_id",
            "defaults": {**PAY_LOG, "category": "payment_means", "retention": "account"},
            "fields": {
                "payment_details": {"erasure": "null"},
                "provider_ref": {"category": "credential", "erasure": "mask", "export": False},
                "partner_id": "subject",
            },
        },
        "payment.provider": {
            "free": {
                OF_THE_OPERATOR: "name pre_msg pending_msg auth_msg done_msg cancel_msg image_128",
            },
        },
        "payment.method": {"free": "Kinds of payment, as cards and wallets."},
    },
}
