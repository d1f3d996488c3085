from . import consents, cookies, exports, policy, requests, sealed
