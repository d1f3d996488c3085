{
    "name": "ISP base",
    "summary": "Encrypted fields, roles and quiet defaults for internet providers",
    "version": "19.0.1.2.0",
    "category": "Services/ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["mail", "phone_validation"],
    "external_dependencies": {"python": ["cryptography"]},
    "data": [
        "security/isp_security.xml",
        "data/ir_cron.xml",
        "data/quiet_defaults.xml",
        "views/report_templates.xml",
        "views/res_config_settings_views.xml",
    ],
    "assets": {
        "web.assets_backend": [
            # Debian's Odoo package leaves this file out while `mail` still lists it: the bundle
            # would log an error in the browser's console, which fails every browser test.
            ("remove", "mail/static/lib/selfie_segmentation/selfie_segmentation.js"),
        ],
    },
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
}
