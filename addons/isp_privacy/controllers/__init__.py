from . import consents, cookies, exports, mass_export, policy, requests, sealed
