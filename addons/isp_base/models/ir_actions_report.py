import io

import lxml.html

from odoo import models
from odoo.tools import pdf

from odoo.addons.base.models import ir_actions_report as core

# Web fonts become drawings in a PDF of unpatched Qt: nobody could search or copy the text.
INSTALLED_FONTS = "'Noto Sans', 'Noto Sans Bengali', 'Lohit Bengali', 'DejaVu Sans', sans-serif"
PAGE_MARGIN_MM = "10"


class IrActionsReport(models.Model):
    """Right documents from a wkhtmltopdf with unpatched Qt, as Debian ships it.

    That program ignores headers and footers without a word, converts one document per call only
    and writes no outline. With patched Qt, nothing here changes anything.
    """

    _inherit = "ir.actions.report"

    def _prepare_html(self, html, report_model=False):
        if core._wkhtml().is_patched_qt:
            return super()._prepare_html(html, report_model=report_model)
        prepared = super()._prepare_html(self._inline_headers(html), report_model=report_model)
        if not prepared:
            return prepared
        bodies, res_ids, _header, _footer, paperformat_args = prepared
        return bodies, res_ids, None, None, paperformat_args

    def _run_wkhtmltopdf(self, bodies, *args, **kwargs):
        bodies = list(bodies)
        if core._wkhtml().is_patched_qt or len(bodies) < 2:
            return super()._run_wkhtmltopdf(bodies, *args, **kwargs)
        render = super()._run_wkhtmltopdf
        return self._join_documents([render([body], *args, **kwargs) for body in bodies])

    def _inline_headers(self, html):
        """Move the header and footer of each document into its body, where they print once."""
        root = lxml.html.fromstring(html, parser=lxml.html.HTMLParser(encoding="utf-8"))
        articles = root.find_class("article")
        if not articles:
            return html
        waiting, article = [], None
        for node in root.xpath("//div[@class]"):
            classes = node.get("class").split()
            if node in articles:
                article = node
                for position, header in enumerate(waiting):
                    article.insert(position, header)
                waiting = []
            elif any(ancestor in articles for ancestor in node.iterancestors()):
                continue
            elif "header" in classes:
                waiting.append(self._detach(node, "header"))
            elif "footer" in classes and article is not None:
                footer = self._detach(node, "footer")
                if footer.text_content().strip() or footer.xpath(".//img"):
                    article.append(footer)
        for node in articles:
            node.set("style", f"{node.get('style') or ''};font-family: {INSTALLED_FONTS};")
        root.set("data-report-margin-top", PAGE_MARGIN_MM)
        root.set("data-report-margin-bottom", PAGE_MARGIN_MM)
        return lxml.html.tostring(root, encoding="utf-8", doctype="<!DOCTYPE html>")

    def _detach(self, node, name):
        """Take ``node`` out of the page, under a class that the core does not look for."""
        # “Page 1 / 1” would be filled in by the header mechanism that does not exist here.
        for page_number in node.xpath(".//span[@class='page']"):
            page_number.getparent().drop_tree()
        classes = [
            f"o_report_{name}" if word == name else word for word in node.get("class").split()
        ]
        node.set("class", " ".join(classes))
        node.set("style", f"{node.get('style') or ''};font-family: {INSTALLED_FONTS};")
        node.getparent().remove(node)
        return node

    def _join_documents(self, documents):
        """One file of all ``documents``, with the outline that patched Qt would have written.

        The core cuts a batch into the records' own files by it, and reads page *numbers* there.
        """
        generic, writer = pdf.generic, pdf.PdfFileWriter()
        name, number = generic.NameObject, generic.NumberObject
        items, destinations = [], generic.DictionaryObject()
        for index, document in enumerate(documents):
            destinations[name(f"/document{index}")] = generic.ArrayObject(
                [number(writer.getNumPages()), name("/Fit")]
            )
            title = pdf.createStringObject(str(index + 1))
            items.append(
                generic.DictionaryObject(
                    {name("/Title"): title, name("/Dest"): name(f"/document{index}")}
                )
            )
            writer.appendPagesFromReader(pdf.PdfFileReader(io.BytesIO(document)))
        references = [writer._addObject(item) for item in items]
        for item, following in zip(items, references[1:], strict=False):
            item[name("/Next")] = following
        outlines = {
            name("/Type"): name("/Outlines"),
            name("/First"): references[0],
            name("/Last"): references[-1],
            name("/Count"): number(len(items)),
        }
        writer._root_object[name("/Outlines")] = writer._addObject(
            generic.DictionaryObject(outlines)
        )
        writer._root_object[name("/Dests")] = destinations
        result = io.BytesIO()
        writer.write(result)
        return result.getvalue()
