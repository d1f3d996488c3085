import csv
import io
import json
import os
import tempfile
from contextlib import closing

from odoo import SUPERUSER_ID, api

from odoo.addons.isp_base.tests.common import EncryptionCase

from ..engine.package import open_package
from .request_common import PrivacyRequestCase


class ExportCase(PrivacyRequestCase, EncryptionCase):
    """Packages go to a folder of their own, with keys of their own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="isp-export-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        exports = type(cls.env["privacy.export"])
        cls.classPatch(exports, "_get_folder", lambda _self: folder.name)
        cls.company.partner_id.tz = "Asia/Dhaka"
        cls.karim.write(
            {
                "phone": "+8801711000001",
                "street": "House 7, Road 3",
                "city": "Dhaka",
                "zip": "1207",
                "country_id": cls.env.ref("base.bd").id,
                "vat": False,
                "comment": "<p>Pays late</p>",
            }
        )

    def execute(self, request_type="access", partner=None):
        """A request that is approved; the job has not run yet."""
        request = self.create_request(request_type, partner)
        return self.bring(request, "executing")

    def build(self, runs=10):
        """Run the job, again while it has not come to an end: it stops after some seconds."""
        todo = [("state", "=", "building"), ("request_id.state", "=", "executing")]
        for _number in range(runs):
            with self.enter_registry_test_mode():
                self.env.ref("isp_privacy.privacy_export_cron").method_direct_trigger()
            self.env.invalidate_all()
            if not self.env["privacy.export"].search_count(todo):
                break

    def build_and_crash(self, error):
        """Run the job, which ends with ``error``: what it has not committed is rolled back."""
        self.env.flush_all()
        crashed = False
        with self.enter_registry_test_mode():
            # Not assertRaises: it would roll back what the job has committed before.
            try:
                with self.env.registry.cursor() as cr:
                    exports = api.Environment(cr, SUPERUSER_ID, {})["privacy.export"]
                    exports._cron_build()
            except error:
                crashed = True
        self.assertTrue(crashed)
        self.env.invalidate_all()

    def export_of(self, request):
        return request.sudo()._get_export()

    def make(self, request_type="access", partner=None):
        """Return the package that is ready."""
        request = self.execute(request_type, partner)
        self.build()
        export = self.export_of(request)
        self.assertEqual((export.state, export.problem), ("ready", False))
        self.assertEqual(request.state, "done")
        return export

    def contents_of(self, export):
        """Return ``{path: content}`` of a package; its hashes and signature are checked."""
        contents = {}
        with closing(export._open_file(export.store_name)) as stream:
            package = open_package(stream, export._verify)
            self.assertTrue(package.is_ours)
            for path in package.archive.namelist():
                contents[path] = package.archive.read(path)
        return contents

    def rows_of(self, contents, model_name):
        return json.loads(contents[f"data/{model_name}.json"])

    def cells_of(self, contents, path):
        text = contents[path].decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def files(self):
        return sorted(os.listdir(self.folder))

    def run_deletions(self):
        """Do what waits for the end of the transaction, which tests do not have."""
        self.env.cr.postcommit.run()
