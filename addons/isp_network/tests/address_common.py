from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user

from .common import IspNetworkCase


class IspAddressCase(IspNetworkCase):
    """Pools, sessions at a moment, and staff with the right to look addresses up."""

    @classmethod
    def create_pool(cls, name, *ranges, purpose="static", **vals):
        return cls.env["isp.ip.pool"].create(
            {
                "name": name,
                "purpose": purpose,
                "range_ids": [fields.Command.create({"name": text}) for text in ranges],
                **vals,
            }
        )

    @classmethod
    def create_lawful_user(cls, login="lawful"):
        return new_test_user(cls.env, login, groups="base.group_user,isp_network.group_isp_lawful")

    @classmethod
    def create_request(cls, **vals):
        return cls.env["isp.address.request"].create(
            {
                "authority": "Cyber Crime Unit",
                "reference": "CCU/2027/117",
                "date_received": "2027-03-09",
                "requested_by": "Inspector Rahman",
                "reason": "Case 44/2027, section 22 of the act",
                "tz": "Asia/Dhaka",
                **vals,
            }
        )

    @classmethod
    def add_session(cls, subscription, nas, start, stop=None, **vals):
        """A session from ``start`` to ``stop``, text in UTC."""
        cls.env.flush_all()
        row = {
            "acctsessionid": "81000001",
            "username": subscription.username if subscription else "nobody",
            "nasipaddress": nas.ip_address if nas else "10.99.0.1",
            "nas_id": nas.id if nas else None,
            "subscription_id": subscription.id if subscription else None,
            "acctstarttime": f"{start}+00",
            "acctupdatetime": f"{stop or start}+00",
            "acctstoptime": f"{stop}+00" if stop else None,
            "callingstationid": "AA-BB-CC-00-00-01",
            **vals,
        }
        cls.env.cr.execute("SELECT nextval('radius.radacct_id_seq')")
        row["acctuniqueid"] = f"test-{cls.env.cr.fetchone()[0]}"
        if stop:
            cls.env.cr.execute(
                "SELECT radius.make_partition('radacct', date_trunc('month', %s::timestamp))",
                [stop],
            )
        columns = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        cls.env.cr.execute(
            f"INSERT INTO radius.radacct ({columns}) VALUES ({marks})", list(row.values())
        )

    @staticmethod
    def later(days):
        return fields.Datetime.to_string(fields.Datetime.now() + timedelta(days=days))
