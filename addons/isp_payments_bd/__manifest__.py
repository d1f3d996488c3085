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
    "data": [
        "security/ir.model.access.csv",
        "security/isp_payments_rules.xml",
        "data/ir_cron_data.xml",
        "views/payment_provider_views.xml",
        "views/payment_transaction_views.xml",
        "views/isp_gateway_event_views.xml",
<<<<<<< HEAD
        "views/payment_bkash_templates.xml",
        "views/payment_provider_bkash_views.xml",
        "views/isp_gateway_receipt_views.xml",
        "data/payment_provider_bkash.xml",
=======
        "views/isp_gateway_settlement_views.xml",
>>>>>>> wt-core
    ],
    "assets": {
        "web.assets_frontend": ["isp_payments_bd/static/src/interactions/*.js"],
    },
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
}
