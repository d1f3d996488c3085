from . import consents, cookies, exports, identity, policy, requests, sealed
