from odoo.addons.isp_base.tests.common import EncryptionCase

PASSWORD = "Correct-Horse-Battery-7"
IDENTITY = "19901234567890123"
PHONE = "01712-345678"


class SecretCase(EncryptionCase):
    """One record with three secrets."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Secret = cls.env["test.isp.secret"]
        cls.record = cls.Secret.create(
            {"name": "Rahim", "password": PASSWORD, "identity": IDENTITY, "phone": PHONE}
        )
        cls.env.company.country_id = cls.env.ref("base.bd")

    def row_text(self, record):
        """Return the database row as one text."""
        record.flush_recordset()
        self.env.cr.execute("SELECT t::text FROM test_isp_secret t WHERE id = %s", [record.id])
        return self.env.cr.fetchone()[0]

    def token(self, record, column="password_enc"):
        """Return the stored ciphertext."""
        record.flush_recordset()
        self.env.cr.execute(f'SELECT "{column}" FROM test_isp_secret WHERE id = %s', [record.id])
        return self.env.cr.fetchone()[0]

    def set_token(self, record, token, column="password_enc"):
        """Change the ciphertext behind the ORM's back."""
        record.flush_recordset()
        self.env.cr.execute(
            f'UPDATE test_isp_secret SET "{column}" = %s WHERE id = %s', [token, record.id]
        )
        self.env.invalidate_all()
