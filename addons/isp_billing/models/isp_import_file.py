import csv
import io
import json
import tempfile
from contextlib import contextmanager
from itertools import batched

from odoo import models
from odoo.exceptions import UserError

from odoo.addons.isp_base import crypto
from odoo.addons.isp_base.encryption import get_keyring

from ..engine import safe_csv
from ..engine.identity import find_duplicates
from ..engine.problems import Problem
from ..engine.seen import SeenKeys
from ..engine.subscriber_file import Row, SubscriberFile
from ..engine.subscriber_row import RowParser
from .isp_import_reasons import explain
