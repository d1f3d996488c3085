from . import consents, cookies, exports, identity, mass_export, policy, requests, sealed
