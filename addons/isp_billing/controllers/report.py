from werkzeug.exceptions import InternalServerError

from odoo.http import route
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.web.controllers.report import ReportController as WebReportController


class ReportController(WebReportController):
    """Printing is tried again when it met another transaction, as every other request is."""

    @route()
    def report_download(self, data, context=None, token=None, **kwargs):
        """Print a report as Odoo does.

        The core answers each error of a report by a page, a lost race too: a bill that is printed
        in the moment in which its file is stored in the background would be refused.
        """
        try:
            return super().report_download(data, context=context, token=token, **kwargs)
        except InternalServerError as error:
            if isinstance(error.__cause__, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
                raise error.__cause__ from None
            raise
