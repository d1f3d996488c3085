"""Routers with RouterOS, over their binary API. Plain Python: nothing here knows the ORM.

``connection`` speaks to one router, ``menus`` knows what can be ours on it, ``desired`` says what
should be there, ``reconcile`` makes it so, ``backup`` fetches the configuration, ``secrets`` reads
the logins that exist.
"""
