from . import privacy_audit_compare
from . import privacy_request_step
from . import privacy_export_import
from . import privacy_age_note
from . import privacy_consent_note
from . import privacy_handover_letter
from . import mail_compose_message
from . import base_partner_merge
