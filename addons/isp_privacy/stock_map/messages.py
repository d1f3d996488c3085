"""Mail, chat, text messages, letters, and what passes messages on."""

MESSAGE = {"category": "communication", "purpose": "support", "retention": "message"}
GONE = {**MESSAGE, "retention": "transient", "erasure": "delete"}
DOCUMENT = "model/res_id"
# The list of hashes keeps the wish for no messages; the address in clear goes.
STOP = {"category": "proof", "purpose": "rights", "retention": "account", "erasure": "delete"}
COPY_OF_CONTACT = {"category": "contact", "erasure": "null", "export": False}
NAME_OF_A_MODEL = "The kind of document, not which."
WORDING = (
    "Wording that staff prepared for all customers; who it goes to is filled in when it is sent."
)
# Letters about requests and registers are proof, and last as long as those do. What a document notes
# of its own changes is its history.
NO_PROOF = ("model", "not like", "privacy.")
OF_A_MESSAGE = {
    "anchor": "mail_message_id.date",
    "company": "mail_message_id.record_company_id",
    "domain": [("mail_message_id.model", "not like", "privacy.")],
}
OF_THE_DOCUMENT = {"never": "Belongs to the document or the room, and goes with it."}
OF_THE_PERSON = {"never": "A choice that lasts until the person changes it or is erased."}
STOP_STAYS = {"never": "The wish for no messages does not end."}
OF_THE_OPERATOR = "Mail boxes and servers of the operator."

MAIL = {
    "mail.message": {
        "subject": ("author_id", "partner_ids", DOCUMENT),
        "defaults": MESSAGE,
        "fields": {
            "subject": {"erasure": "null"},
            "body": {"erasure": "mask"},
            "email_from reply_to incoming_email_to incoming_email_cc outgoing_email_to": {
                "category": "contact",
                "erasure": "null",
            },
            "author_id": "subject",
            "partner_ids notified_partner_ids starred_partner_ids": {
                "erasure": "detach",
                "export": False,
            },
            "author_guest_id": {"erasure": "detach", "export": False},
            # Of mail that came in, it names the sender's machine.
            "message_id": {"category": "device", "erasure": "null", "export": False},
        },
        "facts": "date message_type",
        "retention": {
            "anchor": "date",
            "company": "record_company_id",
            "domain": [("message_type", "!=", "notification"), NO_PROOF],
        },
        "free": {
            NAME_OF_A_MODEL: "model",
            "Which of our layouts it was sent in.": "email_layout_xmlid",
        },
    },
    "mail.mail": {
        "subject": ("recipient_ids", "mail_message_id.*"),
        "defaults": {**MESSAGE, "erasure": "delete"},
        "fields": {
            "body_html email_to email_cc headers failure_reason": {},
            "references recipient_ids": {"export": False},
        },
        "retention": OF_A_MESSAGE,
    },
    "mail.notification": {
        "subject": ("res_partner_id", "mail_message_id.*"),
        "defaults": {**MESSAGE, "erasure": "delete"},
        "fields": {
            "mail_email_address": {"category": "contact"},
            "failure_reason": {"export": False},
            "res_partner_id author_id": "subject",
        },
        "facts": "read_date notification_status notification_type",
        "retention": OF_A_MESSAGE,
    },
    "mail.tracking.value": {
        "subject": "mail_message_id.*",
        "defaults": {**MESSAGE, "erasure": "delete"},
        "fields": {"old_value_char new_value_char old_value_text new_value_text": {}},
        "free": {"Which field was changed, when it is no longer there.": "field_info"},
        "retention": OF_THE_DOCUMENT,
    },
    "mail.message.schedule": {
        "subject": "mail_message_id.*",
        "defaults": GONE,
        "fields": {"notification_parameters": {"export": False}},
    },
    "mail.scheduled.message": {
        "subject": ("author_id", "partner_ids", DOCUMENT),
        "defaults": GONE,
        "fields": {
            "subject body": {},
            "author_id partner_ids": "subject",
            "notification_parameters send_context": {"export": False},
        },
        "free": {NAME_OF_A_MODEL: "model"},
    },
    "mail.message.translation": {
        "subject": "message_id.*",
        "defaults": {**MESSAGE, "erasure": "delete"},
        "fields": {"body": {"export": False}},
        "free": {"Languages.": "source_lang target_lang"},
        "retention": {"anchor": "message_id.date", "company": "message_id.record_company_id"},
    },
    "mail.message.reaction": {
        "subject": "partner_id",  # what others thought of a message is theirs
        "defaults": {**MESSAGE, "erasure": "delete"},
        "fields": {"content": {}, "partner_id guest_id": "subject"},
        "retention": {"anchor": "message_id.date", "company": "message_id.record_company_id"},
    },
    "mail.followers": {
        "subject": "partner_id",
        "defaults": {**MESSAGE, "category": "preference", "erasure": "delete"},
        "fields": {"partner_id": "subject"},
        "free": {NAME_OF_A_MODEL: "res_model"},
        "retention": OF_THE_DOCUMENT,
    },
    "mail.activity": {
        "subject": "res_model/res_id",
        "defaults": MESSAGE,
        "fields": {
            "summary note feedback": {"category": "free_text", "erasure": "null"},
            "res_name": {"category": "identity", "erasure": "null", "export": False},
            "user_id": "staff",
        },
        "facts": "date_deadline",
        "retention": {"anchor": "date_done", "domain": [("res_model", "not like", "privacy.")]},
    },
    "mail.link.preview": {
        "subject": None,
        "defaults": {**MESSAGE, "erasure": "delete"},
        "fields": {
            "source_url og_title og_description og_image og_site_name": {},
        },
        "free": {"Kinds of pages and pictures.": "og_type og_mimetype image_mimetype"},
        "retention": {"anchor": "create_date"},
    },
    "mail.blacklist": {
        "subject": "email=email_normalized",
        "defaults": STOP,
        "fields": {"email": {}},
        "retention": STOP_STAYS,
    },
    "mail.gateway.allowed": {
        "free": {"Senders that the operator trusts.": "email email_normalized"},
    },
    "mail.guest": {
        "subject": "email=email_normalized",
        "defaults": {**MESSAGE, "category": "identity", "erasure": "delete"},
        "fields": {"name email image_1920": {}, "access_token": "secret"},
        "retention": OF_THE_DOCUMENT,
    },
    "mail.presence": {
        "subject": "user_id.partner_id",
        "defaults": {**GONE, "category": "device"},
        "fields": {"user_id": "staff", "guest_id": {"export": False}},
    },
    "mail.push.device": {
        "subject": "partner_id",
        "defaults": {**MESSAGE, "category": "device", "purpose": "notices", "erasure": "delete"},
        "fields": {"endpoint keys": {"export": False}, "partner_id": "subject"},
        "retention": OF_THE_PERSON,
    },
    "mail.push": {
        "subject": "mail_push_device_id.partner_id",
        "defaults": GONE,
        "fields": {"payload": {}},
    },
    "res.users": {"fields": {"out_of_office_message": "free_text"}},
    "res.partner": {"fields": {"email_normalized": COPY_OF_CONTACT}},
    "res.users.settings": {
        "free": {"Key that a caller holds to speak.": "push_to_talk_key"},
    },
    "res.users.settings.volumes": {
        "subject": ("partner_id", "user_setting_id.user_id.partner_id"),
        "defaults": {**MESSAGE, "category": "preference", "erasure": "delete"},
        "fields": {"partner_id guest_id": {"export": False}},
        "retention": OF_THE_PERSON,
    },
    "res.role": {
        "free": {
            "Roles of the staff.": "name",
            "Which of the staff have a role; the accounts are mapped.": "user_ids",
        },
    },
    "res.company": {
        "free": {"Colours of mails.": "email_primary_color email_secondary_color"},
    },
    "ir.attachment": {"fields": {"thumbnail": {"export": False}}},
    "ir.mail_server": {"free": {OF_THE_OPERATOR: "owner_user_id"}},
}

# Rooms in which staff, customers and visitors talk.
CHAT = {
    "discuss.channel": {
        "subject": "channel_member_ids.partner_id",
        "defaults": MESSAGE,
        "fields": {
            "name": {"erasure": "pseudonymise"},
            "description": {"erasure": "null"},
            "image_128": {"erasure": "null", "export": False},
        },
        "retention": OF_THE_DOCUMENT,
        "free": {"Numbers and addresses of calls.": "uuid sfu_channel_uuid sfu_server_url"},
    },
    "discuss.channel.member": {
        "subject": "partner_id",
        "defaults": {**MESSAGE, "erasure": "delete"},
        "fields": {"custom_channel_name": {}, "partner_id guest_id": "subject"},
        "facts": "last_interest_dt",
        "retention": OF_THE_DOCUMENT,
    },
    "discuss.gif.favorite": {"free": "Which moving pictures somebody of the staff likes."},
}

PREPARED = {
    "mail.template": {
        "free": {
            WORDING: "name description subject body_html lang email_from email_to email_cc reply_to "
            "partner_to scheduled_date email_layout_xmlid template_fs",
            "Which of the staff owns the template.": "user_id",
        },
    },
    "mail.canned.response": {"free": WORDING},
    "mail.activity.plan": {"free": WORDING},
    "mail.activity.plan.template": {
        "free": {WORDING: "summary note", "Which of the staff does the step.": "responsible_id"},
    },
    "mail.activity.type": {
        "free": {
            WORDING: "name summary default_note icon",
            "Which of the staff does it unless told otherwise.": "default_user_id",
        },
    },
    "mail.message.subtype": {"free": WORDING},
    "mail.alias": {"free": OF_THE_OPERATOR},
    "mail.alias.domain": {"free": OF_THE_OPERATOR},
    "mail.ice.server": {"free": {OF_THE_OPERATOR: "uri username credential"}},
    "fetchmail.server": {
        "free": {
            OF_THE_OPERATOR: "name server user password configuration script error_message",
        },
    },
}

MODULES = {
    "mail": MAIL | CHAT | PREPARED,
    "phone_validation": {
        "phone.blacklist": {
            "subject": "number=phone_sanitized",
            "defaults": STOP,
            "fields": {"number": {}},
            "retention": STOP_STAYS,
        },
        "res.partner": {"fields": {"phone_sanitized": COPY_OF_CONTACT}},
    },
    "sms": {
        "sms.sms": {
            "subject": ("partner_id", "number=phone_sanitized"),
            "defaults": {**MESSAGE, "purpose": "notices", "erasure": "delete"},
            "fields": {
                "number": {"category": "contact"},
                "body": {},
                "partner_id": "subject",
            },
            "facts": "state create_date",
            "retention": {
                "anchor": "create_date",
                "company": "mail_message_id.record_company_id",
            },
            "free": {"Random number of the message.": "uuid"},
        },
        "sms.tracker": {"free": "Random numbers of messages."},
        "sms.template": {"free": WORDING},
        "mail.notification": {"fields": {"sms_number": {"category": "contact"}}},
        "iap.account": {"free": {"How the operator calls itself in messages.": "sender_name"}},
    },
    "snailmail": {
        "snailmail.letter": {
            "subject": "partner_id",
            "defaults": {**MESSAGE, "category": "address", "erasure": "delete"},
            "fields": {
                "street street2 zip city": {},
                "info_msg": {"export": False},
                "partner_id": "subject",
                "user_id": "staff",
            },
            "free": {NAME_OF_A_MODEL: "model"},
            "retention": {"anchor": "create_date"},
        },
    },
    "bus": {
        "bus.bus": {
            "subject": None,
            "defaults": GONE,
            "fields": {"message": {"export": False}},
            "free": {"Number of the screen it is for.": "channel"},
        },
    },
    "google_gmail": {
        name: {"free": {OF_THE_OPERATOR: "google_gmail_access_token google_gmail_refresh_token"}}
        for name in ("fetchmail.server", "ir.mail_server")
    },
    "microsoft_outlook": {
        name: {
            "free": {
                OF_THE_OPERATOR: "microsoft_outlook_access_token microsoft_outlook_refresh_token",
            },
        }
        for name in ("fetchmail.server", "ir.mail_server")
    },
    "digest": {
        "digest.digest": {
            "free": {
                "Figures of the company, sent to staff.": "name",
                "Which of the staff get it; the accounts are mapped.": "user_ids",
            },
        },
        "digest.tip": {
            "free": {
                "Hints how to use Odoo.": "name tip_description",
                "Which of the staff have seen it.": "user_ids",
            },
        },
    },
}
