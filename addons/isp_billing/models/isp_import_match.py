from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import float_compare, html2plaintext, plaintext2html

from ..engine.decision import CHANGED, NEW, UNCHANGED, Decision
from ..engine.identity import customer_key, customer_reference, fold_name, has_own_identity
from ..engine.phone import format_phone
from .isp_import_reasons import explain

# Values copied to fields of the same name.
_PARTNER_FIELDS = ("street", "street2", "city", "zip")
_SUBSCRIPTION_FIELDS = (
    "external_ref", "username", "date_start", "date_end", "opening_billed_through", "anchor_day",
    "ipv4_address", "mac_addresses",
)  # fmt: skip
_FIXED_ONCE_BILLED = ("date_start", "opening_billed_through", "anchor_day")


class IspImport(models.Model):
    """What each row means for the system. Everything here only reads."""

    _inherit = "isp.import"

    def _match(self, rows):
        """Decide about a batch of parsed rows.

        A subscription is found by its external id, else its username, else as the one that the
        customer has of the row's plan. A customer is found by the external id, else the phone; see
        ``engine.identity``. Only values that the file gives are compared: an empty cell changes
        nothing.

        :return: one :class:`Decision` for each row
        """
        self.ensure_one()
        known = Known(self, rows)
        return [self._decide(row, known) for row in rows]

    def _decide(self, row, known):
        decision = Decision(
            row, partner=self.env["res.partner"], subscription=self.env["isp.subscription"]
        )
        if row.problems:
            return decision.reject(*(self._explain_problem(problem) for problem in row.problems))
        decision.customer = customer_key(row)
        try:
            if row.has_service:
                decision.plan = self._find_plan(row, known)
                decision.subscription = self._find_subscription(row, decision.plan, known)
            decision.partner = self._find_holder(row, decision.subscription, known)
            self._compare_partner(decision, known)
            if row.has_service:
                self._compare_subscription(decision, known)
        except UserError as error:
            return decision.reject(str(error))
        if not (decision.subscription if row.has_service else decision.partner):
            decision.kind = NEW
        else:
            decision.kind = CHANGED if decision.changes else UNCHANGED
        return decision

    def _explain_problem(self, problem):
        if problem.code == "duplicate":
            labels = {
                "external_ref": self.env._("external id"),
                "username": self.env._("username"),
                "reference": self.env._("customer id"),
                "phone": self.env._("phone"),
                "phone and name": self.env._("phone and name"),
            }
            what = problem.params["what"]
            problem.params["what"] = labels.get(what, what)
        return explain(self.env, problem)

    # === FINDING === #

    def _find_plan(self, row, known):
        """The plan of a row: a record, or the name of one that is to be created."""
        text = row.values.get("plan")
        if not text:
            return self.default_plan_id
        plans = known.plans.get(text.casefold(), self.env["isp.plan"])
        if len(plans) > 1:
            raise UserError(
                self.env._("Several plans are called “%s”. Use the code of the plan.", text)
            )
        if not plans and not self.create_plans:
            raise UserError(
                self.env._(
                    "There is no plan “%s”. Create it, translate the value, or tick “Create missing "
                    "plans”.",
                    text,
                )
            )
        return plans or text

    def _find_subscription(self, row, plan, known):
        values = row.values
        reference, username = values.get("external_ref"), values.get("username")
        found = known.by_reference.get(reference) if reference else None
        holder_sudo = known.by_username_sudo.get(username) if username else None
        if holder_sudo and (not found or holder_sudo != found):
            adopts = reference and not holder_sudo.external_ref
            if found or holder_sudo.company_id != self.company_id or (reference and not adopts):
                raise UserError(
                    self.env._("The username “%s” is used by another subscription.", username)
                )
            found = self.env["isp.subscription"].browse(holder_sudo.id)
        if found or reference or username:
            return found or self.env["isp.subscription"]
        partner = self._find_partner(row, known)
        same_plan = known.subscriptions_of(partner).filtered(
            lambda s: s.plan_id == plan and s.state != "terminated"
        ) or known.subscriptions_of(partner).filtered(lambda s: s.plan_id == plan)
        if len(same_plan) > 1:
            raise UserError(
                self.env._(
                    "The customer has %(count)s subscriptions of plan “%(plan)s”. Name the one meant "
                    "by external id or username.",
                    count=len(same_plan),
                    plan=plan.name,
                )
            )
        return same_plan

    def _find_partner(self, row, known):
        none = self.env["res.partner"]
        reference = customer_reference(row)
        if partner := known.partners_by_reference.get(reference):
            return partner
        phone = row.values.get("phone")
        candidates = known.partners_by_phone.get(phone, none) if phone else none
        name = fold_name(row.values["customer_name"])
        same_name = candidates.filtered(lambda p: fold_name(p.name or "") == name)
        if reference:
            # A customer who was entered by hand gets the id of the other system.
            return same_name.filtered(lambda p: not p.isp_external_ref)[:1]
        if has_own_identity(row):
            return same_name[:1]
        if len(candidates) > 1 and len(same_name) != 1:
            raise UserError(
                self.env._(
                    "%(count)s customers have the phone %(phone)s. Give an external id.",
                    count=len(candidates),
                    phone=phone,
                )
            )
        return same_name or candidates

    def _find_holder(self, row, subscription, known):
        """The customer of the subscription found, else the one that the row describes."""
        holder = subscription.partner_id
        if not holder:
            return self._find_partner(row, known)
        other = known.partners_by_reference.get(customer_reference(row), holder)
        if other != holder:
            raise UserError(
                self.env._(
                    "Subscription %(name)s belongs to %(holder)s, but the customer id of the row to "
                    "%(other)s.",
                    name=subscription.name,
                    holder=holder.name,
                    other=other.name,
                )
            )
        return holder

    # === COMPARING === #

    def _compare_partner(self, decision, known):
        """Collect what the row says about the customer, and what of it is different."""
        row, partner = decision.row, decision.partner
        if partner and row.is_customer_repeated:
            return
        values = row.values
        wanted = {"name": values["customer_name"]}
        wanted.update((name, values[name]) for name in _PARTNER_FIELDS if name in values)
        if reference := customer_reference(row):
            wanted["isp_external_ref"] = reference
        if "email" in values and (partner.email or "").strip().lower() != values["email"]:
            wanted["email"] = values["email"]
        if "phone" in values and partner.phone_sanitized != values["phone"]:
            wanted["phone"] = format_phone(values["phone"])
        if lang := known.langs.get(values.get("lang")):
            wanted["lang"] = lang
        decision.partner_vals = {
            name: value for name, value in wanted.items() if (partner[name] or "") != value
        }
        if partner:
            self._note_changes(decision, partner, decision.partner_vals)

    def _compare_subscription(self, decision, known):
        """Collect what the row says about the service, and what of it is different."""
        values, subscription = decision.row.values, decision.subscription
        vals = {
            name: values[name]
            for name in _SUBSCRIPTION_FIELDS
            if name in values and (subscription[name] or "") != values[name]
        }
        if "note" in values and _plain(subscription.note) != _plain_lines(values["note"]):
            vals["note"] = plaintext2html(values["note"])
        # sudo: comparing needs the stored password, which nobody is shown.
        if "password" in values and subscription.sudo().password != values["password"]:
            vals["password"] = values["password"]
        decision.subscription_vals = vals
        if "price" in values:
            decision.price = float(values["price"])
        decision.state = values.get("state")
        if not subscription:
            self._complete_new(decision)
            return
        if decision.plan != subscription.plan_id and values.get("plan"):
            vals["plan_id"] = decision.plan
        self._note_changes(decision, subscription, vals)
        self._compare_price(decision, known)
        self._check_billed(decision, known)
        self._compare_state(decision)

    def _compare_price(self, decision, known):
        line = decision.subscription.line_ids.filtered(
            lambda line: line.line_type == "plan" and not line.date_to
        )[:1]
        if decision.price is None or (
            "plan_id" not in decision.subscription_vals
            and float_compare(line.price_unit, decision.price, known.price_digits) == 0
        ):
            decision.price = None
            return
        decision.changes.append(self.env._("Price: %s", f"{decision.price:.2f}"))

    def _check_billed(self, decision, known):
        subscription = decision.subscription
        if subscription.id not in known.billed_ids:
            return
        vals = decision.subscription_vals
        if "plan_id" in vals:
            raise UserError(
                self.env._(
                    "Subscription %(name)s has been billed with plan “%(plan)s”. Terminate it and "
                    "open a new one with the other plan.",
                    name=subscription.name,
                    plan=subscription.plan_id.name,
                )
            )
        for name in _FIXED_ONCE_BILLED:
            if name in vals:
                raise UserError(
                    self.env._(
                        "“%(field)s” of %(name)s cannot be changed: it has been billed.",
                        field=self._get_label(subscription, name),
                        name=subscription.name,
                    )
                )

    def _compare_state(self, decision):
        subscription, wanted = decision.subscription, decision.state
        present = subscription.state
        # What the ledger suspended, the ledger resumes: an old file does not pay a bill.
        overdue = present == "suspended" and subscription.suspend_reason == "overdue"
        if not wanted or wanted == present or (wanted == "active" and overdue):
            decision.state = None
            return
        if present == "terminated" or wanted == "draft":
            raise UserError(
                self.env._(
                    "Subscription %(name)s is %(present)s and cannot become %(wanted)s.",
                    name=subscription.name,
                    present=self._get_state_label(present),
                    wanted=self._get_state_label(wanted),
                )
            )
        decision.changes.append(self.env._("State: %s", self._get_state_label(wanted)))

    def _complete_new(self, decision):
        """Fill in what a new subscription needs and the row does not say."""
        vals = decision.subscription_vals
        decision.state = decision.state or "active"
        today = self.company_id._get_isp_today()
        start = vals.get("date_start") or self.default_date_start or self.bill_from or today
        if decision.state == "terminated":
            # The other system has settled the account: nothing of it is left to bill.
            end = vals.get("date_end") or max(vals.get("opening_billed_through") or start, start)
            start = min(start, end)
            vals.setdefault("opening_billed_through", end)
            vals["date_end"] = end
        elif self.bill_from and self.bill_from > start:
            vals.setdefault("opening_billed_through", self.bill_from)
        if vals.get("date_end") and vals["date_end"] < start:
            raise UserError(
                self.env._(
                    "The service ends on %(end)s, before it starts on %(start)s.",
                    end=vals["date_end"],
                    start=start,
                )
            )
        if decision.state != "draft":
            vals["date_start"] = start

    # === WORDS === #

    def _note_changes(self, decision, record, vals):
        for name, value in vals.items():
            label = self._get_label(record, name)
            shown = name not in ("password", "note")
            value = value.name if name == "plan_id" and not isinstance(value, str) else value
            decision.changes.append(f"{label}: {value}" if shown else label)

    def _get_label(self, record, name):
        return record._fields[name]._description_string(self.env)

    def _get_state_label(self, state):
        field = self.env["isp.subscription"]._fields["state"]
        return dict(field._description_selection(self.env))[state].lower()


def _plain(note):
    return _plain_lines(html2plaintext(note)) if note else ""


def _plain_lines(text):
    return " ".join(text.split())


class Known:
    """What the system knows about the rows of a batch, read with a few queries."""

    def __init__(self, record, rows):
        self.env = record.env
        self.company = record.company_id
        values = [row.values for row in rows if not row.problems]
        self._read_subscriptions(values)
        self._read_partners(record, rows)
        self.plans = self._get_plans()
        self.langs = self._get_langs()
        self.price_digits = self.env["decimal.precision"].precision_get("Product Price")

    def _read_subscriptions(self, values):
        model = self.env["isp.subscription"].with_context(active_test=False)
        references = {v["external_ref"] for v in values if v.get("external_ref")}
        usernames = {v["username"] for v in values if v.get("username")}
        found = model.search(
            Domain("company_id", "=", self.company.id)
            & (Domain("external_ref", "in", references) | Domain("username", "in", usernames))
        )
        self.by_reference = {s.external_ref: s for s in found if s.external_ref in references}
        # sudo: logins are unique in all companies, also in those the user cannot see.
        holders_sudo = model.sudo().search([("username", "in", usernames)])
        self.by_username_sudo = {s.username: s for s in holders_sudo}
        self._found = found

    def _read_partners(self, record, rows):
        model = self.env["res.partner"]
        own = Domain("company_id", "in", [False, self.company.id])
        rows = [row for row in rows if not row.problems]
        references = {reference for row in rows if (reference := customer_reference(row))}
        phones = {row.values["phone"] for row in rows if row.values.get("phone")}
        by_reference = model.with_context(active_test=False).search(
            own & Domain("isp_external_ref", "in", references), order="id desc"
        )
        self.partners_by_reference = {partner.isp_external_ref: partner for partner in by_reference}
        by_phone = model.search(own & Domain("phone_sanitized", "in", phones), order="id")
        self.partners_by_phone = by_phone.grouped("phone_sanitized")
        self._subscriptions = (
            self.env["isp.subscription"]
            .with_context(active_test=False)
            .search(
                [
                    ("company_id", "=", self.company.id),
                    ("partner_id", "in", (by_phone | by_reference).ids),
                ]
            )
            .grouped("partner_id")
        )
        ids = {s.id for s in self._found}.union(*(s.ids for s in self._subscriptions.values()))
        charged = self.env["isp.charge"]._read_group(
            [("subscription_id", "in", list(ids))], ["subscription_id"]
        )
        self.billed_ids = {subscription.id for (subscription,) in charged}

    def subscriptions_of(self, partner):
        """Subscriptions of a partner, of whatever plan and state."""
        return self._subscriptions.get(partner, self.env["isp.subscription"])

    def _get_plans(self):
        """Plans by code and by their names in all languages, in lower case."""
        plans = self.env["isp.plan"].search([("company_id", "=", self.company.id)])
        by_word = {plan.code.casefold(): plan for plan in plans if plan.code}
        by_name = {}
        for lang, _name in self.env["res.lang"].get_installed():
            for plan in plans.with_context(lang=lang):
                name = " ".join(plan.name.split()).casefold()
                by_name[name] = by_name.get(name, plans.browse()) | plans.browse(plan.id)
        return by_name | by_word

    def _get_langs(self):
        """Installed languages by their two letters."""
        installed = self.env["res.lang"].get_installed()
        return {code.split("_")[0]: code for code, _name in reversed(installed)}
