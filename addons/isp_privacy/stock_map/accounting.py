"""Bills, entries and payments in the books."""

BOOKS = {"category": "financial", "purpose": "books", "retention": "tax_doc"}
LEGAL = "The books must be kept; the partner behind it is anonymised in place."
KEPT = {"erasure": "keep", "reason": LEGAL}
NUMBERING = "Numbers that the books give, in the order of the books."
SET_UP = "How the operator set up its books."
# A draft is not in the books yet, and its date may still change.
IN_THE_BOOKS = {"anchor": "date", "domain": [("state", "!=", "draft")]}
RULE_OF_BOOKS = {
    "never": "Not a document: a rule by which the operator books, until it is changed."
}
ANALYTIC = "Which of the operator's own accounts share it, in percent."

ACCOUNT = {
    "account.move": {
        "subject": ("partner_id", "partner_shipping_id"),
        "defaults": BOOKS,
        "fields": {
            "partner_id commercial_partner_id partner_shipping_id": "subject",
            "invoice_partner_display_name": {"category": "identity", "erasure": "pseudonymise"},
            "ref invoice_origin payment_reference": {"erasure": "null"},
            "narration": "free_text",
            "invoice_source_email": {"category": "contact", "erasure": "null"},
            "incoterm_location": {"category": "address", "erasure": "null"},
            "sending_data": {"erasure": "null", "export": False},
            # The bill as it was sent goes to the sealed archive before its file is emptied here.
            "invoice_pdf_report_file": {"category": "document", "erasure": "null"},
            "invoice_user_id": "staff",
        },
        "facts": "name move_type state invoice_date invoice_date_due amount_untaxed amount_tax "
        "amount_total amount_residual currency_id payment_state",
        "retention": IN_THE_BOOKS,
        "free": {
            "Hash of numbers, dates and amounts.": "inalterable_hash",
            NUMBERING: "sequence_prefix",
        },
    },
    "account.move.line": {
        "subject": "partner_id",
        "defaults": BOOKS,
        "fields": {
            "partner_id": "subject",
            # Part of the hash of a locked bill: nothing personal may ever be written there.
            "name": {**KEPT, "reason": "Part of the bill's seal; billing writes no names into it."},
        },
        "facts": "date quantity price_unit discount price_subtotal price_total",
        "free": {
            ANALYTIC: "analytic_distribution",
            NUMBERING: "matching_number",
            SET_UP: "extra_tax_data",
        },
    },
    "account.payment": {
        "subject": "partner_id",
        "defaults": BOOKS,
        "fields": {
            "memo payment_reference": {"erasure": "null"},
            "partner_id": "subject",
        },
        "facts": "name date amount currency_id payment_type state",
        "retention": IN_THE_BOOKS,
    },
    "account.bank.statement.line": {
        "subject": "partner_id",
        "defaults": BOOKS,
        "fields": {
            "partner_name": {"category": "identity", "erasure": "pseudonymise"},
            "account_number": {"category": "payment_means", "erasure": "null"},
            "payment_ref transaction_details": {"erasure": "null"},
            "partner_id": "subject",
        },
        "facts": "amount",
        "retention": {"anchor": "move_id.date"},
        "free": {
            NUMBERING: "internal_index",
            "Kind of booking, as the bank calls it.": "transaction_type",
        },
    },
    "account.bank.statement": {
        "free": {
            NUMBERING: "name first_line_index",
            "How the bank numbers its statements.": "reference",
        },
    },
    "account.partial.reconcile": {"free": {SET_UP: "draft_caba_move_vals"}},
    "account.reconcile.model": {
        "subject": ("match_partner_ids", "mapped_partner_id"),
        "defaults": {**BOOKS, "purpose": "billing"},
        "fields": {
            "match_partner_ids mapped_partner_id": {"erasure": "detach", "export": False},
            "match_label_param": {"erasure": "null", "export": False},
        },
        "free": {SET_UP: "name"},
        "retention": RULE_OF_BOOKS,
    },
    "account.reconcile.model.line": {
        "subject": "partner_id",
        "defaults": {**BOOKS, "purpose": "billing"},
        "fields": {"partner_id": {"erasure": "detach", "export": False}},
        "free": {SET_UP: "label amount_string", ANALYTIC: "analytic_distribution"},
        "retention": RULE_OF_BOOKS,
    },
    "account.lock_exception": {
        "free": {SET_UP: "reason", "Which of the staff may book in a locked period.": "user_id"},
    },
    "account.journal": {
        "free": {
            SET_UP: "name code sequence_override_regex incoming_einvoice_notification_email",
            "Nothing of a customer is shown by the link to a journal.": "access_token",
        },
    },
    "account.fiscal.position": {
        "free": {
            SET_UP: "name note",
            "Where a tax rule begins and ends, and the operator's own number there.": "zip_from zip_to "
            "foreign_vat",
        },
    },
    "account.report.line": {
        "free": {SET_UP: "name groupby user_groupby code"},
    },
    "account.analytic.line": {
        "free": {SET_UP: "code"},
        "fields": {"ref": {"erasure": "null"}},
    },
    "res.partner": {
        "free": {"Which form of electronic bill.": "invoice_edi_format_store"},
    },
    "res.company": {
        "free": {
            SET_UP: "bank_account_code_prefix cash_account_code_prefix transfer_account_code_prefix "
            "invoice_terms invoice_terms_html",
        },
    },
    **{
        name: {"free": SET_UP}
        for name in (
            *("account.account", "account.account.tag", "account.cash.rounding", "account.group"),
            *("account.incoterms", "account.journal.group", "account.payment.method"),
            *("account.payment.method.line", "account.payment.term", "account.payment.term.line"),
            *("account.report", "account.report.column", "account.report.expression"),
            *("account.report.external.value", "account.tax", "account.tax.group"),
            "account.analytic.applicability",
        )
    },
}

ANALYTIC_MODELS = {
    "account.analytic.account": {
        "subject": "partner_id",
        "defaults": BOOKS,
        "fields": {"name": {"erasure": "pseudonymise"}, "partner_id": "subject"},
        "free": {SET_UP: "code"},
        "retention": RULE_OF_BOOKS,
    },
    "account.analytic.line": {
        "subject": "partner_id",
        "defaults": BOOKS,
        "fields": {
            "name": {"erasure": "mask"},
            "partner_id": "subject",
            "user_id": "staff",
        },
        "facts": "date amount unit_amount",
        "retention": {"anchor": "date"},
    },
    "account.analytic.distribution.model": {
        "subject": "partner_id",
        "defaults": BOOKS,
        "fields": {"partner_id": {"erasure": "detach", "export": False}},
        "free": {SET_UP: "account_prefix", ANALYTIC: "analytic_distribution"},
        "retention": RULE_OF_BOOKS,
    },
    "account.analytic.plan": {"free": SET_UP},
}

MODULES = {
    "account": ACCOUNT,
    "analytic": ANALYTIC_MODELS,
    "portal": {
        "portal.mixin": {
            "fields": {
                "access_token": {
                    "category": "credential",
                    "purpose": "service",
                    "retention": "account",
                    "erasure": "null",
                    "export": False,
                },
            },
        },
    },
    "account_edi_ubl_cii": {
        "account.move": {
            "fields": {"ubl_cii_xml_file": {"category": "document", "erasure": "null"}}
        },
        "res.partner": {"fields": {"peppol_endpoint": {"category": "identity", "erasure": "null"}}},
    },
    "account_add_gln": {
        "res.partner": {
            "fields": {"global_location_number": {"category": "identity", "erasure": "null"}},
        },
    },
}
