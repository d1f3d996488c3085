from . import consents, cookies, exports, handover, identity, mass_export, policy, requests, sealed
