import base64
import io
import os
import tempfile
from contextlib import contextmanager

from PIL import Image

from odoo.addons.isp_base.tests.common import EncryptionCase

from .request_common import PrivacyRequestCase

KYC_OFFICER = "isp_privacy.group_kyc_officer"
NID = "19905551234567890"
# What a camera writes beside the pixels, and what a scanner writes into a PDF.
CAMERA = b"CANARY camera 23.8103N 90.4125E"
PDF = b"%PDF-1.4\n% CANARY scan\n" + b"0 0 m 10 10 l S\n" * 40_000 + b"%%EOF\n"


def picture(size=(320, 200), colour="navy", kind="JPEG"):
    """Return a photo with the place where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = CAMERA.decode()
    exif[0x8825] = {1: "N", 2: (23.0, 48.0, 37.0)}
    content = io.BytesIO()
    options = {"comment": CAMERA} if kind == "JPEG" else {}
    Image.new("RGB", size, colour).save(content, kind, exif=exif, **options)
    return content.getvalue()


def as_upload(content):
    """Return a file as the web client sends it."""
    return base64.b64encode(content).decode()


class KycCase(PrivacyRequestCase, EncryptionCase):
    """Three KYC officers, somebody of support and a manager; files are in a folder of their own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="isp-kyc-")
        cls.addClassCleanup(folder.cleanup)
        cls.kyc_folder = folder.name
        cls.Document = cls.env["privacy.kyc.document"]
        cls.classPatch(type(cls.Document), "_get_folder", lambda _self: folder.name)
        cls.amina = cls.create_user("kyc_amina", KYC_OFFICER)
        cls.bashir = cls.create_user("kyc_bashir", KYC_OFFICER)
        cls.chitra = cls.create_user("kyc_chitra", KYC_OFFICER)
        cls.support = cls.create_user("kyc_support", "isp_base.group_isp_support")
        cls.manager = cls.create_user("kyc_manager", "isp_base.group_isp_manager")

    def setUp(self):
        super().setUp()
        for name in self.files():
            os.unlink(os.path.join(self.kyc_folder, name))

    @classmethod
    def capture(cls, partner=None, user=None, number=NID, sides=("front", "back"), **vals):
        """A draft that ``user`` (Amina) captures for ``partner`` (Karim)."""
        uploads = [
            (0, 0, {"side": side, "upload": as_upload(picture(colour=colour))})
            for side, colour in zip(sides, ("navy", "red", "green"), strict=False)
        ]
        user = user or cls.amina
        return (
            cls.env["privacy.kyc"]
            .with_user(user)
            .with_context(allowed_company_ids=user.company_ids.ids)
            .create(
                {
                    "partner_id": (partner or cls.karim).id,
                    "company_id": cls.company.id,
                    "number": number,
                    "document_ids": uploads,
                    **vals,
                }
            )
        )

    def approve(self, kyc=None):
        """Bring a document (of Karim) through: Amina captures and checks, Bashir approves."""
        kyc = kyc or self.capture()
        kyc.with_user(self.amina).action_submit()
        kyc.with_user(self.amina).action_check()
        kyc.with_user(self.bashir).action_approve()
        self.assertEqual(kyc.state, "approved")
        return kyc

    @contextmanager
    def assertRefused(self, error, words):
        """What is refused leaves nothing behind, as in a transaction of its own."""
        with self.assertRaisesRegex(error, words) as refused, self.env.cr.savepoint():
            yield refused

    def audit_of(self, records, action):
        """The rows of the audit chain about these records."""
        return (
            self.env["privacy.audit"]
            .sudo()
            .search(
                [
                    ("model", "=", records._name),
                    ("res_id", "in", records.ids),
                    ("action", "=", action),
                ]
            )
        )

    def files(self):
        return sorted(os.listdir(self.kyc_folder))

    def bytes_on_disk(self):
        contents = []
        for name in self.files():
            with open(os.path.join(self.kyc_folder, name), "rb") as file:
                contents.append(file.read())
        return b"".join(contents)

    def run_deletions(self):
        """Do what waits for the end of the transaction, which tests do not have."""
        self.env.cr.postcommit.run()
