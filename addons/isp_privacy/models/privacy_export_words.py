import json
from datetime import UTC

from odoo import fields, models
from odoo.fields import Domain


class PrivacyExport(models.Model):
    """What a package says in words: the information of Article 15, and a page to begin with."""

    _inherit = "privacy.export"

    def _get_texts(self):
        """Return ``{path: text}``, in the language of the person."""
        self.ensure_one()
        reader = self.with_context(lang=self.request_id._get_letter_lang())
        information = json.dumps(reader._get_information(), ensure_ascii=False, indent=1)
        return {"information.json": f"{information}\n", "README.txt": reader._get_readme()}

    # === INFORMATION === #

    def _get_information(self):
        """Return what a person has to be told beside the data."""
        company = self.company_id
        profile = company._get_privacy_profile()
        address = company.partner_id._display_address(without_company=True)
        return {
            "controller": {
                "name": company.name,
                "address": [line.strip() for line in address.split("\n") if line.strip()],
                "email": company.email or None,
                "phone": company.phone or None,
            },
            "request": self.request_id.name,
            "made_on": fields.Datetime.now().replace(tzinfo=UTC).isoformat(),
            "purposes": self._get_purposes(),
            "sources": self._get_sources(),
            "recipients": self._get_recipients(),
            "transfers": self._get_transfers(),
            "automated_decisions": profile.automated_decisions,
            "rights": self._get_rights(),
            "complaints": profile.complaint_route,
            "not_included": self._get_left_out(),
        }

    def _get_entries(self):
        """Return the entries of the data map behind the tables of the package."""
        datamap = self.env["privacy.map.entry"]._get_map()
        names = sorted({part.model_name for part in self.part_ids if part.row_count})
        return [entry for name in names for entry in datamap.entries(name) if entry.export]

    def _get_purposes(self):
        """Return what the data is used for, with categories, grounds and how long it is kept."""
        labels = self._get_labels()
        entries = self._get_entries()
        used = {entry.purpose for entry in entries}
        rows = []
        for purpose in self.env["privacy.purpose"].search([("code", "in", sorted(used))]):
            own = [entry for entry in entries if entry.purpose == purpose.code]
            rows.append(
                {
                    "name": purpose.name,
                    "description": purpose.description or None,
                    "lawful_bases": _spell(labels["lawful_basis"], (e.basis for e in own)),
                    "interest": purpose.interest or None,
                    "categories": _spell(labels["category"], (e.category for e in own)),
                    "kept_as": _spell(labels["retention"], (e.retention for e in own)),
                    "recipients": purpose.recipients or None,
                }
            )
        return rows

    def _get_labels(self):
        Entry = self.env["privacy.map.entry"]
        return {
            name: dict(Entry._fields[name]._description_selection(self.env))
            for name in ("category", "retention", "lawful_basis")
        }

    def _get_sources(self):
        return [
            self.env._("You, when you became a customer and whenever you wrote to us or paid."),
            self.env._("Our network and our billing, while you used the service."),
        ]

    def _get_recipients(self):
        """Return the processors of the register that have, or had, a contract."""
        # sudo: officers of another company keep other registers; the domain names the company.
        processors = (
            self.env["privacy.processor"]
            .sudo()
            .search([("company_id", "=", self.company_id.id), ("contract_from", "!=", False)])
        )
        roles = dict(processors._fields["role"]._description_selection(self.env))
        return [
            {
                "name": processor.name,
                "role": roles[processor.role],
                "service": processor.service or None,
                "data": processor.data_categories or None,
                "country": processor.country_id.name or None,
            }
            for processor in processors
            if processor.state in ("valid", "ended")
        ]

    def _get_transfers(self):
        """Return to which countries data goes, and what allows it."""
        today = self.company_id._get_privacy_today()
        domain = Domain("company_id", "=", self.company_id.id)
        domain &= Domain("date_from", "<=", today)
        domain &= Domain("date_to", "=", False) | Domain("date_to", ">=", today)
        # sudo: as above.
        transfers = self.env["privacy.transfer"].sudo().search(domain)
        instruments = dict(transfers._fields["instrument"]._description_selection(self.env))
        return [
            {
                "recipient": transfer.processor_id.name or transfer.recipient,
                "country": transfer.country_id.name,
                "allowed_by": instruments[transfer.instrument],
                "data": transfer.data_categories or None,
            }
            for transfer in transfers
        ]

    def _get_rights(self):
        return [
            self.env._("To see the data we hold about you."),
            self.env._("To have wrong data corrected."),
            self.env._("To have data erased that no law demands us to keep."),
            self.env._("To have the use of your data restricted."),
            self.env._("To take along what you gave us, in a form that machines read."),
            self.env._(
                "To object to marketing at any time, and to what we do in our own interest."
            ),
            self.env._("To withdraw a consent at any time."),
            self.env._("To have a person look at a decision that a machine made."),
        ]

    def _get_left_out(self):
        """Return what is not in the package, and why."""
        left_out = [
            self.env._("Passwords, keys and links that open something: they would be unsafe here."),
            self.env._("Names of our staff: you see “Staff” instead."),
            self.env._("Data of other people, and notes that our staff writes for each other."),
            self.env._("How our network is built, for the safety of all."),
        ]
        if self.export_type == "portability":
            left_out.append(
                self.env._(
                    "What we wrote or concluded ourselves, such as notes and proofs: ask for access "
                    "to your data to see it."
                )
            )
        return left_out

    # === README === #

    def _get_readme(self):
        lines = [
            self.env._("Your data at %s", self.company_id.name),
            "",
            self.env._("Request: %s", self.request_id.name),
            self.env._("Person: %s", self.request_id.partner_id.name),
            "",
            self.env._(
                "information.json says what we use your data for, who receives it, how long it is "
                "kept, and what your rights are."
            ),
            self.env._(
                "data/ holds each table twice: as JSON for programs and as CSV for spreadsheets."
            ),
            self.env._("usage/ holds long tables, a file for each month."),
            self.env._(
                "documents/ holds your bills as PDF, files/ holds pictures and other files."
            ),
            self.env._(
                "manifest.json names each file with its size and its SHA-256 hash. "
                "manifest.json.sig is our signature: with it we can tell whether the package was "
                "changed."
            ),
            "",
            self.env._(
                "Times are those of %s and say how far they are from UTC. Numbers have a decimal "
                "point. An apostrophe in a CSV file, before a text that begins with = + - or @, "
                "keeps spreadsheets from calculating it.",
                self.company_id._get_privacy_zone(),
            ),
            "",
            self.env._("What is not in the package:"),
            *(f"- {line}" for line in self._get_left_out()),
            "",
            self.env._("Keep this package safe: it holds your personal data in clear."),
            "",
            self.env._("Not content with the answer?"),
            self.company_id._get_privacy_profile().complaint_route or "",
        ]
        return "\r\n".join(lines) + "\r\n"


def _spell(labels, codes):
    """Return the labels of codes, in the order of the catalogue."""
    codes = set(codes)
    return [label for code, label in labels.items() if code in codes]
