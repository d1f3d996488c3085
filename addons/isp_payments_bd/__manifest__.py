{
    "name": "Payments in Bangladesh: bKash, Nagad, SSLCommerz",
    "summary": "Wallet and card payments, applied once and only after the gateway confirmed them",
    "version": "19.0.1.0.0",
    "category": "Accounting/Payment Providers",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_base", "account_payment"],
    "external_dependencies": {"python": ["cryptography", "openpyxl", "requests"]},
    "data": [],
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
}
