from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from ..usage import usage_chart

_A_DAY = timedelta(days=1)

# The billed periods of each invoice that are over on its day, and where it bills ahead the period
# before; with what was used in them, and the volume of the plan. A window of volume lies within one
# billing period, or is much shorter.
USAGE_QUERY = """
    WITH billed AS (
        SELECT DISTINCT move.id AS move_id, move.invoice_date, charge.subscription_id
          FROM account_move move
          JOIN isp_charge charge
            ON charge.move_id = COALESCE(move.reversed_entry_id, move.id)
         WHERE move.id = ANY(%(ids)s) AND charge.charge_type = 'recurring'
    ), period AS (
        SELECT billed.*, found.date_from, found.date_to
          FROM billed
         CROSS JOIN LATERAL (
            SELECT charge.date_from, charge.date_to,
                   bool_or(charge.move_id = billed.move_id) AS is_own,
                   row_number() OVER (ORDER BY charge.date_to DESC, charge.date_from DESC) AS n
              FROM isp_charge charge
              JOIN isp_subscription_line line
                ON line.id = charge.line_id AND line.line_type = 'plan'
             WHERE charge.subscription_id = billed.subscription_id
               AND charge.charge_type = 'recurring'
               AND charge.date_to <= billed.invoice_date
               AND charge.covered IS DISTINCT FROM '{}'
          GROUP BY charge.date_from, charge.date_to
         ) found
         WHERE found.is_own OR found.n = 1
    )
    SELECT period.move_id, period.subscription_id, subscription.name,
           period.date_from, period.date_to, used.upload, used.download,
           volume.allowed, volume.period, volume.included
      FROM period
      JOIN isp_subscription subscription ON subscription.id = period.subscription_id
     CROSS JOIN LATERAL (
        SELECT sum(upload_bytes)::bigint AS upload, sum(download_bytes)::bigint AS download
          FROM radius.usage_day usage
         WHERE usage.subscription_id = period.subscription_id
           AND usage.day >= period.date_from AND usage.day < period.date_to
     ) used
     CROSS JOIN LATERAL (
        SELECT sum(included_bytes + carried_bytes + topup_bytes)::bigint AS allowed,
               (array_agg(usage_window.period ORDER BY date_from DESC))[1] AS period,
               (array_agg(included_bytes ORDER BY date_from DESC))[1] AS included
          FROM isp_usage_window usage_window
         WHERE usage_window.subscription_id = period.subscription_id
           AND usage_window.date_from < period.date_to
           AND usage_window.date_to > period.date_from
     ) volume
     WHERE used.upload IS NOT NULL
  ORDER BY period.move_id, subscription.name, period.date_from
"""


class AccountMove(models.Model):
    """What was used, on the bills."""

    _inherit = "account.move"

    def _get_document_usage(self, writer):
        """The usage of the billed periods that are over; of a bill ahead, that of the one before."""
        usage = super()._get_document_usage(writer)
        for model, names in (
            ("account.move", ["invoice_date", "reversed_entry_id"]),
            ("isp.charge", ["move_id", "date_from", "date_to", "charge_type"]),
            ("isp.usage.window", ["included_bytes", "carried_bytes", "topup_bytes", "date_to"]),
        ):
            self.env[model].flush_model(names)
        rows = self.env.execute_query_dict(SQL(USAGE_QUERY, ids=self.ids))
        by_move = {}
        for row in rows:
            by_move.setdefault(row["move_id"], []).append(row)
        for move_id, own in by_move.items():
            is_joint = len({row["subscription_id"] for row in own}) > 1
            usage[move_id] = [self._write_usage_row(writer, row, is_joint) for row in own]
        return usage

    def _write_usage_row(self, writer, row, is_joint):
        last = row["date_to"] - _A_DAY
        label = writer.period(row["date_from"], last)
        return {
            "label": f"{row['name']} · {label}" if is_joint else label,
            "download": usage_chart.spell(writer, row["download"]),
            "upload": usage_chart.spell(writer, row["upload"]),
            "total": usage_chart.spell(writer, row["download"] + row["upload"]),
            "cap": self._write_cap(writer, row),
        }

    def _write_cap(self, writer, row):
        """The volume of the plan, with what was bought; of days and weeks that of each."""
        if not row["period"]:
            return None
        if row["period"] == "cycle":
            return usage_chart.spell(writer, row["allowed"])
        per = writer.labels[f"per_{row['period']}"]
        return f"{usage_chart.spell(writer, row['included'])} {per}"
