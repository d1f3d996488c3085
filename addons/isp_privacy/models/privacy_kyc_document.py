import base64
import binascii
import io
import secrets

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.isp_base.encryption import get_keyring

from ..engine import upload
from ..engine.package import copy_chunks
from ..engine.sealed_file import new_key

SIDES = [("front", "Front"), ("back", "Back"), ("document", "Document")]
# More is no identity document.
MAX_DOCUMENTS = 10
_ENDINGS = {upload.JPEG: ".jpg", upload.PDF: ".pdf"}


class PrivacyKycDocument(models.Model):
    """A picture or scan of an identity document: a sealed file, opened only by a deliberate act.

    Neither the database nor the filestore holds it in clear, not even its name. Pictures are drawn
    anew when they come, so what the camera wrote into them, such as the place, is gone.
    """

    _name = "privacy.kyc.document"
    _description = "Picture of an identity document"
    _inherit = ["privacy.sealed", "privacy.audited"]
    _order = "kyc_id, id"
    _rec_name = "side"
    _sealed_folder = "privacy_kyc"
    _guarded = ("store_name", "mimetype", "size_bytes")

    _privacy_subject = "kyc_id.partner_id"
    _privacy_defaults = {
        "category": "identity_document",
        "purpose": "identity",
        "retention": "kyc",
        "erasure": "delete",
    }
    _privacy_retention = {"anchor": "kyc_id.captured_on"}
    _privacy_fields = {"file_key": "secret"}
    _privacy_facts = "side size_bytes create_date"
    _privacy_free = {"Random name of the sealed file, and what kind it is.": "store_name mimetype"}

    kyc_id = fields.Many2one(
        "privacy.kyc", "Identity document", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="kyc_id.company_id", store=True, index=True)
    state = fields.Selection(related="kyc_id.state")
    side = fields.Selection(SIDES, required=True, default="front")
    upload = fields.Binary(
        "File",
        store=False,
        help="JPEG, PNG or PDF. It is sealed at once, and opened by its button only.",
    )
    upload_name = fields.Char(
        "File name", store=False, help="Shown while a file is chosen, and forgotten."
    )
    mimetype = fields.Char("Kind of file", readonly=True, copy=False)
    size_bytes = fields.Integer("Size (bytes)", readonly=True, copy=False, aggregator=None)

    # === CREATE, WRITE AND UNLINK === #

    @api.model_create_multi
    def create(self, vals_list):
        """Seal what was uploaded; the file itself is nowhere stored in clear."""
        uploads = [vals.get("upload") for vals in vals_list]
        documents = super().create([_without_upload(vals) for vals in vals_list])
        documents.kyc_id._check_draft()
        for document, content in zip(documents, uploads, strict=True):
            if content:
                document._seal(_decode(self.env, content))
        documents._note_captured()
        return documents

    def write(self, vals):
        """Seal what was uploaded instead; a picture stays with its document."""
        if not self.env.su:
            self.kyc_id._check_draft()
            if "kyc_id" in vals:
                raise AccessError(self.env._("A picture stays with its document."))
        result = super().write(_without_upload(vals))
        if vals.get("upload"):
            for document in self:
                document._seal(_decode(self.env, vals["upload"]))
        self._note_captured()
        return result

    def unlink(self):
        """Only pictures of a draft are taken out by hand."""
        self.kyc_id._check_draft()
        return super().unlink()

    def _note_captured(self):
        # A row that the purge or an erasure deletes is no capture.
        if self.kyc_id.filtered(lambda kyc: kyc.state == "draft"):
            self.kyc_id._note_captured()

    # === ACTIONS === #

    def action_open(self):
        """Show the picture in a window of its own, where opening it is written down."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/isp_privacy/identity/{self.id}",
            "target": "new",
        }

    # === BUSINESS METHODS - FILES === #

    def _seal(self, stream):
        """Check a file and store it sealed, instead of the one before.

        :param stream: binary and seekable
        :raises UserError: says which files are taken
        """
        self.ensure_one()
        # sudo: the fields of the file are guarded; the customer sends the own one.
        document = self.sudo()
        document._check_number_of_files()
        get_keyring(self.env)
        try:
            mimetype, clean = upload.read(stream)
        except upload.UploadError as error:
            raise UserError(self._describe_refusal(error.args[0])) from None
        document._delete_later(document._get_store_names())
        document.write({"store_name": secrets.token_hex(16), "file_key": new_key()})
        size = 0
        with document._write_file(document.store_name) as sealed:
            for chunk in copy_chunks(clean):
                size += sealed.write(chunk)
        document.write({"mimetype": mimetype, "size_bytes": size})

    def _check_number_of_files(self):
        if len(self.kyc_id.document_ids | self) > MAX_DOCUMENTS:
            raise UserError(
                self.env._("An identity document has at most %s pictures.", MAX_DOCUMENTS)
            )

    def _describe_refusal(self, code):
        """Return why a file is not taken, as a sentence."""
        side = dict(self._fields["side"]._description_selection(self.env))[self.side]
        words = {
            "empty": self.env._("%s: the file is empty. Choose another one.", side),
            "size": self.env._(
                "%(side)s: the file is larger than %(limit)s MB. Take the picture with a lower "
                "resolution.",
                side=side,
                limit=upload.MAX_BYTES // 2**20,
            ),
            "kind": self.env._("%s: send a picture (JPEG or PNG) or a PDF.", side),
            "pixels": self.env._(
                "%s: the picture has too many pixels. Take it with a lower resolution.", side
            ),
            "broken": self.env._("%s: the picture is damaged. Take it once more.", side),
        }
        return words[code]

    def _open_logged(self):
        """Return a reader of the picture; that it was opened is a row of the audit chain."""
        self.ensure_one()
        self.check_access("read")
        stream = self._open_file(self.store_name)
        self.env["privacy.audit"]._log("open", self, subject=self.kyc_id.partner_id)
        return stream

    def _get_ending(self):
        """Return the ending of a file name for what the file is."""
        self.ensure_one()
        return _ENDINGS[self.mimetype]

    def _privacy_documents(self):
        """Yield the pictures for the data package of the person: one at a time in memory."""
        for document in self.filtered("size_bytes"):
            name = f"identity-{document.kyc_id.id}-{document.side}-{document.id}"
            with document._open_file(document.store_name) as stream:
                yield f"{name}{document._get_ending()}", stream.read()


def _without_upload(vals):
    return {name: value for name, value in vals.items() if name not in ("upload", "upload_name")}


def _decode(env, content):
    try:
        return io.BytesIO(base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError):
        raise UserError(env._("The file did not arrive whole. Choose it once more.")) from None
