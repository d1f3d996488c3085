import ipaddress
import re

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..addresses.ranges import covering_prefixes, normalise_mac

MAX_HITS = 20
# Devices of customers who are offline are looked for among the sessions of so many days.
DEVICE_DAYS = 60


class IspControlRoom(models.AbstractModel):
    """One search box for whoever has a customer on the telephone.

    Subscriptions are found as the user, so that companies stay apart; sessions and attempts are
    read for the subscriptions found only.
    """

    _name = "isp.control.room"
    _description = "Control room"

    # === PUBLIC METHODS === #

    @api.model
    @api.readonly
    def find(self, query):
        """Subscriptions that ``query`` may mean, the likeliest first, with what support needs.

        :param query: part of a name, a phone number, username, subscription or invoice number, an
            IP address in use now, or a MAC address in any notation
        :return: ``{"kind": what it was taken for, "hits": [dict, …], "more": whether there are}``
        """
        self._check_support()
        word = " ".join((query or "").split())
        if len(word) < 2:
            return {"kind": "short", "hits": [], "more": False}
        kind, found = self._find(word)
        hits = found[:MAX_HITS]
        return {"kind": kind, "hits": self._describe(hits), "more": len(found) > MAX_HITS}

    @api.model
    def test_login(self, subscription_id):
        """Action that shows what RADIUS answers to the subscription's login."""
        return self.env["isp.subscription"].browse(subscription_id).action_test_login()

    @api.model
    def disconnect(self, subscription_id):
        """End the open sessions of the subscription."""
        self.env["isp.subscription"].browse(subscription_id).action_control_disconnect()
        return True

    def _check_support(self):
        if not self.env.user.has_group("isp_base.group_isp_first_line"):
            raise AccessError(self.env._("The control room is for the provider's staff."))

    # === SEARCH === #

    def _find(self, word):
        """``(kind, subscriptions)`` for what was typed."""
        subscriptions = self.env["isp.subscription"].with_context(active_test=True)
        try:
            address = ipaddress.ip_address(word)
        except ValueError:
            address = None
        if address:
            return "ip", subscriptions.search([("id", "in", self._ids_by_address(address))])
        if device := normalise_mac(word):
            found = subscriptions.search([("id", "in", self._ids_by_device(device))])
            if found:
                return "mac", found
        return "text", self._find_by_text(subscriptions, word)

    def _find_by_text(self, subscriptions, word):
        found = subscriptions.browse()
        for domain in self._get_domains(word):
            missing = MAX_HITS + 1 - len(found)
            if missing <= 0:
                break
            found |= subscriptions.search(domain & ~Domain("id", "in", found.ids), limit=missing)
        return found

    def _get_domains(self, word):
        """Domains to try in turn, until there are enough subscriptions."""
        lower = word.lower()
        yield Domain("username", "=", lower) | Domain("name", "=", word.upper())
        if digits := self._get_phone_digits(word):
            partners = Domain("phone_mobile_search", "ilike", digits)
            yield Domain("partner_id", "any", partners)
        elif invoices := self._find_invoices(word):
            yield Domain("charge_ids.move_id", "in", invoices.ids)
        yield Domain("username", "=like", _escape(lower) + "%")
        names = [Domain("complete_name", "ilike", _escape(part)) for part in word.split()]
        yield Domain("partner_id", "any", Domain.AND(names))
        plain = _escape(word)
        yield Domain("username", "ilike", plain) | Domain("name", "ilike", plain)
        yield Domain("external_ref", "=", word)

    def _find_invoices(self, word):
        """The invoice of a number, for those who may see bills."""
        invoices = self.env["account.move"]
        if not invoices.has_access("read"):
            return invoices
        return invoices.search(
            [("name", "=", word.upper()), ("move_type", "in", ("out_invoice", "out_refund"))],
            limit=1,
        )

    def _get_phone_digits(self, word):
        """The part of a phone number that stays the same however it is written, else None."""
        if not re.fullmatch(r"\+?[\d\s().-]{4,20}", word):
            return None
        digits = re.sub(r"\D", "", word).lstrip("0")
        code = str(self.env.company.country_id.phone_code or "")
        if code and digits.startswith(code) and len(digits) > len(code) + 6:
            digits = digits[len(code) :].lstrip("0")
        return digits if len(digits) >= 4 else None

    def _ids_by_address(self, address):
        """Subscriptions that have the address now, in a session or as a static one."""
        if address.version == 4:
            values = [str(address)]
            sessions = SQL("framedipaddress = ANY(%s::inet[])", values)
        else:
            values = [str(prefix) for prefix in covering_prefixes(address)]
            sessions = SQL(
                "(delegatedipv6prefix = ANY(%(v)s::inet[]) OR framedipv6prefix = ANY(%(v)s::inet[])"
                " OR framedipv6address = ANY(%(v)s::inet[]))",
                v=values,
            )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT subscription_id FROM radius.radacct
                 WHERE acctstoptime IS NULL AND subscription_id IS NOT NULL AND %s
                 UNION
                SELECT subscription_id FROM isp_ip_assignment
                 WHERE date_to IS NULL AND address = ANY(%s)
                """,
                sessions,
                values,
            )
        )
        return [id_ for (id_,) in rows]

    def _ids_by_device(self, device):
        """Subscriptions that were online from the device lately, or are locked to it."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT subscription_id FROM radius.radacct
                 WHERE acctstoptime IS NULL AND callingstationid = %(device)s
                 UNION
                (SELECT subscription_id FROM radius.radacct
                  WHERE acctstoptime > now() - %(days)s * interval '1 day'
                    AND callingstationid = %(device)s
                  ORDER BY acctstoptime DESC LIMIT 50)
                 UNION
                SELECT id FROM isp_subscription WHERE mac_addresses LIKE %(pattern)s
                """,
                device=device,
                days=DEVICE_DAYS,
                pattern=f"%{device}%",
            )
        )
        return [id_ for (id_,) in rows if id_]

    # === WHAT IS SHOWN === #

    def _describe(self, subscriptions):
        """One dict a subscription; moments as Odoo's text in UTC."""
        if not subscriptions:
            return []
        online = self._read_online(subscriptions.ids)
        last = self._read_last(set(subscriptions.ids) - set(online))
        refused = self._read_refused(subscriptions.ids)
        routers = self._name_routers([*online.values(), *last.values()])
        return [
            self._describe_one(s, online.get(s.id), last.get(s.id), refused.get(s.id), routers)
            for s in subscriptions
        ]

    def _describe_one(self, subscription, online, last, refused, routers):
        session = online or last or {}
        fields = subscription._fields
        state = dict(fields["state"]._description_selection(self.env))[subscription.state]
        why = dict(fields["suspend_reason"]._description_selection(self.env))
        partner = subscription.partner_id
        return {
            **self._describe_debt(subscription),
            "id": subscription.id,
            "number": subscription.name,
            "username": subscription.username or "",
            "customer": partner.name,
            "phone": partner.phone or "",
            "place": ", ".join(filter(None, (partner.street, partner.city))),
            "plan": subscription.plan_id.name,
            "state": subscription.state,
            "state_words": " – ".join(filter(None, (state, why.get(subscription.suspend_reason)))),
            "online": bool(online),
            "session_count": online["count"] if online else 0,
            "since": online["start"] if online else False,
            "last_seen": last["stop"] if last else False,
            "ip": session.get("ip") or subscription.ipv4_address or "",
            "prefix": session.get("prefix") or subscription.delegated_prefix or "",
            "mac": session.get("mac") or (subscription.mac_addresses or "").replace("|", " "),
            "router": routers.get(session.get("nas_id")) or session.get("nas_address") or "",
            "refused": refused["words"] if refused else "",
            "refused_on": refused["date"] if refused else False,
            "can_usage": hasattr(subscription, "action_view_usage"),
            "can_disconnect": bool(online) and subscription._can_disconnect(),
        }

    def _describe_debt(self, subscription):
        """What is owed, for those who may see it."""
        if not self.env.user.has_group("isp_base.group_isp_support"):
            return {"due": "", "is_overdue": False}
        currency = subscription.currency_id
        return {
            "due": currency.format(subscription.amount_due),
            "is_overdue": currency.compare_amounts(subscription.amount_overdue, 0.0) > 0,
        }

    def _read_online(self, ids):
        """The newest open session of each subscription, and how many it has."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (subscription_id) subscription_id, host(framedipaddress),
                       COALESCE(delegatedipv6prefix, framedipv6prefix)::text, callingstationid,
                       nas_id, host(nasipaddress),
                       to_char(acctstarttime AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                       count(*) OVER (PARTITION BY subscription_id)
                  FROM radius.radacct
                 WHERE acctstoptime IS NULL AND subscription_id = ANY(%s)
                 ORDER BY subscription_id, acctstarttime DESC
                """,
                ids,
            )
        )
        names = ("ip", "prefix", "mac", "nas_id", "nas_address", "start", "count")
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}

    def _read_last(self, ids):
        """The last session of each subscription that is offline, without its addresses.

        Who had an address is told by lawful requests only.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT wanted.id, callingstationid, nas_id, host(nasipaddress),
                       to_char(acctstoptime AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
                  FROM unnest(%s::int[]) AS wanted (id)
                 CROSS JOIN LATERAL (
                       SELECT * FROM radius.radacct a
                        WHERE a.subscription_id = wanted.id AND a.acctstoptime IS NOT NULL
                        ORDER BY a.acctstarttime DESC LIMIT 1) newest
                """,
                list(ids),
            )
        )
        names = ("mac", "nas_id", "nas_address", "stop")
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}

    def _read_refused(self, ids):
        """The last refused login of each subscription within a week, in words."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT wanted.id, newest.reason,
                       to_char(newest.authdate AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
                  FROM unnest(%s::int[]) AS wanted (id)
                 CROSS JOIN LATERAL (
                       SELECT reason, authdate FROM radius.radpostauth p
                        WHERE p.subscription_id = wanted.id AND p.reply <> 'Access-Accept'
                          AND p.authdate > now() - interval '7 days'
                        ORDER BY p.authdate DESC LIMIT 1) newest
                """,
                list(ids),
            )
        )
        labels = dict(
            self.env["isp.radius.attempt"]._fields["reason"]._description_selection(self.env)
        )
        return {
            id_: {"words": labels.get(reason) or reason or labels["other"], "date": date}
            for id_, reason, date in rows
        }

    def _name_routers(self, sessions):
        wanted = {session["nas_id"] for session in sessions if session["nas_id"]}
        routers = self.env["isp.nas"].with_context(active_test=False).browse(wanted).exists()
        return {nas.id: nas.name for nas in routers._filtered_access("read")}


def _escape(text):
    return re.sub(r"([\\%_])", r"\\\1", text)
