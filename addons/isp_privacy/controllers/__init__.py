from . import consents, cookies, exports, identity, policy, requests, sealed
from . import consents, cookies, exports, mass_export, policy, requests, sealed
