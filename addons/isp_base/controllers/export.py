import io

from odoo.addons.web.controllers import export

from .. import safe_csv


class TextOnly:
    """Writes strings as strings, whatever they begin with: no formula, no link to click on.

    A cell of a workbook has a type, so nothing is put before the text as in CSV.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # The core makes the workbook itself, and a sheet takes over these options at its birth.
        self.worksheet.strings_to_formulas = False
        self.worksheet.strings_to_urls = False


class XlsxWriter(TextOnly, export.ExportXlsxWriter):
    pass


class GroupXlsxWriter(TextOnly, export.GroupExportXlsxWriter):
    pass


class CSVExport(export.CSVExport):
    """Lists as CSV, in which a spreadsheet calculates nothing."""

    # Replaces the core's, which guards three signs, phone numbers too, and looks behind no blank.
    def from_data(self, fields, columns_headers, rows):
        file = io.StringIO()
        write = safe_csv.writer(file, quoting=1)
        write(columns_headers)
        for row in rows:
            write([_text(value) for value in row])
        return file.getvalue()


class ExcelExport(export.ExcelExport):
    """Lists as workbooks, in which a spreadsheet calculates nothing."""

    # Both replace the core's, which name the class of the writer.
    def from_data(self, fields, columns_headers, rows):
        with XlsxWriter(fields, columns_headers, len(rows)) as writer:
            for row_index, row in enumerate(rows, 1):
                for column, value in enumerate(row):
                    writer.write_cell(row_index, column, value)
        return writer.value

    def from_group_data(self, fields, columns_headers, groups):
        with GroupXlsxWriter(fields, columns_headers, groups.count) as writer:
            row, column = 1, 0
            for name, group in groups.children.items():
                row, column = writer.write_group(row, column, name, group)
        return writer.value


def _text(value):
    if value is None or value is False:
        return ""
    return value.decode() if isinstance(value, bytes) else value
