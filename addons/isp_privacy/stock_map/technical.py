"""Models that modules and administrators fill, jobs and logs."""

CODE = "Written by modules, the same in every installation."
SET_UP = "How administrators set up the system."
FORMATS = "Formats of countries, languages and currencies."
OWN_VIEW = "Which filter or default somebody of the staff made for own use."
LOG = {
    "category": "trace",
    "purpose": "security",
    "retention": "network",
    "erasure": "delete",
    "export": False,
}
SEARCH = {
    "category": "free_text",
    "purpose": "service",
    "retention": "staff",
    "erasure": "delete",
}
PASSING = {**LOG, "purpose": "service", "retention": "transient"}

BASE = {
    "ir.attachment": {
        "subject": "res_model/res_id",
        "defaults": {
            "category": "document",
            "purpose": "service",
            "retention": "account",
            "erasure": "delete",
        },
        "fields": {
            "name description url": {},
            "index_content": {"export": False},
            "access_token": "secret",
            "db_datas store_fname checksum": {"export": False},
        },
        "facts": "mimetype file_size create_date",
        "free": {"The kind of document and its field, not which.": "res_model res_field"},
    },
    "ir.logging": {
        "subject": None,
        "defaults": LOG,
        "fields": {"message": {}},
        "free": {"Where in the program it was written.": "name dbname level path func line"},
        "retention": {"anchor": "create_date"},
    },
    "ir.profile": {
        "subject": None,
        "defaults": PASSING,
        "fields": {"init_stack_trace sql traces_async traces_sync qweb others session name": {}},
    },
    "ir.config_parameter": {
        "free": {SET_UP: "key value"},
    },
    "ir.default": {
        "free": {OWN_VIEW: "user_id condition json_value"},
    },
    # Staff search for names, and keep the search.
    "ir.filters": {
        "subject": None,
        "defaults": SEARCH,
        "fields": {"name domain context": {"export": False}, "user_ids": "staff"},
        "free": {OWN_VIEW: "sort"},
    },
    "ir.embedded.actions": {
        "free": {
            OWN_VIEW: "user_id",
            CODE: "name parent_res_model python_method default_view_mode domain context",
        },
    },
    "ir.ui.view.custom": {
        "subject": None,
        "defaults": SEARCH,
        "fields": {"arch": {"export": False}, "user_id": "staff"},
    },
    "ir.cron": {"free": {CODE: "cron_name", "The account that runs the job.": "user_id"}},
    "ir.mail_server": {
        "free": {
            "Mail servers of the operator.": "name from_filter smtp_host smtp_user smtp_pass "
            "smtp_ssl_certificate smtp_ssl_private_key",
        },
    },
    "ir.actions.act_window": {
        "free": {
            CODE: "name type path help binding_view_types domain context res_model view_mode "
            "mobile_view_mode usage",
        },
    },
    "res.country": {"free": {FORMATS: "name code address_format vat_label"}},
    **{name: {"free": FORMATS} for name in ("res.country.group", "res.country.state")},
    **{name: {"free": FORMATS} for name in ("res.currency", "res.lang", "decimal.precision")},
    **{
        name: {"free": CODE}
        for name in (
            *("ir.actions.act_url", "ir.actions.act_window_close", "ir.actions.actions"),
            *("ir.actions.client", "ir.actions.report", "ir.actions.server", "ir.actions.todo"),
            *("ir.actions.server.history", "ir.asset", "ir.exports", "ir.exports.line", "ir.model"),
            *("ir.model.access", "ir.model.constraint", "ir.model.data", "ir.model.fields"),
            *("ir.model.fields.selection", "ir.model.relation", "ir.module.category"),
            *("ir.module.module", "ir.module.module.dependency", "ir.module.module.exclusion"),
            *("ir.rule", "ir.sequence", "ir.ui.menu", "ir.ui.view", "report.layout"),
            *("report.paperformat", "properties.base.definition"),
        )
    },
}

QUEUE_JOB = {
    "queue.job": {
        "subject": None,
        "defaults": PASSING,
        "fields": {
            "records args kwargs result func_string exc_message exc_info name": {},
            "user_id": "staff",
        },
        "free": {
            CODE: "uuid graph_uuid model_name method_name dependencies exc_name channel "
            "channel_method_name identity_key",
        },
    },
    "queue.job.channel": {"free": CODE},
    "queue.job.function": {"free": CODE},
}

TEST_MODELS = ("html_editor.converter.test", "html_editor.converter.test.sub")

MODULES = {
    "base": BASE,
    "mail": {
        "ir.actions.server": {
            "free": {
                SET_UP: "partner_ids activity_user_id activity_user_field_name",
            },
        },
    },
    "queue_job": QUEUE_JOB,
    "iap": {
        "iap.account": {
            "free": {
                "Account of the operator at Odoo.": "name account_token balance",
                "Which of the staff hear that it runs empty.": "warning_user_ids",
            },
        },
        "iap.service": {"free": CODE},
    },
    "base_import": {"base_import.mapping": {"free": "Which column of a file is which field."}},
    "onboarding": {
        name: {"free": CODE} for name in ("onboarding.onboarding", "onboarding.onboarding.step")
    },
    "web_tour": {
        "web_tour.tour": {
            "free": {
                CODE: "name url rainbow_man_message",
                "Which of the staff were shown around.": "user_consumed_ids",
            },
        },
        "web_tour.tour.step": {"free": CODE},
    },
    "html_editor": {name: {"free": "Odoo's own tests use it."} for name in TEST_MODELS},
}
