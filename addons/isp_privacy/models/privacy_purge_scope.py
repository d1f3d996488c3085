"""Which records a purge may touch: those whose time is over, without those that a hold keeps."""

from datetime import datetime, time, timedelta

import pytz

from odoo.fields import Domain

from .. import retention_map
from ..engine import retention


class PurgeScope:
    """What is due in a company on one of its days.

    :param company: whose policy profile counts
    :param today: the day on its calendar
    """

    def __init__(self, company, today):
        # sudo: what is due depends on the policy, not on what the officer may read otherwise.
        self.env = company.sudo().env
        self.company = company.sudo()
        self.today = today
        self.entries = self.env["privacy.map.entry"]
        self.datamap = self.entries._get_map()
        self.purged = self.datamap.purged_models()

    # === TARGETS === #

    def targets(self):
        """Return the pairs of a model and a kind of data that the profile has a rule for."""
        ruled = set(self.company._get_privacy_profile().rule_ids.mapped("retention"))
        tables = self.entries._get_tables()
        return [
            (model, kind)
            for model, kinds in self.purged.items()
            for kind in kinds
            if kind in ruled and self._has_rows(model, tables)
        ]

    def _has_rows(self, model, tables):
        """Whether the model has a table, or shows rows of others and can delete them."""
        cls = self.env[model]
        return cls._table in tables or not cls._auto and hasattr(cls, "_privacy_delete")

    def actions(self, model, kind):
        """Return ``{field: erasure action}``."""
        return self.purged[model][kind]

    def deletes(self, model):
        return self.datamap.models[model].deletes

    # === RECORDS === #

    def newest_due(self, company, kind):
        """Return the newest day whose records must be gone, None without a rule."""
        limits = company._get_privacy_limits(kind)
        if limits is None:
            return None
        return retention.newest_due(self._today_of(company), limits)

    def newest_free(self, kind):
        """Return the newest day of which no company's law asks for records any more."""
        return min(
            retention.newest_free(self._today_of(company), company._get_privacy_limits(kind))
            for company in self._companies(kind)
        )

    def _today_of(self, company):
        return self.today if company == self.company else company._get_privacy_today()

    def _companies(self, kind):
        """Return the companies whose profile has a rule for a kind of data."""
        companies = self.env["res.company"].search([("id", "!=", False)])
        return companies.filtered(lambda company: company._get_privacy_limits(kind) is not None)

    def get_domains(self, model, kind):
        """Return the domains of what is due, and of what of it a hold keeps."""
        due, held = Domain.FALSE, Domain.FALSE
        for part, companies in self._get_parts(model, kind):
            part &= self._get_applicable(model, kind)
            due |= part
            held |= part & self._get_held(model, kind, companies)
        return due, held

    def _get_parts(self, model, kind):
        """Return pairs of a domain and of the companies whose holds count for it.

        Of records without a company it is not known whose they are: the profile that keeps them
        longest counts, and the holds of all.
        """
        name = self._company_field(model)
        companies = self._companies(kind)
        shared = Domain.AND(self._get_due(model, kind, company) for company in companies)
        if name is None:
            return [(shared, companies)]
        own = Domain(name, "=", self.company.id) & self._get_due(model, kind, self.company)
        return [(own, self.company), (Domain(name, "=", False) & shared, companies)]

    def _company_field(self, model):
        name = self._said(model).get("company", "company_id")
        field = self._field_at(model, name)
        return name if field is not None and (field.store or field.search) else None

    def _field_at(self, model, path):
        return retention_map.field_at(self.env.registry, type(self.env[model]), path)

    def _said(self, model):
        return self.datamap.models[model].retention

    def _get_due(self, model, kind, company):
        newest = self.newest_due(company, kind)
        if company._get_privacy_profile()._get_rule(kind).anchor == "closure":
            return self._get_closed(model, newest)
        return self._until(model, self._said(model)["anchor"], newest, company)

    def _until(self, model, path, day, company):
        """Return the domain of what a field dates to ``day`` of the company's calendar or before."""
        if self._field_at(model, path).type == "date":
            return Domain(path, "<=", day)
        zone = pytz.timezone(company._get_privacy_zone())
        midnight = zone.localize(datetime.combine(day + timedelta(days=1), time.min))
        return Domain(path, "<", midnight.astimezone(pytz.utc).replace(tzinfo=None))

    def _get_applicable(self, model, kind):
        """Return the domain of what a model lets go, and where something is left to be done."""
        domain = Domain(self._said(model).get("domain", Domain.TRUE))
        if not self.deletes(model):
            fields = self.env[model]._fields
            domain &= Domain.OR(
                _get_filled(fields[name], action)
                for name, action in self.actions(model, kind).items()
            )
        return domain

    # === CLOSED ACCOUNTS === #

    def _get_closed(self, model, newest):
        """Return the domain of data of people whose accounts all closed on ``newest`` or before."""
        closed, running = set(), set()
        for name, model_map in self.datamap.models.items():
            if model_map.account:
                own_closed, own_running = self._get_account_holders(name, model_map, newest)
                closed |= own_closed
                running |= own_running
        partners = self.env["res.partner"].browse(closed - running)
        return self.entries._get_domain(partners, model) if partners else Domain.FALSE

    def _get_account_holders(self, model, model_map, newest):
        """Return the ids of people with accounts that closed in time, and with others."""
        path = model_map.subject[0]
        over = Domain(model_map.account["closed"])
        over &= self._until(model, model_map.account["date"], newest, self.company)
        accounts = self.env[model].with_context(active_test=False)
        return tuple(
            {partner.id for (partner,) in accounts._read_group(domain, [path]) if partner}
            for domain in (over, ~over)
        )

    # === HOLDS === #

    def is_held(self, model, kind):
        """Whether any hold may touch records of the model, so that none may go unread."""
        return any(self._find_holds(model, kind, company) for company in self._companies(kind))

    def _find_holds(self, model, kind, company):
        find = self.env["privacy.hold"]
        holds = find._find_for_documents(company, model)
        return holds | find._find_for_sessions(company) if kind == "network" else holds

    def _get_held(self, model, kind, companies):
        holds = self.env["privacy.hold"]
        for company in companies:
            holds |= self._find_holds(model, kind, company)
        return Domain.OR(self._get_held_by(model, hold) for hold in holds)

    def _get_held_by(self, model, hold):
        """Return the domain of what one hold keeps of a model.

        A hold on a person does not reach what leads to nobody.
        """
        domain = Domain.TRUE
        if hold.partner_id:
            if not self.datamap.models[model].subject:
                return Domain.FALSE
            domain &= self.entries._get_domain(_get_family(hold.partner_id), model)
        if hold.scope == "subject":
            return domain
        said = self._said(model)
        if hold.range_from:
            domain &= Domain(said["anchor"], ">=", self._moment(model, said["anchor"], hold, True))
        if hold.range_to:
            begin = said.get("begin", said["anchor"])
            domain &= Domain(begin, "<=", self._moment(model, begin, hold, False))
        return domain

    def _moment(self, model, path, hold, is_first):
        """Return one end of what is held, as the field compares it."""
        moment = hold.range_from if is_first else hold.range_to
        if self._field_at(model, path).type == "date":
            return hold.company_id._get_privacy_day(moment)
        return moment


def _get_family(partner):
    """Return the partner with all above and below it, as a hold on it counts for them."""
    everyone = partner.with_context(active_test=False)
    return everyone.search(["|", ("id", "child_of", partner.id), ("id", "parent_of", partner.id)])


# === WHAT IS LEFT OF A FIELD === #

MASK = "***"


def _get_filled(field, action):
    """Return the domain of records in which something is left to be done to a field."""
    if action in ("mask", "pseudonymise"):
        return Domain(field.name, "!=", False) & Domain(field.name, "not like", MASK)
    return Domain(getattr(field, "enc_field", None) or field.name, "!=", False)


def get_emptied(record, actions):
    """Return the values that leave nothing of a record's fields.

    The number of the record keeps masks apart where a field must be unique.
    """
    vals = {}
    for name, action in actions.items():
        field = record._fields[name]
        if action in ("mask", "pseudonymise"):
            if record[name]:
                vals[name] = MASK if field.type == "html" else f"{MASK}{record.id}"
        else:
            vals[name] = [(5, 0, 0)] if field.type == "many2many" else False
    return vals
