"""Partners, users, their devices and logins."""

ACCOUNT = {"category": "account", "purpose": "service", "retention": "account"}
LOGIN = {"category": "credential", "purpose": "security", "retention": "account"}
PSEUDONYM = {"category": "identity", "erasure": "pseudonymise"}
CONTACT = {"category": "contact", "erasure": "null"}
BUSINESS_NUMBER = {"category": "identity", "purpose": "books", "erasure": "null"}
OPERATORS_OWN = "How the operator itself appears on documents and screens."
HASH_OF_KEY = "Hash and beginning of the key; deleted with its record."
GROUPING = "Groups that the operator made, not people."

BASE = {
    "res.partner": {
        "subject": "id",
        "defaults": ACCOUNT,
        "fields": {
            "name": PSEUDONYM,
            "complete_name commercial_company_name": {**PSEUDONYM, "export": False},
            "company_name": {"category": "identity", "erasure": "null"},
            "parent_id commercial_partner_id": "subject",
            "user_id": "staff",
            "ref barcode": {"erasure": "null"},
            "vat company_registry": BUSINESS_NUMBER,
            "email phone website function": CONTACT,
            "street street2 zip city": {"category": "address", "erasure": "null"},
            "comment properties": "free_text",
            "image_1920": {"category": "identity", "erasure": "null", "export": "photo"},
            "category_id": {"category": "preference", "erasure": "detach", "export": "tags"},
            "partner_latitude partner_longitude": {"category": "location", "erasure": "null"},
        },
        # Where it lives in the large is kept: the place of supply decides the tax of its bills.
        "facts": "lang tz country_id state_id type is_company create_date",
    },
    "res.partner.bank": {
        "subject": "partner_id",
        "defaults": {
            "category": "payment_means",
            "purpose": "billing",
            "retention": "account",
            "erasure": "delete",
        },
        "fields": {
            "acc_number acc_holder_name clearing_number note": {},
            "sanitized_acc_number": {"export": False},
            "partner_id": "subject",
        },
    },
    "res.partner.category": {
        "subject": "partner_ids",
        "defaults": ACCOUNT,
        "fields": {"partner_ids": {"erasure": "detach", "export": False}},
        "free": {GROUPING: "name"},
    },
    "res.partner.industry": {"free": "Trades of business customers in general."},
    "res.bank": {
        "free": {"Banks, not people.": "name bic street street2 zip city email phone"},
    },
    "res.company": {
        "free": {
            OPERATORS_OWN: "partner_id report_header report_footer company_details primary_color "
            "secondary_color layout_background_image logo_web",
            "Which of the staff work for the company; the accounts themselves are mapped.": "user_ids",
        },
    },
    "res.users": {
        "subject": "partner_id",
        "defaults": LOGIN,
        "fields": {
            "login": {"erasure": "pseudonymise"},
            "password": "secret",
            "partner_id": "subject",
            "signature": {"category": "identity", "erasure": "null"},
        },
        "facts": "login_date create_date",
    },
    "res.users.apikeys": {
        "subject": "user_id.partner_id",
        "defaults": {**LOGIN, "erasure": "delete"},
        "fields": {"name": {}, "user_id": "staff"},
        "free": {"What a key may be used for, from a list of ours.": "scope"},
        "tables": {
            "res_users_apikeys.key": HASH_OF_KEY,
            "res_users_apikeys.index": HASH_OF_KEY,
        },
    },
    "res.users.deletion": {
        "subject": "user_id.partner_id",
        "defaults": {**LOGIN, "retention": "audit"},
        "fields": {"user_id": "staff"},
    },
    "res.users.settings": {
        "subject": "user_id.partner_id",
        "defaults": {**LOGIN, "category": "preference", "erasure": "delete"},
        "fields": {"user_id": "staff"},
    },
    "res.device.log": {
        "subject": "user_id.partner_id",
        "defaults": {
            "category": "device",
            "purpose": "security",
            "retention": "network",
            "erasure": "delete",
        },
        "fields": {
            "ip_address country city platform browser": {},
            "session_identifier": {"category": "credential", "export": False},
            "user_id": "staff",
        },
        "facts": "first_activity last_activity",
        "retention": {
            "anchor": "last_activity",
            "begin": "first_activity",
            "company": "user_id.company_id",
        },
    },
    "res.device": {"retention": {"never": "It shows rows of res.device.log, which go themselves."}},
    "res.groups": {
        "free": {
            GROUPING: "name comment",
            "Which rights an account has; it loses them all when it is archived.": "user_ids",
        },
    },
    "res.groups.privilege": {"free": GROUPING},
}

AUTH_TOTP = {
    "res.users": {"fields": {"totp_secret": "secret"}},
    "auth_totp.device": {
        "subject": "user_id.partner_id",
        "defaults": {**LOGIN, "category": "device", "erasure": "delete"},
        "fields": {"name": {}, "user_id": "staff"},
        "free": {"What a key may be used for, from a list of ours.": "scope"},
        "tables": {"auth_totp_device.key": HASH_OF_KEY, "auth_totp_device.index": HASH_OF_KEY},
    },
}

AUTH_PASSKEY = {
    "auth.passkey.key": {
        "subject": "create_uid.partner_id",
        "defaults": {**LOGIN, "erasure": "delete"},
        "fields": {"name": {}, "credential_identifier public_key": {"export": False}},
    },
}

RESOURCE = {
    "resource.resource": {
        "subject": "user_id.partner_id",
        "defaults": {"category": "account", "purpose": "staff", "retention": "staff"},
        "fields": {"name": {"erasure": "pseudonymise"}, "user_id": "staff"},
    },
    "resource.calendar": {"free": "Working hours of teams."},
    "resource.calendar.attendance": {"free": "Working hours of teams."},
    "resource.calendar.leaves": {
        "subject": "resource_id.user_id.partner_id",
        "defaults": {"category": "account", "purpose": "staff", "retention": "staff"},
        "fields": {"name": "free_text"},
    },
}

MODULES = {
    "base": BASE,
    "web": {
        "res.users.settings.embedded.action": {"free": "Which buttons are shown on a screen."},
    },
    "auth_signup": {
        "res.partner": {
            "free": {"Whether an invitation or a new password is under way.": "signup_type"},
        },
    },
    "auth_totp": AUTH_TOTP,
    "auth_passkey": AUTH_PASSKEY,
    "resource": RESOURCE,
    "privacy_lookup": {
        "privacy.log": {
            "subject": None,
            "defaults": {"category": "proof", "purpose": "rights", "retention": "audit"},
            "fields": {
                "anonymized_name anonymized_email": {
                    "erasure": "keep",
                    "reason": "Odoo stores initials with asterisks only.",
                },
                "additional_note execution_details records_description": "free_text",
                "user_id": "staff",
            },
            "retention": {"anchor": "date"},
        },
    },
}
