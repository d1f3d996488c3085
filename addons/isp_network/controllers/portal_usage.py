import io
from datetime import timedelta

from babel.dates import format_date

from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Date
from odoo.http import content_disposition, request

from odoo.addons.isp_base import safe_csv
from odoo.addons.isp_billing.controllers.portal import PortalService
from odoo.addons.isp_billing.engine.document_text import Writer

from ..usage import usage_chart

RANGES = ("today", "days", "months")
_DAYS = 30
_MONTHS = 12
_A_DAY = timedelta(days=1)


class PortalUsage(PortalService):
    """What a service has used, as a graph and as a file."""

    # === ROUTES === #

    @http.route(
        "/my/services/<int:service_id>/usage",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
    )
    def portal_service_usage(self, service_id, access_token=None, period="days", **kwargs):
        """Show today, 30 days or 12 months of a service."""
        try:
            service_sudo = self._get_service(service_id, access_token)
        except (AccessError, MissingError):
            return self._refuse_service()
        period = period if period in RANGES else "days"
        values = self._prepare_service_values(service_sudo, access_token)
        values |= self._prepare_usage_values(service_sudo, period)
        values |= {
            "topup_url": self._get_service_url(service_sudo, access_token, "/topup")
            if service_sudo._get_topup_offers()
            else None,
            "is_usage": True,
            "period": period,
            "usage_url": lambda suffix="", **query: self._get_usage_url(
                service_sudo, access_token, suffix, query
            ),
        }
        values = self._get_page_view_values(
            service_sudo, access_token, values, "my_services_history", False, **kwargs
        )
        return request.render("isp_network.portal_usage_page", values)

    @http.route(
        "/my/services/<int:service_id>/usage.csv",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
    )
    def portal_service_usage_csv(self, service_id, access_token=None, **_kwargs):
        """Hand out the usage of the last twelve months by day, in bytes."""
        try:
            service_sudo = self._get_service(service_id, access_token)
        except (AccessError, MissingError):
            return self._refuse_service()
        begin, end = self._get_months(service_sudo)
        text = io.StringIO()
        write = safe_csv.writer(text)
        env = request.env
        write(
            [
                env._("Day"),
                env._("Download (bytes)"),
                env._("Upload (bytes)"),
                env._("Total (bytes)"),
            ]
        )
        for day, (upload, download) in sorted(service_sudo._get_usage_by_day(begin, end).items()):
            write([day, download, upload, download + upload])
        name = env._("Usage %(service)s %(day)s.csv", service=service_sudo.name, day=end - _A_DAY)
        # The mark lets Excel read Bengali.
        return request.make_response(
            "\ufeff" + text.getvalue(),
            headers=[
                ("Content-Type", "text/csv; charset=utf-8"),
                ("Content-Disposition", content_disposition(name.replace("/", "-"))),
            ],
        )

    # === HELPERS === #

    def _get_usage_url(self, service_sudo, access_token, suffix, query):
        url = self._get_service_url(service_sudo, access_token, f"/usage{suffix}")
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{url}{'&' if '?' in url else '?'}{text}" if text else url

    def _get_months(self, service_sudo):
        """First day of the oldest month shown, and tomorrow."""
        today = service_sudo.company_id._get_isp_today()
        return Date.subtract(today.replace(day=1), months=_MONTHS - 1), today + timedelta(days=1)

    def _prepare_usage_values(self, service_sudo, period):
        """The chart, its table and the sums, all as text in the language of the page."""
        writer = self._get_writer()
        rows = getattr(self, f"_get_rows_of_{period}")(service_sudo, writer)
        chart = usage_chart.draw(rows)
        return {
            "chart": chart,
            "lines": [
                (line.y, f"{writer.quantity(line.value)} {line.unit}") for line in chart.lines
            ],
            "table": [
                (
                    label,
                    self._write_octets(writer, download),
                    self._write_octets(writer, upload),
                    self._write_octets(writer, upload + download),
                )
                for label, upload, download in rows
            ],
            "sums": [
                self._write_octets(writer, sum(octets))
                for octets in (
                    [download for _label, _upload, download in rows],
                    [upload for _label, upload, _download in rows],
                    [upload + download for _label, upload, download in rows],
                )
            ],
            "volume": self._prepare_volume_values(service_sudo, writer),
        }

    def _prepare_volume_values(self, service_sudo, writer):
        """The limited volume of the service in words, ``None`` without one."""
        volume = service_sudo._get_volume()
        if not volume:
            return None
        account, date_to = volume

        def in_words(day):
            return writer.text(format_date(day, "d MMMM yyyy", locale=writer.locale))

        return {
            "percent": min(account.percent, 100),
            "percent_text": writer.text(account.percent),
            "used": self._write_octets(writer, account.used),
            "allowed": self._write_octets(writer, account.allowed),
            "left": self._write_octets(writer, account.left),
            "topped_up": account.topped_up and self._write_octets(writer, account.topped_up),
            "until": in_words(date_to - _A_DAY),
            "renewed": in_words(date_to),
            "state": service_sudo.cap_state,
        }

    def _get_writer(self):
        return Writer((request.env.lang or "en")[:2])

    def _write_octets(self, writer, octets):
        return usage_chart.spell(writer, octets)

    def _get_rows_of_today(self, service_sudo, writer):
        today = service_sudo.company_id._get_isp_today()
        hours = service_sudo._get_usage_by_hour(today)
        return [(writer.text(f"{hour:02d}"), *hours.get(hour, (0, 0))) for hour in range(24)]

    def _get_rows_of_days(self, service_sudo, writer):
        today = service_sudo.company_id._get_isp_today()
        begin = today - timedelta(days=_DAYS - 1)
        usage = service_sudo._get_usage_by_day(begin, today + timedelta(days=1))
        days = [begin + timedelta(days=number) for number in range(_DAYS)]
        return [
            (
                writer.text(format_date(day, "d MMM", locale=writer.locale)),
                *usage.get(day, (0, 0)),
            )
            for day in days
        ]

    def _get_rows_of_months(self, service_sudo, writer):
        begin, end = self._get_months(service_sudo)
        sums = {Date.add(begin, months=number): [0, 0] for number in range(_MONTHS)}
        for day, (upload, download) in service_sudo._get_usage_by_day(begin, end).items():
            sums[day.replace(day=1)][0] += upload
            sums[day.replace(day=1)][1] += download
        return [
            (writer.text(format_date(month, "MMM yy", locale=writer.locale)), upload, download)
            for month, (upload, download) in sums.items()
        ]
