"""May invoices be copied from a prototype? The question is answered before and after one is made.

The set-based path copies the rows of an invoice that the ORM has posted. That is right only where
nothing but the columns of :data:`OVERRIDDEN` depends on what differs between the copies. Three
checks make sure of it, and each gives its reasons (:mod:`bulk_reason`):

* :func:`registry_reasons` walks the registry's graph of dependencies and the classes behind the
  models: a stored field that hangs on something that differs, a rule on another model's records or
  code of an addon nobody has reviewed;
* :func:`journal_reasons` looks at the settings of the journal and the company;
* :class:`WriteWatch` counts, table by table, what PostgreSQL was made to write for the prototypes:
  whatever touches a table that the copy does not know was not copied.
"""

from odoo.tools import SQL

from . import bulk_amount
from .bulk_reason import reason

# Addons whose code on journal entries has been read for this purpose. What any other addon does to
# them sends the invoices through the ORM.
REVIEWED = {
    "account",
    "account_add_gln",
    "account_debit_note",
    "account_edi_ubl_cii",
    "account_payment",
    "analytic",
    "base",
    "base_import",
    "base_sparse_field",
    "html_editor",
    "iap_mail",
    "isp_base",
    "isp_billing",
    "isp_network",
    "isp_privacy",
    "l10n_in",
    "mail",
    "payment",
    "phone_validation",
    "portal",
    "product",
    "queue_job",
    "rpc",
    "sale",
    "sales_team",
    "sms",
    "snailmail",
    "snailmail_account",
    "utm",
    "web",
}

# Differs between the copies and is written by bulk_sql for each of them.
OVERRIDDEN = {
    "account.move": {
        "name",
        "sequence_number",
        "made_sequence_gap",
        "partner_id",
        "commercial_partner_id",
        "partner_shipping_id",
        "invoice_partner_display_name",
        "invoice_origin",
        "payment_reference",
    },
    "account.move.line": {"move_id", "move_name", "name", "partner_id"},
}
# Hangs on the prices and is worked out by bulk_amount where these differ between copies.
AMOUNTS = {
    "account.move": set(bulk_amount.MOVE_COLUMNS),
    "account.move.line": set(bulk_amount.LINE_COLUMNS),
}
# Hangs on the prices, but is the same for whatever is owed at one date.
SAME_FOR_ALL = {
    "account.move": {"invoice_date_due", "payment_state"},
    "account.move.line": {"is_storno", "reconciled"},
}
# Hangs on the partner, but is resolved into the key of the group by bulk_group, hence constant.
KEYED = {
    "account.move": {
        "fiscal_position_id",
        "invoice_payment_term_id",
        "invoice_user_id",
        "l10n_in_gst_treatment",
        "l10n_in_state_id",
        "narration",
        "partner_bank_id",
        "preferred_payment_method_line_id",
    },
    # Any distribution model at all is a reason of its own.
    "account.move.line": {"account_id", "analytic_distribution"},
}
# Hangs on the number, but is the same for all numbers of one series; checked for the last one.
SERIES = {"account.move": {"sequence_prefix"}}

# Tables of links that are copied with the lines; WriteWatch notices when Odoo fills others.
LINKS = {"account_move_line_account_tax_rel", "account_account_tag_account_move_line_rel"}

# Fields of other models that follow invoices or charges: brought up to date after the copy, or
# unable to know an invoice that nobody has paid yet.
FOLLOWERS = {
    ("isp.subscription", "billed_through"),
    ("isp.subscription", "next_bill_date"),
    ("account.payment", "state"),
}
# Names an unreviewed addon may add to without changing what is stored.
HARMLESS_PREFIXES = (
    *("action_", "button_", "copy", "export_", "get_portal", "get_view", "get_formview"),
    "message_",
    *("name_search", "onchange", "read", "search", "unlink", "web_", "_compute_access_"),
    *("_compute_display_name", "_get_access_", "_get_mail_", "_get_name_invoice_report"),
    *("_get_portal", "_get_report_", "_get_view", "_mail_", "_message_", "_notify_"),
    *("_onchange", "_portal_", "_search", "_unlink"),
)

MODELS = ("account.move", "account.move.line")
_known = {}  # by database: the graph and what was found in it
_known_amounts = {}


# === THE REGISTRY === #


def registry_reasons(env):
    """Why the installed addons do not allow copying; empty when they do."""
    # Replaced whenever models are set up anew, so it tells whether the answer is still good.
    triggers = env.registry._field_triggers
    known = _known.get(env.cr.dbname)
    if known is None or known[0] is not triggers:
        reasons = sorted({*_field_reasons(env), *_follower_reasons(env), *_code_reasons(env)})
        known = _known[env.cr.dbname] = (triggers, reasons)
    return known[1]


def _field_reasons(env):
    """Stored fields of entries and items that may differ between copies."""
    for model in MODELS:
        for name, field in env[model]._fields.items():
            if not field.store or field._module in REVIEWED:
                continue
            if field.compute and not env.registry.field_depends.get(field):
                yield reason("field_undeclared", field=f"{model}.{name}")
            elif callable(field.default) and field.column_type:
                yield reason("field_default", field=f"{model}.{name}")
    # What is reached through a link has its own place in the graph, as a field of the linked one.
    varying = [
        env[model]._fields[name] for model in MODELS for name in OVERRIDDEN[model] - {"move_id"}
    ]
    varying += env["isp.charge"]._fields.values()
    for field, cause in _walk(env, varying):
        if field.model_name in MODELS and not _is_known(field):
            yield reason("field_depends", field=_path(field), cause=_path(cause))


def amount_reasons(env):
    """Why prices may not differ between copies; empty when they may."""
    triggers = env.registry._field_triggers
    known = _known_amounts.get(env.cr.dbname)
    if known is None or known[0] is not triggers:
        sources = [env["account.move.line"]._fields[name] for name in bulk_amount.PRICE_VALUES]
        sources += [env[model]._fields[name] for model in MODELS for name in AMOUNTS[model]]
        reasons = [
            reason("field_depends", field=_path(field), cause=_path(cause))
            for field, cause in _walk(env, sources)
            if field.model_name in MODELS
            and not _is_known(field)
            and field.name not in SAME_FOR_ALL[field.model_name]
        ]
        known = _known_amounts[env.cr.dbname] = (triggers, sorted(set(reasons)))
    return known[1]


def _path(field):
    return f"{field.model_name}.{field.name}"


def _is_known(field):
    return any(field.name in names.get(field.model_name, ()) for names in (KEYED, SERIES))


def _follower_reasons(env):
    """Stored fields of other models that the ORM would recompute for a new invoice."""
    sources = [field for model in MODELS for field in env[model]._fields.values()]
    sources += env["isp.charge"]._fields.values()
    for field, cause in _walk(env, sources):
        is_theirs = field.model_name not in (*MODELS, "isp.charge")
        if is_theirs and (field.model_name, field.name) not in FOLLOWERS:
            yield reason("field_depends", field=_path(field), cause=_path(cause))


def _walk(env, sources):
    """Stored fields that depend on ``sources``, directly or by way of unstored ones.

    Each comes with the field it was reached from; what depends on a stored field that is not among
    the sources is not followed, for that field is judged itself.
    """
    triggers = env.registry._field_triggers
    seen = set(sources)
    todo = list(sources)
    while todo:
        cause = todo.pop()
        for path, targets in triggers.get(cause, {}).items():
            if not _reaches_records(path):
                continue
            for field in targets:
                if field in seen:
                    continue
                seen.add(field)
                if field.store:
                    yield field, cause
                else:
                    todo.append(field)


def _reaches_records(path):
    """Whether records can be found that reach a new invoice along ``path``.

    A many2one of a model that the copy does not create cannot hold the id of a row that has just
    been made, and neither can a table of links that it does not write.
    """
    return not any(_is_empty(field) for field in path)


def _is_empty(field):
    made = (*MODELS, "isp.charge")
    if not field.store:
        return False
    if field.type == "many2one":
        return field.model_name not in made and field.comodel_name in made
    return (
        field.type == "many2many"
        and {field.model_name, field.comodel_name} & set(made)
        and field.relation not in LINKS
    )


def _code_reasons(env):
    """Methods and constraints of addons that nobody has reviewed."""
    for model in MODELS:
        cls = env.registry[model]
        for base in cls.mro():
            module = getattr(base, "_module", None)
            if not module or module in REVIEWED:
                continue
            for name, attribute in vars(base).items():
                if not callable(attribute) or name.startswith("__"):
                    continue
                if hasattr(attribute, "_constrains"):
                    yield reason("code_check", module=module, model=model)
                elif _overrides(cls, base, name) and not name.startswith(HARMLESS_PREFIXES):
                    yield reason("code_changed", module=module, method=f"{model}.{name}")


def _patch_reasons(env):
    """Methods that were put on the finished class, by an audit log for instance."""
    return [
        reason("patched", method=f"{model}.{name}")
        for model in MODELS
        for name in ("create", "write", "_create", "_write", "_post")
        if name in vars(env.registry[model])
    ]


def _overrides(cls, base, name):
    mro = cls.mro()
    return any(name in vars(parent) for parent in mro[mro.index(base) + 1 :])


def is_reviewed(env, model, *names):
    """Whether only reviewed addons define these methods of ``model``."""
    return not any(
        getattr(base, "_module", None) not in (*REVIEWED, None)
        for base in env.registry[model].mro()
        for name in names
        if name in vars(base)
    )


def is_plain(env, model, *names):
    """Whether no addon at all defines these methods of ``model``, besides Odoo's own."""
    return not any(
        getattr(base, "_module", None) not in (None, "base")
        for base in env.registry[model].mro()
        for name in names
        if name in vars(base)
    )


# === SETTINGS === #


def journal_reasons(journal):
    """Why invoices of ``journal`` have to be made one at a time."""
    found = {
        "journal_hashed": journal.restrict_mode_hash_table,
        "journal_pattern": journal.sequence_override_regex,
        "journal_by_partner": journal.is_self_billing,
    }
    return [reason(code, journal=journal.code) for code, applies in found.items() if applies]


def database_reasons(env):
    """Why nothing may be copied in this database at present."""
    reasons = [*registry_reasons(env), *_patch_reasons(env)]
    if env["account.analytic.distribution.model"].sudo().search_count([], limit=1):
        reasons.append(reason("analytic_models"))
    if "base.automation" in env:
        domain = [("model_id.model", "in", [*MODELS, "isp.charge", "res.partner"])]
        if env["base.automation"].sudo().search_count(domain, limit=1):
            reasons.append(reason("automation"))
    return reasons


# === THE PROTOTYPE === #


def prototype_reasons(move):
    """What in a posted invoice cannot be copied."""
    lines = move.line_ids
    found = {
        "not_posted": move.state != "posted" or not move.name,
        "total": move.currency_id.compare_amounts(move.amount_total, 0) <= 0,
        "settled": move.payment_state != "not_paid" or any(lines.mapped("matching_number")),
        "hash": bool(move.inalterable_hash),
        "auto_post": move.auto_post != "no",
        "cash_rounding": bool(move.invoice_cash_rounding_id),
        "analysed": any(lines.mapped("analytic_distribution")),
        "other_partner": lines.partner_id != move.commercial_partner_id,
    }
    return [reason(code) for code, applies in found.items() if applies]


# === WHAT WAS WRITTEN === #


class WriteWatch:
    """Counts the rows written in this transaction, table by table, while it is open."""

    def __init__(self, env):
        self.env = env
        self.written = {}

    def __enter__(self):
        self.env.flush_all()
        self._before = self._count()
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        if exc_type is None:
            self.env.flush_all()
            after = self._count()
            self.written = {
                table: counts
                for table, counts in after.items()
                if counts != self._before.get(table, (0, 0, 0))
            }

    def _count(self):
        rows = self.env.execute_query(
            SQL(
                "SELECT schemaname || '.' || relname, n_tup_ins, n_tup_upd, n_tup_del"
                " FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"
            )
        )
        return {table: tuple(counts) for table, *counts in rows}

    def reasons(self, expected):
        """What speaks against copying: tables outside ``expected``, or no counts at all."""
        if "public.account_move" not in self.written:
            return [reason("not_counted")]
        unknown = sorted(table.removeprefix("public.") for table in self.written.keys() - expected)
        return [reason("written", tables=", ".join(unknown))] if unknown else []


def tracking_reasons(env):
    """Changes of entries that wait to be written into the chatter."""
    waiting = [env.cr.precommit.data.get(f"mail.tracking.{model}", {}) for model in MODELS]
    # ``None`` in place of values is how tracking is switched off for a record.
    if any(values for by_record in waiting for values in by_record.values()):
        return [reason("tracked")]
    return []
